import Foundation
import Journal
import Schema
import Steps
import Synchronization
import TestSupport
import Testing

@testable import Modules

@Suite("coturn.metrics", .serialized)
struct CoturnMetricsTests {
  /// An exporter whose answers come in turn; the last one stays.
  private func exporter(_ bodies: String..., status: String = "200 OK") throws -> ScriptedServer {
    let turn = Turn()
    return try ScriptedServer { connection in
      let body = bodies[min(turn.next(), bodies.count - 1)]
      connection.send(
        "HTTP/1.1 \(status)\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: \(body.utf8.count)\r\n")
      connection.send("Connection: close\r\n\r\n" + body)
    }
  }

  private final class Turn: Sendable {
    private let count = Mutex(0)
    func next() -> Int {
      count.withLock { count in
        defer { count += 1 }
        return count
      }
    }
  }

  private func look(
    _ server: ScriptedServer, _ members: Value.Member..., deadline: Duration = .seconds(20)
  ) async throws -> StepResult<Value> {
    try await run(
      "coturn.metrics", [.init("url", .string("http://127.0.0.1:\(server.port)/metrics"))] + members, deadline: deadline
    )
  }

  @Test("Figures are read by version; what was never counted is absent, and not 0")
  func figures() async throws {
    let server = try exporter(
      """
      # HELP turn_total_allocations Represents current allocations number
      # TYPE turn_total_allocations gauge
      turn_total_allocations{type="UDP"} 3
      turn_total_allocations{type="TLS/TCP"} 1
      # TYPE turn_traffic_rcvb counter
      turn_traffic_rcvb{realm="r.example"} 1000
      # TYPE turn_total_traffic_rcvb counter
      turn_total_traffic_rcvb 1000
      # TYPE turn_total_traffic_peer_rcvb counter
      # TYPE stun_binding_request counter
      stun_binding_request 12
      process_open_fds 7

      """)
    let result = try await look(server)
    #expect(result.objection == nil)
    #expect(server.requests.first?.hasPrefix("GET /metrics HTTP/") == true)
    #expect(result.output["version"] == .string("4.6.2"))
    #expect(result.output["allocations"] == .int(4))
    #expect(result.output["allocationsByTransport"]?["TLS/TCP"] == .int(1))
    #expect(result.output["clients"]?["receivedBytes"] == .int(1000))
    #expect(result.output["peers"]?["receivedBytes"] == .null)
    #expect(result.output["packetsDropped"] == .null && result.output["restarted"] == .null)
    #expect(result.output["bindingRequests"] == .int(12))
    #expect(result.output["foreignSeries"] == .int(1) && result.output["userLabels"] == .bool(false))
  }

  @Test("Two looks give rates, and tell a restart")
  func rates() async throws {
    let server = try exporter(
      "stun_binding_request 100\nturn_total_traffic_rcvb 7\n", "stun_binding_request 200\nturn_total_traffic_rcvb 7\n")
    let result = try await look(server, .init("interval", .duration(.milliseconds(200))))
    guard case .double(let rate)? = result.output["rates"]?["stun_binding_request"] else { throw NothingThrown() }
    #expect(rate > 0 && rate <= 500)
    #expect(result.output["rates"]?["turn_total_traffic_rcvb"] == .double(0))
    #expect(result.output["restarted"] == .bool(false) && result.objection == nil)
    let restarted = try exporter("stun_binding_request 100\n", "stun_binding_request 2\n")
    let found = try await look(restarted, .init("interval", .duration(.milliseconds(20))))
    #expect(found.objection?.severity == .warn && found.objection?.finding.code == "coturn.restarted")
    #expect(found.output["restarted"] == .bool(true))
  }

  @Test("An endpoint that lies is warned of; one that is not coturn's, refuses, or is cut off fails")
  func lies() async throws {
    let lying = try await look(try exporter("turn_total_traffic_rcvb -5\nstun_binding_request 1\n"))
    #expect(lying.objection?.severity == .warn && lying.objection?.finding.code == "coturn.metricsContradict")
    let answers: [(ScriptedServer, String)] = [
      (try exporter("ok"), "coturn.noMetrics"), (try exporter("up 1\n"), "coturn.noMetrics"),
      (try exporter("<html>\u{1B}[31m</html>\n"), "coturn.noMetrics"),
      (try exporter("not found", status: "404 Not Found"), "coturn.metricsRefused"),
      (try exporter("turn_total_traffic_rcvb 12\nturn_total_traffic_rc"), "coturn.metricsCutOff"),
      (
        try ScriptedServer { $0.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nturn_total_traffic_rcvb 1\n") },
        "coturn.metricsUnreachable"
      ),
      (try ScriptedServer { $0.send("SSH-2.0-OpenSSH\r\n") }, "coturn.metricsUnreachable"),
    ]
    for (server, code) in answers {
      let error = try await stepError { _ = try await look(server) }
      #expect(error.kind == .failed && error.finding.code == code)
    }
  }

  @Test("An endpoint that hangs ends with the step's time, and one that is not there at once")
  func hanging() async throws {
    let silent = try ScriptedServer { $0.waitUntilClosed() }
    let error = try await stepError { _ = try await look(silent, deadline: .seconds(1)) }
    #expect(error.finding.code == "coturn.metricsUnreachable")
    let nobody = try await stepError {
      _ = try await run("coturn.metrics", [.init("url", .string("http://127.0.0.1:1/metrics"))])
    }
    #expect(nobody.kind == .failed && nobody.finding.code == "coturn.metricsUnreachable")
  }

  @Test("A million series are read, and an endless answer is ended")
  func endless() async throws {
    let million = try ScriptedServer { connection in
      connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
      for block in 0..<1000 {
        let lines = (0..<1000).map { "turn_traffic_rcvp{realm=\"r\",user=\"u\(block * 1000 + $0)\"} 1\n" }
        guard connection.send(lines.joined()) else { return }
      }
    }
    let result = try await look(million, deadline: .seconds(240))
    #expect(result.output["series"] == .int(1_000_000) && result.output["userLabels"] == .bool(true))
    #expect(result.output["values"]?["turn_traffic_rcvp"] == .double(1_000_000))
    let endless = try ScriptedServer { connection in
      connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
      while connection.send(String(repeating: "x", count: 60_000)) {}
    }
    let error = try await stepError { _ = try await look(endless, deadline: .seconds(2)) }
    #expect(error.finding.code == "coturn.metricsUnreachable")
  }
}
