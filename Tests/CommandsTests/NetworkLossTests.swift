import Foundation
import Processes
import Schema
import Testing

/// What `turn.relay` reports of loss, against a kernel that loses packets and counts them.
@Suite(.serialized) struct NetworkLossTests {
  /// Starts coturn, and loses of the packets that carry relayed payload between it and its clients `$3` in a thousand, in
  /// each direction on its own. `$2` tells them from requests and answers.
  ///
  /// They are dropped as they arrive: dropped on their way out, they would fail the sender's system call. Every packet
  /// is counted by the client's port: `offered` by the client, `delivered` to it. What the server relays from one of its
  /// allocations to the other goes unhindered.
  private static let script = """
    runbook=$1 payload=$2 loss=$3 path=$4 packets=$5
    ip link set lo up
    nft -f - <<RULES
    table inet loss {
      counter dropped {}
      set offered { type inet_service; size 16; flags dynamic; }
      set delivered { type inet_service; size 16; flags dynamic; }
      chain arrivals {
        type filter hook input priority filter
        udp dport 3478 $payload update @offered { udp sport counter }
        udp dport 3478 $payload numgen random mod 1000 < $loss counter name dropped drop
        udp sport 3478 $payload numgen random mod 1000 < $loss counter name dropped drop
        udp sport 3478 $payload update @delivered { udp dport counter }
      }
    }
    RULES
    setpriv --pdeathsig KILL -- turnserver -n --listening-ip 127.0.0.1 --relay-ip 127.0.0.1 --allow-loopback-peers \\
      --no-cli --no-tls --no-dtls --userdb turndb --pidfile turnserver.pid --log-file turnserver.log --simple-log \\
      --realm r.example --lt-cred-mech --user "$TURN_USERNAME:$TURN_CREDENTIAL" >turnserver.out 2>&1 &
    server=$!
    trap 'kill -KILL $server' EXIT
    until "$runbook" probe stun turn:127.0.0.1:3478 -p requests=1 >/dev/null; do kill -0 $server; done
    "$runbook" probe turn.relay turn:127.0.0.1:3478 -p path=$path -p packets=$packets -p rate=500 -p maxLoss=100% --format json
    nft -j list table inet loss >loss.json
    awk '/^Udp: [0-9]/ { print $6 }' /proc/net/snmp >overflows
    """

  /// How packets with relayed payload are told from others: by the first bits of what UDP carries.
  private static let payload = [
    // ChannelData begins with the bits 01 (RFC 8656, section 12.4).
    "channel": "@th,64,2 1",
    // The types of Send and Data indications (RFC 8656, section 17).
    "send": "@th,64,16 { 0x0016, 0x0017 }",
  ]

  @Test(
    "What turn.relay reports lost is what nftables dropped, packet by packet, and lies within 99 % bounds of what was set",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"),
    arguments: [("channel", 20), ("channel", 100), ("send", 50)])
  func loss(path: String, lossPerThousand: Int) async throws {
    let survival = 1 - Double(lossPerThousand) / 1000
    let packets = 1000
    let bounds = [2, 4].map { passages in
      Binomial(tries: packets, probability: pow(survival, Double(passages))).range(cuttingTails: 0.005)
    }
    // Chance leaves 99 % bounds once in a hundred times, one of two figures at most once in fifty. Both are measured
    // again then, twice at most: a false alarm comes once in 125,000 times.
    var measured: [[Int]] = []
    for _ in 1...3 {
      guard let figures = try await measure(path, lossPerThousand: lossPerThousand, packets: packets) else { continue }
      if zip(bounds, figures).allSatisfy({ $0.contains($1) }) { return }
      measured.append(figures)
    }
    Issue.record("reached and received are \(measured), not within \(bounds)")
  }

  /// How many packets reached the echo, and how many the sender, as the probe reports and the kernel counted; nil if
  /// the kernel lost more than it was told to, for want of room in a socket's buffer.
  private func measure(_ path: String, lossPerThousand: Int, packets: Int) async throws -> [Int]? {
    let project = try CommandLineProject()
    var command = project.command([])
    let payload = try #require(Self.payload[path])
    let shell = TestNetwork.shell(
      Self.script, [command.executable, payload, "\(lossPerThousand)", path, "\(packets)"])
    (command.executable, command.arguments) = (shell.executable, shell.arguments)
    command.environment = ["TURN_USERNAME": "alice", "TURN_CREDENTIAL": "correct-horse"]
    let output = project.output(of: try await command.run())
    try #require(output.status == 0, "\(output.stdout)\(output.stderr)")
    let reported = try #require(try output.json["output"])
    func figure(_ name: String) throws -> Int { Int(try #require(reported[name]?.int, "\(name)")) }
    guard try project.read("overflows") == "0\n" else { return nil }

    let kernel = try KernelCounts(JSON(parsing: project.read("loss.json")))
    let (sent, reached, received) = try (figure("sent"), figure("reached"), figure("received"))
    #expect(sent == packets)
    #expect(try figure("lost") == kernel.dropped)
    #expect(try figure("lost") == sent - received)
    #expect(try figure("duplicates") == 0)
    // The sender offers everything, the echo what reached it.
    #expect(kernel.offered.values.sorted() == [reached, sent].sorted())
    let sender = try #require(kernel.offered.first { $0.value == sent }?.key)
    let echo = try #require(kernel.offered.keys.first { $0 != sender })
    #expect(kernel.delivered == [echo: reached, sender: received])
    return [reached, received]
  }
}

/// Packets by what the rules saw of them; by client port where they are counted so.
private struct KernelCounts {
  private(set) var dropped = 0
  private(set) var offered: [Int: Int] = [:]
  private(set) var delivered: [Int: Int] = [:]

  /// Reads what `nft -j list table` printed.
  init(_ listing: JSON) throws {
    for object in listing["nftables"]?.array ?? [] {
      if let counter = object["counter"] { dropped = Int(try #require(counter["packets"]?.int)) }
      guard let set = object["set"] else { continue }
      var counts: [Int: Int] = [:]
      for element in set["elem"]?.array ?? [] {
        let port = try #require(element["elem"]?["val"]?.int)
        counts[Int(port)] = Int(try #require(element["elem"]?["counter"]?["packets"]?.int))
      }
      if set["name"] == "offered" { offered = counts } else { delivered = counts }
    }
  }
}
