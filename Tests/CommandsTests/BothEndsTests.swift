import Foundation
import Processes
import Schema
import Testing

/// What both ends of a call say of a firewall, in a network without any way out.
@Suite(.serialized) struct BothEndsTests {
  /// Starts coturn, sets the packet rules `$2` once it answers, and runs the runbook.
  private static let script = """
    runbook=$1 rules=$2
    ip link set lo up
    # Our own ports are none of the server's.
    echo 30000 40000 >/proc/sys/net/ipv4/ip_local_port_range
    setpriv --pdeathsig KILL -- turnserver -n --listening-ip 127.0.0.1 --relay-ip 127.0.0.1 --allow-loopback-peers \\
      --no-cli --no-tls --no-dtls --userdb turndb --pidfile turnserver.pid --log-file turnserver.log --simple-log --verbose \\
      --realm r.example --lt-cred-mech --user "$TURN_USERNAME:$TURN_CREDENTIAL" --min-port 22000 --max-port 22100 \\
      >turnserver.out 2>&1 &
    server=$!
    trap 'kill -KILL $server' EXIT
    until "$runbook" probe stun turn:127.0.0.1:3478 -p requests=1 >/dev/null; do kill -0 $server; done
    nft "table inet firewall { chain arrivals { type filter hook input priority filter; $rules }; }"
    "$runbook" run both-ends --format json || test $? = 1
    """

  private func call(rules: String) async throws -> JSON {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/both-ends.yaml",
      """
      runbook: both-ends
      title: Both ends of one call
      allow: [observe]
      steps:
        - id: call
          title: Packets come back
          use: turn.relay
          timeout: 5s
          with:
            server: ${target}
            packets: 20
            correlate: {log: \(project.root)/turnserver.log, tie: origin}

      """)
    var command = project.command([])
    let shell = TestNetwork.shell(Self.script, [command.executable, rules])
    (command.executable, command.arguments) = (shell.executable, shell.arguments)
    command.environment = [
      "TURN_USERNAME": "alice", "TURN_CREDENTIAL": "correct-horse", "TURN_SERVER": "turn:127.0.0.1:3478",
    ]
    let output = project.output(of: try await command.run())
    try #require(output.status == 0, "\(output.stdout)\(output.stderr)")
    return try output.json
  }

  @Test(
    "A firewall is told by where packets go missing: before the server, behind it, or between its relay ports",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"),
    arguments: [
      ("udp dport 3478 drop;", "requestsLost", "do not reach this server"),
      ("udp sport 3478 drop;", "answersLost", "the way back is closed"),
      ("udp sport 22000-22100 udp dport 22000-22100 drop;", "relayPorts", "between the server's own relay ports"),
    ])
  func firewalls(_ rules: String, _ cause: String, _ words: String) async throws {
    let text = try await call(rules: rules).text()
    #expect(text.contains("\"cause\":\"\(cause)\""), "\(text)")
    #expect(text.contains(words), "\(text)")
  }

  @Test(
    "Packets that are lost now and then are counted where they are lost",
    .enabled(if: TestNetwork.isPermitted, "no network namespace may be made here"))
  func loss() async throws {
    // Channel data from a client to the server; its relay ports have others.
    let text = try await call(rules: "udp dport 3478 @th,64,16 0x4000-0x4fff numgen inc mod 4 0 drop;").text()
    #expect(text.contains("\"cause\":\"clientPath\""), "\(text)")
    #expect(text.contains("to the server"), "\(text)")
  }
}
