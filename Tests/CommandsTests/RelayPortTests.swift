import Foundation
import Processes
import Schema
import Testing

/// What `turn.ports` says of relay ports that cannot be reached, in a network without any way out.
@Suite(.serialized) struct RelayPortTests {
  /// Starts coturn with the arguments behind the first two, under the packet rules `$2`, and sends to its relay ports.
  private static let script = """
    runbook=$1 rules=$2 address=$3 probe=$4
    shift 4
    ip link set lo up
    [ $address = 127.0.0.1 ] || ip address add $address/32 dev lo
    # Our own ports are none of the server's.
    echo 30000 40000 >/proc/sys/net/ipv4/ip_local_port_range
    [ -z "$rules" ] || nft "$rules"
    setpriv --pdeathsig KILL -- turnserver -n --listening-ip $address --relay-ip $address --allow-loopback-peers \\
      --no-cli --no-tls --no-dtls --userdb turndb --pidfile turnserver.pid --log-file turnserver.log --simple-log \\
      --realm r.example --lt-cred-mech --user "$TURN_USERNAME:$TURN_CREDENTIAL" "$@" >turnserver.out 2>&1 &
    server=$!
    trap 'kill -KILL $server' EXIT
    until "$runbook" probe stun turn:$address:3478 -p requests=1 >/dev/null; do kill -0 $server; done
    "$runbook" probe $probe --format json || test $? = 1
    """

  private static let firewall = """
    table inet firewall { chain arrivals { type filter hook input priority filter; udp dport 22000-22100 drop; }; }
    """

  private func ports(
    rules: String = "", at address: String = "127.0.0.1", probing probe: String? = nil, _ arguments: String...
  ) async throws -> JSON {
    let project = try CommandLineProject()
    var command = project.command([])
    let shell = TestNetwork.shell(
      Self.script,
      [
        command.executable, rules, address, probe ?? "turn.ports turn:\(address):3478 -p allocations=1",
      ] + arguments)
    (command.executable, command.arguments) = (shell.executable, shell.arguments)
    command.environment = ["TURN_USERNAME": "alice", "TURN_CREDENTIAL": "correct-horse"]
    let output = project.output(of: try await command.run())
    try #require(output.status == 0, "\(output.stdout)\(output.stderr)")
    return try output.json
  }

  @Test(
    "An address that is not where the server is reached is the first thing to look at, before a firewall",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
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
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func firewalled() async throws {
    let found = try await ports(rules: Self.firewall, "--min-port", "22000", "--max-port", "22100")
    let relayed = try #require(found["output"]?["unreachable"]?.array?.first?.string)
    #expect(relayed.hasPrefix("127.0.0.1:"))
    #expect(found["error"]?["code"] == "turn.portsUnreachable")
    let advice = try #require(found["error"]?["advice"]?.string)
    #expect(advice.contains("firewall"))
    #expect(!advice.contains("external"))
  }

  @Test(
    "A public address that is none of the server's is the first thing to look at, before a firewall",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func foreign() async throws {
    let found = try await ports(at: "198.18.0.1", "--external-ip", "198.18.0.9/198.18.0.1")
    #expect(found["error"]?["code"] == "turn.portsUnreachable")
    let advice = try #require(found["error"]?["advice"]?.string)
    #expect(
      advice.hasPrefix("198.18.0.9 is none of the server's addresses (198.18.0.1): look at its external address first"))
    #expect(advice.contains("external-ip") && advice.contains("turn.externalAddress"))
  }

  @Test(
    "From inside of the server's network, a public address that cannot be reached may be right",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func inside() async throws {
    let found = try await ports(at: "10.0.0.1", "--external-ip", "198.18.0.9/10.0.0.1")
    #expect(found["error"]?["code"] == "turn.portsUnreachable")
    let advice = try #require(found["error"]?["advice"]?.string)
    #expect(advice.hasPrefix("The server was asked at 10.0.0.1 and relays from the public address 198.18.0.9"))
    #expect(advice.contains("try from outside first"))
  }

  /// What goes from one relay port to another is lost, as behind a NAT without hairpin.
  private static let noHairpin = """
    table inet nat {
      chain arrivals {
        type filter hook input priority filter; udp sport 22000-22100 udp dport 22000-22100 drop;
      }
    }
    """

  @Test(
    "Where relay ports are reached from here and not from each other, the missing hairpin is named",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func missingHairpin() async throws {
    let found = try await ports(
      rules: Self.noHairpin, probing: "turn.relay turn:127.0.0.1:3478 -p packets=3", "--min-port", "22000",
      "--max-port",
      "22100")
    #expect(found["error"]?["code"] == "turn.hairpinMissing", "\(found)")
    #expect(found["error"]?["advice"]?.string?.contains("hairpin") == true)
    let whole = try await ports(
      probing: "turn.relay turn:127.0.0.1:3478 -p packets=3", "--min-port", "22000", "--max-port", "22100")
    #expect(whole["outcome"] == "pass", "\(whole)")
  }

  @Test(
    "Where relay ports are reached from nowhere, no hairpin is missed",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func nothingReached() async throws {
    let found = try await ports(
      rules: Self.firewall, probing: "turn.relay turn:127.0.0.1:3478 -p packets=3", "--min-port", "22000", "--max-port",
      "22100")
    #expect(found["error"]?["code"] == "turn.nothingRelayed", "\(found)")
  }
}
