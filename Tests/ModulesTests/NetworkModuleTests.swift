import Addresses
import Foundation
import Glibc
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// Ports and who has them, on sockets of the test's own.
@Suite struct NetworkModuleTests {
  private func look(_ port: UInt16, _ members: Value.Member...) async throws -> StepResult<Value> {
    try await run("host.sockets", [.init("port", .int(Int64(port)))] + members)
  }

  /// A program with sockets, at a port that the kernel chose if none is given.
  private struct Holder {
    let process: LiveProcess
    let port: UInt16

    /// - Parameter sockets: for each its family, type, address and, behind a blank, `reuse` or `v6only`.
    init(_ sockets: [String], port: UInt16 = 0) throws {
      let script = """
        import socket, sys
        port, held = int(sys.argv[1]), []
        for word in sys.argv[2:]:
            family, kind, address, *options = word.split()
            s = socket.socket(getattr(socket, family), getattr(socket, kind))
            if 'reuse' in options: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == 'AF_INET6': s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int('v6only' in options))
            s.bind((address, port))
            if kind == 'SOCK_STREAM': s.listen()
            port = s.getsockname()[1]
            held.append(s)
        print(port, flush=True)
        sys.stdin.read()
        """
      process = try LiveProcess("/usr/bin/python3", ["-c", script, "\(port)"] + sockets)
      guard let bound = UInt16(try process.awaitLine()) else { throw LiveProcess.NotReady() }
      self.port = bound
    }

    var pid: Value { .int(Int64(process.pid)) }
  }

  private func owners(_ result: StepResult<Value>) -> [Value] {
    guard case .list(let list)? = result.output["owners"] else { return [] }
    return list.compactMap { $0["pid"] }
  }

  @Test("One owner is named; UDP, TCP and another port are told apart", arguments: ["SOCK_DGRAM", "SOCK_STREAM"])
  func oneOwner(kind: String) async throws {
    let holder = try Holder(["AF_INET \(kind) 127.0.0.1"])
    let transport = kind == "SOCK_DGRAM" ? "udp" : "tcp"
    let found = try await look(holder.port, .init("transport", .string(transport)))
    #expect(found.objection == nil && found.output["exclusive"] == .bool(true))
    #expect(owners(found) == [holder.pid])
    #expect(found.output["sockets"]?.first?["address"] == .string("127.0.0.1:\(holder.port)"))
    let owned = try await look(
      holder.port, .init("transport", .string(transport)), .init("owner", .members([.init("pid", holder.pid)])))
    #expect(owned.objection == nil)
    let taken = try await look(
      holder.port, .init("transport", .string(transport)),
      .init("owner", .members([.init("pid", .int(Int64(getpid())))])))
    #expect(taken.objection?.finding.code == "host.portTaken")
    // What the kernel lists in its files is the same.
    let kernel = try SocketTable.sockets(kind == "SOCK_DGRAM" ? .udp : .tcp, at: holder.port)
    // They are not written at one moment: a socket that comes or goes meanwhile can keep another one off the list.
    var listed: [BoundSocket] = []
    for _ in 0..<50 where listed != kernel {
      let text = try String(contentsOfFile: "/proc/net/\(transport)", encoding: .utf8)
      listed = SocketTable.listed(in: text, kind == "SOCK_DGRAM" ? .udp : .tcp, holder.port)
    }
    #expect(listed == kernel)
  }

  @Test("Two servers that share a port by SO_REUSEPORT are two, and a port that nobody has is nobody's")
  func twins() async throws {
    let first = try Holder(["AF_INET SOCK_DGRAM 127.0.0.1 reuse"])
    var second: Holder? = try Holder(["AF_INET SOCK_DGRAM 127.0.0.1 reuse"], port: first.port)
    let shared = try await look(first.port)
    #expect(shared.objection?.finding.code == "host.portShared")
    #expect(shared.output["exclusive"] == .bool(false))
    #expect(owners(shared).count == 2)
    #expect(owners(shared).contains(try #require(second?.pid)))
    second = nil
    #expect(try await look(first.port).objection == nil)
    let free = try await look(first.port, .init("transport", .string("tcp")), .init("address", .string("127.0.0.99")))
    #expect(free.objection?.finding.code == "host.portFree")
  }

  @Test("Two real coturn servers on one port are told apart from one")
  func coturn() async throws {
    let server = try await Coturn.start()
    let port = Value.Member("owner", .members([.init("name", .string("turnserver"))]))
    let alone = try await look(server.port, port)
    #expect(alone.objection == nil && owners(alone).count == 1, "\(String(describing: alone.objection))")
    let second = try LiveProcess(
      "/usr/bin/turnserver",
      [
        "-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port", "\(server.port)",
        "--no-tls", "--no-dtls", "--no-cli", "--log-file", "stdout", "--allow-loopback-peers", "--no-tcp",
      ])
    defer { withExtendedLifetime(second) {} }
    try second.wait { pid in
      let found = (try? SocketTable.sockets(.udp, at: server.port)).map { SocketOwners(of: Set($0.map(\.inode))) }
      return found?.processes.values.contains { $0.contains(pid) } == true
    }
    let both = try await look(server.port, port)
    #expect(both.objection?.finding.code == "host.portShared")
    #expect(owners(both).contains(.int(Int64(second.pid))))
  }

  @Test("With an address the nearest socket counts: its own, then all of its family, then both families")
  func nearest() async throws {
    let wildcard = try Holder(["AF_INET SOCK_DGRAM 0.0.0.0 reuse"])
    let own = try Holder(["AF_INET SOCK_DGRAM 127.0.0.2 reuse"], port: wildcard.port)
    #expect(try await look(wildcard.port).objection?.finding.code == "host.portShared")
    let atOwn = try await look(wildcard.port, .init("address", .string("127.0.0.2")))
    #expect(atOwn.objection == nil && owners(atOwn) == [own.pid])
    let elsewhere = try await look(wildcard.port, .init("address", .string("127.0.0.3")))
    #expect(owners(elsewhere) == [wildcard.pid])

    let both = try Holder(["AF_INET6 SOCK_STREAM ::"])
    let tcp = Value.Member("transport", .string("tcp"))
    #expect(owners(try await look(both.port, tcp, .init("address", .string("127.0.0.1")))) == [both.pid])
    #expect(owners(try await look(both.port, tcp, .init("address", .string("::1")))) == [both.pid])
    let six = try Holder(["AF_INET6 SOCK_STREAM :: v6only"])
    #expect(
      try await look(six.port, tcp, .init("address", .string("127.0.0.1"))).objection?.finding.code == "host.portFree")
    #expect(owners(try await look(six.port, tcp, .init("address", .string("::1")))) == [six.pid])
    #expect(owners(try await look(six.port, tcp)) == [six.pid])
  }

  @Test("A server and those that it started share a socket, and are one owner; connections are counted apart")
  func workers() async throws {
    let script = """
      import os, socket, sys
      s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()
      c = socket.create_connection(s.getsockname()); a = s.accept()
      if os.fork() == 0:
          sys.stdin.read(); os._exit(0)
      print(s.getsockname()[1], flush=True)
      sys.stdin.read()
      """
    let process = try LiveProcess("/usr/bin/python3", ["-c", script])
    defer { withExtendedLifetime(process) {} }
    let port = try #require(UInt16(try process.awaitLine()))
    let found = try await look(port, .init("transport", .string("tcp")))
    #expect(found.objection == nil && owners(found).count == 2 && found.output["exclusive"] == .bool(true))
    #expect(found.output["connections"] == .int(1))
  }

  @Test("Ports are those of a network namespace", .enabled(if: geteuid() == 0, "network namespaces are root's to make"))
  func namespace() async throws {
    let script =
      "import socket,sys; s=socket.socket(type=socket.SOCK_DGRAM); s.bind(('0.0.0.0', 3478)); print(flush=True); sys.stdin.read()"
    let process = try LiveProcess(
      "/usr/bin/unshare", ["--net", "/usr/bin/python3", "-c", script], isReplacingItself: true)
    defer { withExtendedLifetime(process) {} }
    try process.awaitLine()
    let network = Value.Member("network", .members([.init("pid", .int(Int64(process.pid)))]))
    let inside = try await look(3478, network)
    #expect(inside.objection == nil && owners(inside) == [.int(Int64(process.pid))])
    let outside = try SocketTable.sockets(.udp, at: 3478).map(\.inode)
    #expect(SocketOwners(of: Set(outside)).processes.values.allSatisfy { !$0.contains(process.pid) })
    let interfaces = try await run("host.network", [network, .init("window", .duration(.milliseconds(200)))])
    #expect(interfaces.output["interfaces"]?.first?["name"] == .string("lo"))
    #expect(interfaces.output["interfaces"]?.first?["received"] == .int(0))
    #expect(interfaces.output["receiveBufferErrorsSinceBoot"] == .int(0))
  }

  @Test("host.network sees what goes over an interface, and what a socket had no room for")
  func network() async throws {
    let script = """
      import socket, time
      r = socket.socket(type=socket.SOCK_DGRAM); r.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
      r.bind(('127.0.0.1', 0))
      s = socket.socket(type=socket.SOCK_DGRAM)
      print(flush=True)
      while True:
          for _ in range(50): s.sendto(bytes(1000), r.getsockname())
          time.sleep(0.001)
      """
    let process = try LiveProcess("/usr/bin/python3", ["-c", script])
    defer { withExtendedLifetime(process) {} }
    try process.awaitLine()
    let output = try await run("host.network", [.init("window", .duration(.seconds(1)))]).output
    guard case .list(let interfaces)? = output["interfaces"],
      let loopback = interfaces.first(where: { $0["name"] == .string("lo") }),
      case .int(let received)? = loopback["received"], case .int(let lost)? = output["receiveBufferErrors"]
    else { throw NothingThrown() }
    #expect(received > 8 * 1000 * 50 && lost > 50)
    #expect(loopback["speed"] == .null)
    let none = try await run(
      "host.network", [.init("interfaces", text("nosuch0")), .init("window", .duration(.milliseconds(200)))])
    #expect(none.objection?.finding.code == "host.noInterface")
  }

  @Test("Counters that begin anew give no rate, and no huge one")
  func countersBeginAnew() {
    let text = """
      Inter-|   Receive                                                |  Transmit
       face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
        eth0: 4294967000 100 1 2 3 4 0 0 1000 10 5 6 0 0 0 0
      """
    let first = InterfaceCounters.all(in: text)["eth0"]
    let last = InterfaceCounters.all(in: text.replacing("4294967000", with: "500"))["eth0"]
    #expect(first?.receivedBytes == 4_294_967_000 && first?.receiveErrors == 8 && first?.sendDrops == 6)
    #expect(first.flatMap { last?.since($0) } == nil)
    #expect(last.flatMap { first?.since($0) }?.receivedBytes == 4_294_966_500)
    let interface = HostNetwork.Interface("eth0", counted: nil, over: .seconds(1), speed: 1000)
    #expect(interface.received == nil && interface.used == nil && interface.errors == nil)
    var counted = InterfaceCounters()
    counted.receivedBytes = 100_000_000
    counted.sentBytes = 50_000_000
    let busy = HostNetwork.Interface("eth0", counted: counted, over: .seconds(1), speed: 1_000_000_000)
    #expect(busy.used == 80 && busy.received == 800_000_000)
  }

  @Test("host.io counts as the kernel's document says, and a counter that passed its end gives nothing")
  func disks() async throws {
    let line = " 254 0 vda 100 5 2000 300 50 6 4000 250 0 400 550 0 0 0 0\n   8 1 short 1 2\n"
    let first = try #require(DeviceCounters.all(in: line)["vda"])
    #expect((first.reads, first.readSectors, first.writeTime, first.busyTime) == (100, 2000, 250, 400))
    var last = first
    last.reads += 10
    last.readTime += 55
    last.readSectors += 2048
    last.busyTime += 900
    let device = HostIO.Device("vda", counted: last.since(first), over: .seconds(1))
    #expect(device.used == 90 && device.read == 1 << 20 && device.readLatency == .microseconds(5500))
    #expect(device.writeLatency == nil && device.written == 0)
    #expect(first.since(last) == nil)
    let output = try await run("host.io", [.init("window", .duration(.milliseconds(200)))]).output
    guard case .list(let devices)? = output["devices"] else { throw NothingThrown() }
    for device in devices { #expect(device["used"] != .null) }
    let none = try await run(
      "host.io", [.init("devices", text("/dev/nosuch")), .init("window", .duration(.milliseconds(200)))])
    #expect(none.objection?.finding.code == "host.noDevice")
  }
}
