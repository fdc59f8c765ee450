import Foundation
import Processes
import Schema
import Testing

/// Probes of a name whose first address does not answer, in a network and with a hosts file of the tests' own.
@Suite(.serialized) struct PassedOverAddressTests {
  /// Starts coturn on 127.0.0.1, and runs `runbook probe` with the arguments behind the first. `silent.test` is
  /// 2001:db8:9::9, which swallows everything, and 127.0.0.1; `refusing.test` is 2001:db8:9::8, if nobody listens, and
  /// 127.0.0.1; `dead.test` is the first two.
  private static let script = """
    runbook=$1
    shift
    ip link set lo up
    # Without an address besides 127.0.0.1, the system resolves no name to IPv4 (AI_ADDRCONFIG).
    ip address add 192.0.2.1/32 dev lo
    for address in 2001:db8:9::8 2001:db8:9::9; do ip -6 address add $address/128 dev lo nodad; done
    nft 'table inet dead { chain arrivals { type filter hook input priority filter; ip6 daddr 2001:db8:9::9 drop; }; }'
    printf '%s\\n' '2001:db8:9::9 silent.test' '127.0.0.1 silent.test' '2001:db8:9::8 refusing.test' \\
      '127.0.0.1 refusing.test' '2001:db8:9::8 dead.test' '2001:db8:9::9 dead.test' >hosts
    mount --bind hosts /etc/hosts
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 5 -subj /CN=test \\
      -addext subjectAltName=DNS:silent.test,DNS:refusing.test 2>/dev/null
    setpriv --pdeathsig KILL -- turnserver -n --listening-ip 127.0.0.1 --relay-ip 127.0.0.1 --allow-loopback-peers \\
      --no-cli --cert cert.pem --pkey key.pem --userdb turndb --pidfile turnserver.pid --log-file turnserver.log \\
      --simple-log --realm r.example --lt-cred-mech --user "$TURN_USERNAME:$TURN_CREDENTIAL" >turnserver.out 2>&1 &
    server=$!
    trap 'kill -KILL $server' EXIT
    until "$runbook" probe stun turn:127.0.0.1:3478 -p requests=1 >/dev/null; do kill -0 $server; done
    "$runbook" probe "$@" --timeout 6s || test $? = 1
    """

  private func output(_ arguments: [String]) async throws -> CommandLineProject.Output {
    let project = try CommandLineProject(isEmpty: true)
    var command = project.command([])
    let shell = TestNetwork.shell(Self.script, [command.executable] + arguments, isMounting: true)
    (command.executable, command.arguments) = (shell.executable, shell.arguments)
    command.environment = ["TURN_USERNAME": "alice", "TURN_CREDENTIAL": "correct-horse", "TURN_CA": "cert.pem"]
    let output = project.output(of: try await command.run())
    try #require(output.status == 0, "\(output.stdout)\(output.stderr)")
    return output
  }

  private func seconds(_ value: JSON?) throws -> Double {
    let text = try #require(value?.string)
    guard case .duration(let duration)? = try? ValueType.duration.parse(text) else { throw NoDuration(text: text) }
    return duration / .seconds(1)
  }

  private struct NoDuration: Error {
    let text: String
  }

  private static let probes = [
    ["stun", "turn:silent.test:3478"], ["stun", "turn:silent.test:3478?transport=tcp"],
    ["stun.behaviour", "turn:silent.test:3478"], ["turn", "turn:silent.test:3478"],
    ["turn", "turns:silent.test:5349"], ["turn.allocate", "turn:silent.test:3478"],
    ["turn.amplification", "turn:silent.test:3478"], ["turn.capacity", "turn:silent.test:3478"],
    ["turn.credentials", "turn:silent.test:3478"], ["turn.ports", "turn:silent.test:3478"],
    ["turn.drain", "turn:silent.test:3478"],
    ["turn.externalAddress", "turn:silent.test:3478", "-p", "tolerated=relayedAddressIsSpecial"],
    ["tls", "turns:silent.test:5349", "-p", "ciphers=false"],
    ["tls", "turns:silent.test:5349?transport=udp", "-p", "ciphers=false"],
    ["turn", "turn:refusing.test:3478"], ["turn", "turn:refusing.test:3478?transport=tcp"],
    ["tls", "turns:refusing.test:5349", "-p", "ciphers=false"],
  ]

  @Test(
    "Every probe tells of the address that it passed over, why, and how long that took",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"), arguments: probes)
  func told(probe: [String]) async throws {
    let found = try await output(probe + ["--format", "json"]).json
    #expect(found["outcome"] != "fail" && found["outcome"] != "error", "\(found["error"] ?? .null)")
    let output = try #require(found["output"])
    let passedOver = try #require(output["passedOver"]?.array)
    #expect(passedOver.count == 1)
    let isRefused = probe[1].contains("refusing")
    let isSecure = probe[1].hasPrefix("turns")
    #expect(passedOver.first?["address"]?.string == "[2001:db8:9::\(isRefused ? 8 : 9)]:\(isSecure ? 5349 : 3478)")
    let reason = try #require(passedOver.first?["reason"]?.string)
    let reasons =
      isRefused
      ? ["icmp.portUnreachable", "tcp.connectionRefused"]
      : ["stun.timeout", "turn.timeout", "tcp.connectTimedOut", "tls.timeout"]
    #expect(reasons.contains(reason))
    let elapsed = try seconds(passedOver.first?["elapsed"])
    // Half of the time is the first address's share, when it has two.
    if !isRefused { #expect((2..<6).contains(elapsed)) }
    // The time counts where the reference says so.
    if let setUp = output["setUp"] { #expect(try seconds(setUp) >= elapsed) }
    if probe[0] == "turn.allocate" { #expect(try seconds(output["elapsed"]) >= elapsed) }
    if !isRefused, output["rtt"] != nil { #expect(try seconds(output["rtt"]?["max"]) < elapsed) }
  }

  @Test(
    "A probe's text names the address that was passed over; a failure does, too",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func text() async throws {
    let good = try await output(["stun", "turn:refusing.test:3478"]).stdout
    #expect(good.contains("  [2001:db8:9::8]:3478  icmp.portUnreachable  "), "\(good)")
    let bad = try await output(["turn", "turn:dead.test:3478?transport=tcp"]).stdout
    #expect(bad.contains(#/passedOver +\[2001:db8:9::[89]\]:3478\n/#), "\(bad)")
  }
}
