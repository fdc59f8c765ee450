import Foundation
import Journal
import Lab
import Probe
import Schema
import Steps
import Synchronization
import TestSupport
import Testing

@testable import Modules

/// Where the server's side of a call comes from besides its own log file: the journal, a container's log, its exporter.
@Suite("Both ends of a call, from journal, container and exporter", .serialized)
struct CorrelationSourceTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func call(
    _ coturn: Coturn, password: String = Coturn.credential, deadline: Duration = .seconds(20),
    exporter: ScriptedServer? = nil, _ correlate: Value.Member...
  ) async throws -> StepResult<Value> {
    defer { withExtendedLifetime(exporter) {} }
    let metrics = exporter.map { Value.Member("metrics", .string("\($0.url)/metrics")) }
    let server = TURNServer(
      name: "lab", uri: "turn:127.0.0.1:\(coturn.port)", host: "127.0.0.1", username: Coturn.username,
      credential: Secret(password))
    return try await run(
      "turn.relay",
      [
        .init("server", TURNServer.record.encode(server)), .init("packets", .int(5)),
        .init("correlate", .members(correlate + [metrics].compactMap(\.self))),
      ], deadline: deadline)
  }

  private let tie = Value.Member("tie", .string("origin"))

  /// Copies what a server logs into something else, line by line, for as long as the result is kept.
  ///
  /// - Parameters:
  ///   - perl: prints what becomes of the line in `$_`.
  ///   - ready: fails until something has arrived.
  private func copying(_ coturn: Coturn, _ perl: String, into target: String, ready: String) throws -> LiveProcess {
    try LiveProcess.shell(
      """
      tail --pid=$$ -n +1 -f '\(coturn.logFile)' 2>/dev/null | perl -ne 'BEGIN { $| = 1 } chomp; \(perl)' | \(target) &
      until \(ready); do sleep 0.05; done
      echo ready
      wait
      """)
  }

  private func journal(_ coturn: Coturn) throws -> (copying: LiveProcess, source: Value.Member) {
    let path = "\(folder.path)/live.journal"
    let copying = try copying(
      coturn,
      #"printf "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=6c4d3c1ce1ec4a6a8f6c6a1d3a5b7c9d\n"#
        + #"_SYSTEMD_UNIT=coturn.service\nSYSLOG_IDENTIFIER=turnserver\nPRIORITY=6\nMESSAGE=%s\n\n", "#
        + #"time() * 1000000 + $., $., $_;"#,
      into: "/lib/systemd/systemd-journal-remote -o '\(path)' - 2>/dev/null",
      ready: "journalctl --file='\(path)' --lines=1 --quiet 2>/dev/null | grep -q .")
    return (
      copying, .init("journal", .members([.init("units", text("coturn.service")), .init("file", .string(path))]))
    )
  }

  /// An exporter as the facts have it, which Debian's coturn lacks: it counts what the server itself logged of sessions that it
  /// deleted, and nothing before the first of them.
  private func exporter(_ coturn: Coturn) throws -> ScriptedServer {
    try ScriptedServer { connection in
      var totals: [String: Int] = [:]
      let lines = coturn.log.split(separator: "\n")
      func session(_ line: Substring) -> Substring? { line.firstMatch(of: #/session ([0-9]+): /#)?.1 }
      let deleted = Set(lines.filter { $0.contains(": delete: ") }.compactMap(session))
      for line in lines where line.contains("usage: ") {
        guard let id = session(line), deleted.contains(id) else { continue }
        let prefix = line.contains("peer usage: ") ? "turn_total_traffic_peer" : "turn_total_traffic"
        for match in line.matches(of: /(rp|rb|sp|sb)=([0-9]+)/) {
          let name = ["rp": "rcvp", "rb": "rcvb", "sp": "sentp", "sb": "sentb"][match.1] ?? ""
          totals["\(prefix)_\(name)", default: 0] += Int(match.2) ?? 0
        }
      }
      let counters = totals.map { "# TYPE \($0.key) counter\n\($0.key) \($0.value)\n" }.joined()
      connection.send(
        httpResponse(
          body: "# TYPE turn_total_allocations gauge\nturn_total_allocations{type=\"UDP\"} 0\n" + counters))
    }
  }

  /// An exporter whose answers come in turn; the last one stays. nil never answers.
  private func exporter(answers: [String?]) throws -> ScriptedServer {
    let turn = Mutex(0)
    return try ScriptedServer { connection in
      let number = turn.withLock { turn in
        defer { turn += 1 }
        return turn
      }
      guard let body = answers[min(number, answers.count - 1)] else { return connection.waitUntilClosed() }
      connection.send(httpResponse(body: body))
    }
  }

  @Test("The unit's journal and the exporter agree with a call that went well")
  func journalAndExporter() async throws {
    let coturn = try await Coturn.start()
    let (copying, source) = try journal(coturn)
    let exporter = try exporter(coturn)
    let result = try await call(
      coturn, exporter: exporter, source, tie, .init("wait", .duration(.seconds(10))))
    #expect(result.objection == nil, "\(String(describing: result.objection))")
    let side = try #require(result.output["serverSide"])
    guard case .list(let sessions)? = side["sessions"] else { throw NothingThrown() }
    #expect(sessions.map { $0["role"] } == [.string("sender"), .string("echo")])
    #expect(sessions.allSatisfy { $0["packetsToPeer"] == .int(5) && $0["closed"] != .null })
    #expect(side["whole"] == .bool(true) && side["cause"] == .null)
    let counted = try #require(side["metrics"])
    #expect(counted["agreement"] == .string("agrees"))
    #expect(counted["carriedPackets"] == .int(10) && counted["carriedBytes"] == .int(1600))
    #expect(counted["peers"]?["receivedPackets"] == .int(10) && counted["peers"]?["sentBytes"] == .int(1600))
    #expect(counted["allocationsAfter"] == .int(0))
    // Beginning with a cursor, the next call does not see the records of the one before.
    let wrong = try await stepError {
      _ = try await self.call(coturn, password: "hush-hush-hush", source, tie, .init("wait", .duration(.seconds(10))))
    }
    #expect(wrong.finding.message.contains("in the journal of coturn.service: the user \"alice\" is known"))
    withExtendedLifetime(copying) {}
  }

  @Test("A container's log is read as its runtime writes it")
  func container() async throws {
    let coturn = try await Coturn.start()
    let path = "\(folder.path)/container-json.log"
    let copying = try copying(
      coturn,
      #"s/([\\"])/\\$1/g; s/</\\u003c/g; s/>/\\u003e/g; print "{\"log\":\"$_\\n\",\"stream\":\"stdout\",\"time\":"#
        + #"\"2026-08-05T10:00:00.123456789Z\"}\n";"#,
      into: "cat >'\(path)'", ready: "test -s '\(path)'")
    let result = try await call(
      coturn, .init("log", .string(path)), tie, .init("wait", .duration(.seconds(10))))
    #expect(result.objection == nil, "\(String(describing: result.objection))")
    guard case .list(let sessions)? = result.output["serverSide"]?["sessions"] else { throw NothingThrown() }
    #expect(sessions.map { $0["closed"] } == [.string("allocation timeout"), .string("allocation timeout")])
    withExtendedLifetime(copying) {}
  }

  @Test("An exporter alone agrees, or is another server's, or counts nothing, and only the first is a pass")
  func exporterAlone() async throws {
    let coturn = try await Coturn.start()
    let own = try await call(coturn, exporter: try exporter(coturn), .init("wait", .duration(.seconds(10))))
    #expect(own.objection == nil, "\(String(describing: own.objection))")
    #expect(own.output["serverSide"]?["metrics"]?["agreement"] == .string("agrees"))
    #expect(own.output["serverSide"]?["verbose"] == .null)
    #expect(!coturn.log.contains(".runbook.invalid"))
    let soon = Value.Member("wait", .duration(.milliseconds(10)))
    let figures = ["turn_total_traffic", "turn_total_traffic_peer"].flatMap { prefix in
      ["rcvp", "rcvb", "sentp", "sentb"].map { "\(prefix)_\($0) 700\n" }
    }.joined()
    let others: [(answers: [String?], code: String, agreement: String, words: String)] = [
      ([figures], "turn.callNotCounted", "fewer", "turn_total_traffic_rcvp of"),
      (["stun_binding_request 4\n"], "turn.callNotCounted", "unknown", "has no figure of what the server carried"),
      ([figures, figures.replacing(" 700", with: " 3")], "coturn.restarted", "unknown", "was started anew"),
      (
        [figures, figures.replacing(" 700", with: " -7")], "coturn.metricsContradict", "unknown", "cannot produce"
      ),
      ([figures, "<html>\n"], "coturn.noMetrics", "unknown", "was there before the call, and failed behind it"),
    ]
    for other in others {
      let result = try await call(coturn, exporter: try exporter(answers: other.answers), soon)
      let objection = try #require(result.objection, "\(other.code)")
      #expect(objection.severity == .warn && objection.finding.code == other.code, "\(objection)")
      #expect(objection.finding.message.contains(other.words), "\(objection.finding.message)")
      #expect(result.output["serverSide"]?["metrics"]?["agreement"] == .string(other.agreement), "\(other)")
      #expect(result.output["lost"] == .int(0))
    }
  }

  @Test("An exporter that hangs is an error before the call, which is then not made, and a warning behind it")
  func hanging() async throws {
    let coturn = try await Coturn.start()
    let before = try exporter(answers: [nil])
    let error = try await stepError { _ = try await self.call(coturn, deadline: .seconds(2), exporter: before) }
    #expect(error.kind == .notStarted && error.finding.code == "coturn.metricsUnreachable", "\(error)")
    #expect(!coturn.log.contains("ALLOCATE"))
    let behind = try exporter(answers: ["stun_binding_request 4\n", nil])
    let result = try await call(coturn, deadline: .seconds(3), exporter: behind)
    #expect(result.objection?.severity == .warn)
    #expect(result.objection?.finding.code == "coturn.metricsUnreachable")
    #expect(result.output["serverSide"]?["metrics"]?["agreement"] == .string("unknown"))
    let foreign = try await stepError {
      _ = try await self.call(coturn, exporter: try self.exporter(answers: ["up 1\n"]))
    }
    #expect(foreign.kind == .notStarted && foreign.finding.code == "coturn.noMetrics")
  }

  @Test("A journal that holds nothing of the unit is an error before the call")
  func otherUnit() async throws {
    let coturn = try await Coturn.start()
    let (copying, source) = try journal(coturn)
    guard case .members(let members) = source.value, let file = members.first(where: { $0.name == "file" }) else {
      throw NothingThrown()
    }
    let other = Value.Member("journal", .members([.init("units", text("nosuch.service")), file]))
    let error = try await stepError { _ = try await self.call(coturn, other, self.tie) }
    #expect(error.finding.code == "log.nothingInJournal")
    #expect(!coturn.log.contains("ALLOCATE"))
    withExtendedLifetime(copying) {}
  }

  @Test("What cannot be correlated is known before the run")
  func objections() {
    let journal = LogJournal(units: ["coturn.service"], directory: nil, file: nil)
    let objections: [(Correlation, String)] = [
      (Correlation(tie: .origin, wait: .zero), "turn.nothingToCorrelate"),
      (Correlation(log: "/x", journal: journal, tie: .origin, wait: .zero), "turn.logGivenTwice"),
      (Correlation(journal: journal, wait: .zero), "turn.tieMissing"),
      (Correlation(journal: journal, tie: .userName, wait: .zero), "turn.noSecretToTie"),
    ]
    for (correlation, code) in objections { #expect(correlation.objection(hasSecret: false)?.code == code) }
    #expect(Correlation(wait: .zero, metrics: "http://127.0.0.1:1").objection(hasSecret: false) == nil)
  }
}
