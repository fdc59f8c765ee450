import Foundation
import Processes
import Schema
import Testing

/// What probes say of a server that does not see its clients as they are, under packet rules in a network of the tests' own.
@Suite(.serialized) struct ReflexiveAddressTests {
  /// Starts coturn on 127.0.0.1, under the packet rules `$2`. `198.18.0.9` is another address of the same host.
  private static let preamble = """
    runbook=$1 rules=$2
    ip link set lo up
    ip address add 198.18.0.9/32 dev lo
    setpriv --pdeathsig KILL -- turnserver -n --listening-ip 127.0.0.1 --relay-ip 198.18.0.9 --allow-loopback-peers \\
      --no-cli --no-tls --no-dtls --userdb turndb --pidfile turnserver.pid --log-file turnserver.log --simple-log \\
      --realm r.example --lt-cred-mech --user "$TURN_USERNAME:$TURN_CREDENTIAL" >turnserver.out 2>&1 &
    server=$!
    trap 'kill -KILL $server' EXIT
    until "$runbook" probe stun turn:127.0.0.1:3478 -p requests=1 >/dev/null; do kill -0 $server; done
    nft "$rules"

    """

  private func probe(_ arguments: String, under rules: String) async throws -> JSON {
    let project = try CommandLineProject()
    var command = project.command([])
    let shell = TestNetwork.shell(
      Self.preamble + "\"$runbook\" probe \(arguments) --format json", [command.executable, rules])
    (command.executable, command.arguments) = (shell.executable, shell.arguments)
    command.environment = ["TURN_USERNAME": "alice", "TURN_CREDENTIAL": "correct-horse"]
    let output = project.output(of: try await command.run())
    try #require(output.status == 0, "\(output.stdout)\(output.stderr)")
    return try output.json
  }

  /// Passes on what comes to the other address, under the name of loopback.
  private static let forwarding = """
    table ip forwarding {
      chain departures {
        type nat hook output priority -100; ip daddr 198.18.0.9 udp dport 3478 dnat to 127.0.0.1:3478;
      }
      chain late { type nat hook postrouting priority srcnat; ip daddr 127.0.0.1 udp dport 3478 snat to 127.0.0.1; }
    }
    """

  @Test(
    "Our address as 127.0.0.1 at a server elsewhere is a forwarder's on its host, for STUN and TURN",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"),
    arguments: ["stun stun:198.18.0.9", "turn.allocate turn:198.18.0.9"])
  func forwarded(arguments: String) async throws {
    let found = try await probe(arguments, under: Self.forwarding)
    #expect(found["output"]?["reflexiveAddress"] == "127.0.0.1")
    #expect(found["error"]?["code"] == "stun.clientAddressHidden", "\(found)")
  }

  /// Sends every other packet under another source address, as a balancer without affinity does.
  private static let balancing = """
    table ip balancing {
      chain departures {
        type filter hook output priority raw
        udp dport 3478 notrack ip saddr set numgen inc mod 2 map { 0 : 127.0.0.2, 1 : 127.0.0.3 }
      }
      chain arrivals { type filter hook prerouting priority raw; udp sport 3478 notrack ip daddr set 127.0.0.1; }
    }
    """

  @Test(
    "A balancer that changes the source from packet to packet is named",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func balanced() async throws {
    let found = try await probe("stun stun:127.0.0.1", under: Self.balancing)
    #expect(found["output"]?["stable"] == false)
    #expect(found["error"]?["code"] == "stun.reflexiveAddressUnstable", "\(found)")
    #expect(found["error"]?["message"]?.string?.contains("127.0.0.2") == true)
    #expect(found["error"]?["message"]?.string?.contains("127.0.0.3") == true)
    #expect(found["error"]?["advice"]?.string?.contains("load balancer") == true)
  }
}
