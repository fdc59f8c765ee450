import Foundation
import Processes
import Schema
import Testing

/// What probes over UDP say of the ICMP messages that come back, in networks of the tests' own.
@Suite(.serialized) struct ICMPTests {
  /// A client's network, joined to one of another host with the addresses 192.0.2.9 and 2001:db8:9::9. What `far` runs, that
  /// host does. `$1` is the runbook.
  private static let preamble = """
    runbook=$1
    ip link set lo up
    unshare --net sleep 600 & host=$!
    trap 'kill $host' EXIT
    far() { nsenter --net=/proc/$host/ns/net "$@"; }
    until [ "$(readlink /proc/$host/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do kill -0 $host; done
    ip link add near type veth peer name far netns $host
    ip address add 198.51.100.1/24 dev near
    ip -6 address add 2001:db8:1::1/64 dev near nodad
    ip link set near up
    far ip link set lo up
    far ip address add 198.51.100.2/24 dev far
    far ip -6 address add 2001:db8:1::2/64 dev far nodad
    far ip link set far up
    far ip address add 192.0.2.9/32 dev lo
    far ip -6 address add 2001:db8:9::9/128 dev lo nodad
    ip route add default via 198.51.100.2
    ip -6 route add default via 2001:db8:1::2
    # No message is held back for there having been others.
    far sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_ratelimit; echo 0 >/proc/sys/net/ipv6/icmp/ratelimit'
    probe() { "$runbook" probe "$@" --timeout 4s --format json || [ $? -lt 128 ]; }

    """

  private func run(_ script: String, _ arguments: String...) async throws -> CommandLineProject.Output {
    let project = try CommandLineProject()
    var command = project.command([])
    let shell = TestNetwork.shell(Self.preamble + script, [command.executable] + arguments)
    (command.executable, command.arguments) = (shell.executable, shell.arguments)
    command.environment = ["TURN_USERNAME": "alice", "TURN_CREDENTIAL": "correct-horse"]
    return project.output(of: try await command.run())
  }

  private static let rejections: [(rule: String, uri: String, code: String)] = [
    ("icmp type net-unreachable", "turn:192.0.2.9", "icmp.networkUnreachable"),
    ("icmp type host-unreachable", "turn:192.0.2.9", "icmp.hostUnreachable"),
    ("icmp type prot-unreachable", "turn:192.0.2.9", "icmp.protocolUnreachable"),
    ("icmp type port-unreachable", "turn:192.0.2.9", "icmp.portUnreachable"),
    ("icmp type net-prohibited", "turn:192.0.2.9", "icmp.networkProhibited"),
    ("icmp type host-prohibited", "turn:192.0.2.9", "icmp.hostProhibited"),
    ("icmp type admin-prohibited", "turn:192.0.2.9", "icmp.adminProhibited"),
    ("icmpv6 type no-route", "turn:[2001:db8:9::9]", "icmp.networkUnreachable"),
    ("icmpv6 type admin-prohibited", "turn:[2001:db8:9::9]", "icmp.adminProhibited"),
    ("icmpv6 type addr-unreachable", "turn:[2001:db8:9::9]", "icmp.hostUnreachable"),
    ("icmpv6 type port-unreachable", "turn:[2001:db8:9::9]", "icmp.portUnreachable"),
    ("icmpv6 type policy-fail", "turn:[2001:db8:9::9]", "icmp.sourceAddressRefused"),
    ("icmpv6 type reject-route", "turn:[2001:db8:9::9]", "icmp.routeRejected"),
  ]

  @Test(
    "A firewall that rejects is told by what it rejects with, over STUN, TURN and DTLS",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"), arguments: rejections)
  func rejected(rule: String, uri: String, code: String) async throws {
    let output = try await run(
      """
      far nft add table inet firewall
      far nft add chain inet firewall arrivals '{ type filter hook input priority filter; }'
      far nft add rule inet firewall arrivals udp dport 3478-5349 reject with $2
      probe stun "$3:3478"
      probe turn "$3:3478"
      probe tls "turns${3#turn}:5349?transport=udp"
      """, rule, uri)
    try #require(output.status == 0, "\(output.stdout)\(output.stderr)")
    let objects = try output.stdout.split(separator: "\n}\n").map { part in
      try JSON(parsing: part.hasSuffix("}\n") ? String(part) : part + "\n}")
    }
    #expect(objects.count == 3)
    for object in objects {
      #expect(object["error"]?["code"] == .string(code), "\(object)")
      #expect(object["error"]?["advice"]?.string?.isEmpty == false)
    }
  }

  @Test(
    "Packets that pass too many routers are told, over IPv4 and IPv6",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"),
    arguments: ["stun:203.0.113.9", "stun:[2001:db8:2::9]"])
  func timeExceeded(uri: String) async throws {
    let output = try await run(
      """
      far sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
      far ip route add 203.0.113.0/24 via 198.51.100.1
      far ip -6 route add 2001:db8:2::/64 via 2001:db8:1::1
      echo 1 >/proc/sys/net/ipv4/ip_default_ttl
      echo 1 >/proc/sys/net/ipv6/conf/near/hop_limit
      probe stun "$2"
      """, uri)
    let error = try #require(try output.json["error"], "\(output.stderr)")
    #expect(error["code"] == "icmp.timeExceeded")
    #expect(error["advice"]?.string?.contains("loop") == true)
  }

  @Test(
    "A host that is on our own network and does not answer at all is told, not hung on",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"),
    arguments: ["stun:198.51.100.77", "stun:[2001:db8:1::77]"])
  func noNeighbour(uri: String) async throws {
    let output = try await run(
      """
      echo 200 >/proc/sys/net/ipv4/neigh/near/retrans_time_ms
      echo 200 >/proc/sys/net/ipv6/neigh/near/retrans_time_ms
      probe stun "$2"
      """, uri)
    #expect(try output.json["error"]?["code"] == "icmp.hostUnreachable", "\(output.stdout)\(output.stderr)")
  }

  @Test(
    "A rule of our own host that lets nothing out is named, and not taken for the server's silence",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func notPermitted() async throws {
    let output = try await run(
      """
      nft add table inet firewall
      nft add chain inet firewall departures '{ type filter hook output priority filter; }'
      nft add rule inet firewall departures udp dport 3478 drop
      probe stun stun:192.0.2.9
      """)
    #expect(try output.json["error"]?["code"] == "udp.sendingNotPermitted", "\(output.stdout)\(output.stderr)")
  }

  /// Puts a router with an MTU of 1280 between the other host and a third one, 203.0.113.9, where coturn serves. `$2` is a rule
  /// of the router's for what it forwards; empty for none.
  private static let narrow = """
    rule=$2
    unshare --net sleep 600 & third=$!
    trap 'kill $host $third' EXIT
    third() { nsenter --net=/proc/$third/ns/net "$@"; }
    until [ "$(readlink /proc/$third/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do kill -0 $third; done
    far sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    far ip link add narrow mtu 1280 type veth peer name wide netns $third
    far ip address add 203.0.113.1/24 dev narrow
    far ip link set narrow up
    third ip link set lo up
    third ip address add 203.0.113.9/24 dev wide
    third ip link set wide mtu 1280 up
    third ip route add default via 203.0.113.1
    far nft add table ip raw
    far nft add chain ip raw forwarded '{ type filter hook prerouting priority -450; }'
    [ -z "$rule" ] || far nft add rule ip raw forwarded $rule
    third setpriv --pdeathsig KILL -- turnserver -n --listening-ip 203.0.113.9 --relay-ip 203.0.113.9 --no-cli \\
      --no-tls --no-dtls --userdb turndb --pidfile turnserver.pid --log-file turnserver.log --simple-log \\
      --realm r.example --lt-cred-mech --user "$TURN_USERNAME:$TURN_CREDENTIAL" >turnserver.out 2>&1 & server=$!
    trap 'kill $host $third; kill -KILL $server' EXIT
    until "$runbook" probe stun turn:203.0.113.9 -p requests=1 >/dev/null; do kill -0 $server; done
    "$runbook" probe turn.relay turn:203.0.113.9 -p packets=20 -p size=1300B $3 --format json || test $? = 1

    """

  @Test(
    "Packets that are larger than the path takes are named with its MTU, and what to do",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func narrowPath() async throws {
    // The router lets no fragments through either, so that what the kernel cuts after the first message is lost as well.
    let output = try await run(Self.narrow, "ip frag-off & 0x3fff != 0 drop", "")
    let found = try output.json
    #expect(found["error"]?["code"] == "icmp.packetTooBig", "\(output.stdout)\(output.stderr)")
    #expect(found["error"]?["message"]?.string?.contains("larger than the path takes: 1280 bytes") == true)
    #expect(found["error"]?["advice"]?.string?.hasPrefix("Use smaller packets, or look at the MTU") == true)
  }

  @Test(
    "Where the kernel cuts them once it knows the MTU, only the first are lost, and the loss says why",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func narrowPathWithFragments() async throws {
    for (arguments, outcome, code) in [("", "fail", "turn.lossy"), ("-p maxLoss=50%", "warn", "icmp.packetTooBig")] {
      let output = try await run(Self.narrow, "", arguments)
      let found = try output.json
      #expect(found["outcome"] == .string(outcome), "\(output.stdout)\(output.stderr)")
      #expect(found["error"]?["code"] == .string(code))
      #expect(found["error"]?["message"]?.string?.contains("larger than the path takes: 1280 bytes") == true)
      #expect(found["error"]?["advice"]?.string?.contains("Use smaller packets") == true)
    }
  }
}
