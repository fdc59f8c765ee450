// Command pion_server is a TURN server of pion's on 127.0.0.1, over UDP, TCP and TLS on ports of its own, with one user.
//
// Usage: pion_server REALM USERNAME PASSWORD CERTIFICATE KEY [NETWORK]...
//
// Where networks are given, only their addresses are permitted as peers. It prints its three ports, and ends with its
// standard input.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/pion/turn/v2"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	realm, username, password := os.Args[1], os.Args[2], os.Args[3]
	certificate, err := tls.LoadX509KeyPair(os.Args[4], os.Args[5])
	must(err)
	var permitted []*net.IPNet
	for _, text := range os.Args[6:] {
		_, network, err := net.ParseCIDR(text)
		must(err)
		permitted = append(permitted, network)
	}
	permits := func(_ net.Addr, peer net.IP) bool {
		for _, network := range permitted {
			if network.Contains(peer) {
				return true
			}
		}
		return len(permitted) == 0
	}
	relays := &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}

	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(err)
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	secure, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	must(err)
	_, err = turn.NewServer(turn.ServerConfig{
		Realm: realm,
		AuthHandler: func(name, realm string, _ net.Addr) ([]byte, bool) {
			return turn.GenerateAuthKey(username, realm, password), name == username
		},
		PacketConnConfigs: []turn.PacketConnConfig{
			{PacketConn: udp, RelayAddressGenerator: relays, PermissionHandler: permits},
		},
		ListenerConfigs: []turn.ListenerConfig{
			{Listener: tcp, RelayAddressGenerator: relays, PermissionHandler: permits},
			{Listener: secure, RelayAddressGenerator: relays, PermissionHandler: permits},
		},
	})
	must(err)
	fmt.Println(
		udp.LocalAddr().(*net.UDPAddr).Port, tcp.Addr().(*net.TCPAddr).Port, secure.Addr().(*net.TCPAddr).Port)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
