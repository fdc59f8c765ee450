import Foundation
import Processes
import Schema
import Testing

/// What `turn.ports` says of relay ports that cannot be reached, in a network without any way out.
@Suite(.serialized) struct RelayPortTests {
  /// Starts coturn with the arguments behind the first two, under the packet rules `$2`, and sends to its relay ports.
  private static let script = """
    runbook=$1 rules=$2
    shift 2
    ip link set lo up
    [ -z "$rules" ] || nft "$rules"
    setpriv --pdeathsig KILL -- turnserver -n --listening-ip 127.0.0.1 --relay-ip 127.0.0.1 --allow-loopback-peers \\
      --no-cli --no-tls --no-dtls --userdb turndb --pidfile turnserver.pid --log-file turnserver.log --simple-log \\
      --realm r.example --lt-cred-mech --user "$TURN_USERNAME:$TURN_CREDENTIAL" "$@" >turnserver.out 2>&1 &
    server=$!
    trap 'kill -KILL $server' EXIT
    until "$runbook" probe stun turn:127.0.0.1:3478 -p requests=1 >/dev/null; do kill -0 $server; done
    "$runbook" probe turn.ports turn:127.0.0.1:3478 -p allocations=1 --format json || test $? = 1
    """

  private static let firewall = """
    table inet firewall { chain arrivals { type filter hook input priority filter; udp dport 22000-22100 drop; }; }
    """

  private func ports(rules: String = "", _ arguments: String...) async throws -> JSON {
    let project = try CommandLineProject()
    var command = project.command([])
    let shell = NetworkNamespace.shell(Self.script, [command.executable, rules] + arguments)
    (command.executable, command.arguments) = (shell.executable, shell.arguments)
    command.environment = ["TURN_USERNAME": "alice", "TURN_CREDENTIAL": "correct-horse"]
    let output = project.output(of: try await command.run())
    try #require(output.status == 0, "\(output.stdout)\(output.stderr)")
    return try output.json
  }

  @Test(
    "An address that is not where the server is reached is the first thing to look at, before a firewall",
    .enabled(if: NetworkNamespace.isPermitted, "no network namespace may be made here"))
  func misplaced() async throws {
    let found = try await ports("--external-ip", "203.0.113.9/127.0.0.1")
    let relayed = try #require(found["output"]?["unreachable"]?.array?.first?.string)
    #expect(relayed.hasPrefix("203.0.113.9:"))
    #expect(found["error"]?["code"] == "turn.portsUnreachable")
    #expect(found["error"]?["message"]?.string?.hasSuffix("cannot be reached from here: \(relayed).") == true)
    let advice = try #require(found["error"]?["advice"]?.string)
    #expect(advice.hasPrefix("203.0.113.9 is a documentation address"))
    #expect(advice.contains("external-ip") && advice.contains("turn.externalAddress"))
    #expect(!advice.contains("firewall"))
  }

  @Test(
    "Behind a firewall, an address that is the server's is not suspected",
    .enabled(if: NetworkNamespace.isPermitted, "no network namespace may be made here"))
  func firewalled() async throws {
    let found = try await ports(rules: Self.firewall, "--min-port", "22000", "--max-port", "22100")
    let relayed = try #require(found["output"]?["unreachable"]?.array?.first?.string)
    #expect(relayed.hasPrefix("127.0.0.1:"))
    #expect(found["error"]?["code"] == "turn.portsUnreachable")
    let advice = try #require(found["error"]?["advice"]?.string)
    #expect(advice.contains("firewall"))
    #expect(!advice.contains("external"))
  }
}
