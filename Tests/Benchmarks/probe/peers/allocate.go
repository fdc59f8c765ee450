// Command allocate makes and deletes COUNT allocations with pion's client, IN_FLIGHT of them at a time, on the TURN
// server at 127.0.0.1:PORT. For each it prints the nanoseconds from the socket to the grant, and to the closed socket;
// at the end all of the time and how many attempts were refused.
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v2"
)

type sample struct{ allocate, whole time.Duration }

// deletionObserver notes the response to a Refresh: pion's client itself does not wait for it.
type deletionObserver struct {
	net.PacketConn
	deleted chan struct{}
}

func (o *deletionObserver) ReadFrom(buffer []byte) (int, net.Addr, error) {
	n, from, err := o.PacketConn.ReadFrom(buffer)
	if err == nil && n >= 2 && buffer[0] == 0x01 && buffer[1] == 0x04 {
		close(o.deleted)
	}
	return n, from, err
}

func once(server string, loggers logging.LoggerFactory) (sample, error) {
	start := time.Now()
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return sample{}, err
	}
	defer socket.Close()
	connection := &deletionObserver{PacketConn: socket, deleted: make(chan struct{})}
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: server, Username: "u", Password: "p", Conn: connection, LoggerFactory: loggers,
	})
	if err != nil {
		return sample{}, err
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		return sample{}, err
	}
	relayed, err := client.Allocate()
	if err != nil {
		return sample{}, err
	}
	allocated := time.Since(start)
	if err := relayed.Close(); err != nil {
		return sample{}, err
	}
	select {
	case <-connection.deleted:
	case <-time.After(time.Second):
		return sample{}, fmt.Errorf("the deletion was not confirmed")
	}
	if err := socket.Close(); err != nil {
		return sample{}, err
	}
	return sample{allocated, time.Since(start)}, nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: allocate PORT COUNT IN_FLIGHT")
		os.Exit(2)
	}
	count, _ := strconv.Atoi(os.Args[2])
	inFlight, _ := strconv.Atoi(os.Args[3])
	loggers := logging.NewDefaultLoggerFactory()
	loggers.DefaultLogLevel = logging.LogLevelDisabled

	var lock sync.Mutex
	var group sync.WaitGroup
	var samples []sample
	refused := 0
	start := time.Now()
	for worker := 0; worker < inFlight; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for done := 0; done < count/inFlight; {
				one, err := once("127.0.0.1:"+os.Args[1], loggers)
				lock.Lock()
				if err == nil {
					samples = append(samples, one)
					done++
				} else {
					refused++
				}
				tooMany := refused > count
				lock.Unlock()
				if tooMany {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
			}
		}()
	}
	group.Wait()
	elapsed := time.Since(start)
	for _, one := range samples {
		fmt.Println(one.allocate.Nanoseconds(), one.whole.Nanoseconds())
	}
	fmt.Println("total", elapsed.Nanoseconds(), refused)
}
