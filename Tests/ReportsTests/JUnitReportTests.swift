import Journal
import Schema
import Testing

@testable import Reports

@Suite struct JUnitReportTests {
  /// What python3-junitparser makes of a report; it counts the cases once more, too.
  private func read(_ report: RunReport) async throws -> [JSON] {
    let script = """
      xmllint --noout "$1" && /usr/bin/python3 - "$1" <<'EOF'
      import json, sys, junitparser
      suites = junitparser.JUnitXml.fromfile(sys.argv[1])
      def result(case):
          return [[type(r).__name__, r.message, r.text] for r in case.result]
      def told(s):
          counts = [s.tests, s.failures, s.errors, s.skipped]
          s.update_statistics()
          return {"name": s.name, "counts": counts, "counted": [s.tests, s.failures, s.errors, s.skipped],
                  "hostname": s.hostname, "timestamp": s.timestamp,
                  "cases": [{"name": c.name, "class": c.classname, "time": c.time, "result": result(c),
                             "out": c.system_out} for c in s]}
      print(json.dumps([told(s) for s in suites]))
      EOF
      """
    let read = try await ForeignReader(report.junit).run(script)
    try #require(read.status == 0, "\(read.stderr)")
    return try #require(try JSON(parsing: read.stdout).array)
  }

  @Test("Failures say what was expected and what it came to; warnings pass and are told; the rest is skipped")
  func content() async throws {
    let suite = try #require(try await read(.failing).first)
    #expect(suite["name"] == "daily-health on lab")
    #expect(suite["counts"] == [6, 1, 0, 1])
    #expect(suite["hostname"] == "turn-1" && suite["timestamp"] == "2026-11-21T08:00:00")
    let cases = try #require(suite["cases"]?.array)
    let relay = cases[1]
    #expect(relay["name"] == "turn/relay: Packets come back through two allocations")
    #expect(relay["class"] == "daily-health on lab" && relay["time"] == .double(3.104))
    #expect(
      relay["result"] == [
        [
          "Failure", "expected: output.loss <= inputs.maxLoss",
          "expected: output.loss <= inputs.maxLoss\nactual: output.loss = 12%, inputs.maxLoss = 1%",
        ]
      ])
    #expect(cases[2]["result"] == [])
    #expect(cases[2]["out"]?.string?.hasPrefix("warning\nfound: turn:turn.example.net accepts") == true)
    #expect(cases[5]["result"]?.array?.first?.array?.prefix(2) == ["Skipped", "turn failed"])
  }

  @Test(
    "Readers count what is written, and a run that does not pass has a case that does not",
    arguments: RunReport.samples.map(\.name))
  func counts(name: String) async throws {
    let report = try #require(RunReport.samples.first { $0.name == name }).report
    let suites = try await read(report)
    for suite in suites { #expect(suite["counts"] == suite["counted"], "\(suite.text())") }
    let bad = suites.compactMap { $0["counts"]?.array }.reduce(0) { $0 + ($1[1].int ?? 0) + ($1[2].int ?? 0) }
    #expect((bad > 0) == !(report.verdict.isGood || report.verdict == .skipped))
  }

  @Test("Of a run that died, the steps that it never came to are skipped, and the run itself is an error")
  func died() async throws {
    let suite = try #require(try await read(.died).first)
    #expect(suite["counts"] == [4, 0, 2, 1])
    let results: [JSON] = (suite["cases"]?.array ?? []).map { entry in
      .array(Array(entry["result"]?.array?.first?.array?.prefix(2) ?? []))
    }
    #expect(
      results == [
        [], ["Error", "found: no end of it is recorded"], ["Skipped", "the run died before it began"],
        ["Error", "found: the run died: its journal has no end, and nobody writes to it"],
      ])
  }

  @Test("A run over several targets has a suite for each")
  func targets() async throws {
    let suites = try await read(.fleet)
    #expect(suites.map { $0["name"]?.string } == (1...3).map { "daily-health on eu-\($0)" })
    #expect(suites.map { $0["counts"] } == [[6, 1, 0, 1], [4, 0, 0, 0], [1, 0, 0, 1]])
  }
}
