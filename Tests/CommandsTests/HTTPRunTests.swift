import Foundation
import Processes
import Schema
import TestSupport
import Testing

/// What runs make of HTTP servers, and of names with several addresses.
@Suite struct HTTPRunTests {
  private static func health(_ metrics: String, status: String = "healthy") -> String {
    """
    {"status": "\(status)", "message": "Coturn service is operating normally", "timestamp": "2024-01-15T10:30:00Z",
     "metrics": {\(metrics)}}
    """
  }

  private static let goodMetrics = """
    "isHealthy": true, "responseTime": 45, "activeSessions": 12, "totalBandwidth": 1048576, "authSuccessRate": 98.5,
    "authFailureCount": 2, "uptime": 86400, "version": "4.6.2"
    """

  @Test(
    "The check http-health judges a health endpoint by status and thresholds; what is missing fails it",
    arguments: [
      (health(goodMetrics), "pass"), (health(goodMetrics, status: "degraded"), "fail"),
      (health(goodMetrics.replacing("98.5", with: "94")), "warn"),
      (health(goodMetrics.replacing("98.5", with: "89.9")), "fail"),
      (health(goodMetrics.replacing(": 45", with: ": 20001")), "warn"),
      (health(goodMetrics.replacing(": 45", with: ": 30001")), "fail"),
      (health(goodMetrics.replacing("true", with: "false")), "fail"), (health(#""isHealthy": true"#), "fail"),
      (#"{"status": "healthy"}"#, "fail"), ("[]", "error"), ("null", "fail"), ("healthy", "fail"), ("", "fail"),
    ])
  func healthCheck(body: String, outcome: String) async throws {
    let server = try ScriptedServer { $0.send(httpResponse("200 OK", ["Content-Type: application/json"], body: body)) }
    let project = try CommandLineProject()
    let output = try await project.runbook(
      "run", "checks/http-health", "-p", "url=\(server.url)/api/webrtc/coturn/health", "-p", "slow=20s", "-p",
      "tooSlow=30s", "--format", "json")
    #expect(output.status == ["pass": 0, "warn": 0, "fail": 1, "error": 3][outcome], "\(output.stdout)")
    #expect(try output.json.step("httpHealth/health")?["outcome"] == .string(outcome), "\(output.stdout)")
  }

  private func runbook(_ module: String, _ input: String) -> String {
    """
    runbook: example
    title: Example
    allow: [observe]
    steps:
      - id: step
        use: \(module)
        timeout: 5s
        with: {\(input)}
    """
  }

  @Test("A proxy of the environment is used only if the step asks for it, and it does not get what is for others")
  func proxy() async throws {
    let proxy = try ScriptedServer { $0.send(httpResponse(body: "by proxy")) }
    let server = try ScriptedServer { $0.send(httpResponse(body: "direct")) }
    let project = try CommandLineProject(isEmpty: true)
    try project.write("runbook.yaml", "project: test\n")
    for (asks, body) in [(false, "direct"), (true, "by proxy")] {
      try project.write(
        "runbooks/example.yaml", runbook("http.request", "url: \"\(server.url)/\", environmentProxy: \(asks)"))
      let output = try await project.runbook(
        "run", "example", "--format", "json",
        environment: ["http_proxy": proxy.url, "HTTP_PROXY": "http://127.0.0.1:1", "all_proxy": "http://127.0.0.1:1"])
      #expect(try output.json.step("step")?["output"]?["body"] == .string(body), "\(output.stdout)\(output.stderr)")
    }
    #expect(proxy.requests.count == 1)
  }

  /// `dual.test` is 2001:db8:9::8, if nobody listens, and 127.0.0.1; `silent.test` is 2001:db8:9::9, which swallows everything,
  /// and 127.0.0.1; `noroute.test` is 2001:db8:ffff::1, where no way leads to, and 127.0.0.1.
  private static let script = """
    runbook=$1
    shift
    ip link set lo up
    ip address add 192.0.2.1/32 dev lo
    for address in 2001:db8:9::8 2001:db8:9::9; do ip -6 address add $address/128 dev lo nodad; done
    nft 'table inet dead { chain arrivals { type filter hook input priority filter; ip6 daddr 2001:db8:9::9 drop; }; }'
    printf '%s\\n' '2001:db8:9::9 silent.test' '127.0.0.1 silent.test' '2001:db8:9::8 dual.test' '127.0.0.1 dual.test' \\
      '2001:db8:ffff::1 noroute.test' '127.0.0.1 noroute.test' >hosts
    mount --bind hosts /etc/hosts
    mkdir www && echo here >www/index.html
    setpriv --pdeathsig KILL -- python3 -m http.server 8080 --bind 127.0.0.1 --directory www >/dev/null 2>&1 &
    server=$!
    trap 'kill -KILL $server' EXIT
    until python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8080))' 2>/dev/null; do kill -0 $server; done
    "$runbook" run example --format json
    """

  private func step(_ module: String, _ input: String) async throws -> JSON {
    let project = try CommandLineProject(isEmpty: true)
    try project.write("runbook.yaml", "project: test\n")
    try project.write("runbooks/example.yaml", runbook(module, input))
    var command = project.command([])
    let shell = TestNetwork.shell(Self.script, [command.executable], isMounting: true)
    (command.executable, command.arguments) = (shell.executable, shell.arguments)
    let output = project.output(of: try await command.run())
    try #require(output.status == 0, "\(output.stdout)\(output.stderr)")
    return try #require(try output.json.step("step"))
  }

  @Test(
    "http.request goes on to the next address, and tells each try", .enabled(if: TestNetwork.isPermitted),
    arguments: [("dual.test", "refused"), ("silent.test", "passedOver"), ("noroute.test", "unreachable")])
  func nextAddress(name: String, answer: String) async throws {
    let step = try await step("http.request", "url: \"http://\(name):8080/\"")
    #expect(step["outcome"] == "pass")
    let tries = step["output"]?["hops"]?.array?.first?["tries"]?.array ?? []
    // The system puts an address that no way leads to behind the others.
    let expected = name == "noroute.test" ? ["connected"] : [answer, "connected"]
    #expect(tries.compactMap { $0["answer"]?.string } == expected, "\(tries)")
    #expect(tries.last?["address"] == "127.0.0.1:8080")
  }

  @Test(
    "tcp.connect warns of an address that fails, not of one that no way leads to",
    .enabled(if: TestNetwork.isPermitted),
    arguments: [("dual.test", "tcp.someFailed"), ("silent.test", "tcp.someFailed"), ("noroute.test", nil)])
  func eachAddress(name: String, code: String?) async throws {
    let step = try await step("tcp.connect", "host: \(name), port: 8080")
    #expect(step["outcome"] == (code == nil ? "pass" : "warn"), "\(step)")
    #expect(step["output"]?["addresses"]?.array?.count == 2)
    #expect(step["output"]?["connected"]?.array == ["127.0.0.1:8080"])
  }
}
