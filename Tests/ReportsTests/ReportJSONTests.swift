import Journal
import Schema
import Testing

@testable import Reports

@Suite struct ReportJSONTests {
  private func names(_ json: JSON?) -> [String] {
    guard case .object(let members) = json else { return [] }
    return members.map(\.name)
  }

  @Test("The report has the members of runbook.report/1, in their order")
  func shape() {
    let json = RunReport(SampleJournal.failing.run).json
    #expect(json["schema"] == "runbook.report/1")
    #expect(
      names(json) == [
        "schema", "run", "parent", "runbook", "target", "outcome", "startedAt", "finishedAt", "durationMs", "params",
        "steps", "journal", "number", "title", "severity", "host", "user", "tool", "error", "children", "warnings",
        "only", "processes", "hypothesis", "stillInPlace", "withoutUndo", "alert", "standing", "resumed",
        "incident",
      ])
    let step = json["steps"]?.array?[1]["steps"]?.array?[0]
    #expect(
      names(step) == [
        "id", "path", "title", "use", "effect", "outcome", "reason", "attempts", "startedAt", "durationMs", "output",
        "error", "expectations", "steps", "diagnostic", "stage", "question", "resolved",
      ])
    #expect(
      names(step?["expectations"]?.array?[0]) == ["that", "holds", "severity", "message", "actual", "error"])
  }

  @Test("Steps lie inside their checks, in the order of the run")
  func nesting() throws {
    let steps = try #require(RunReport(SampleJournal.failing.run).json["steps"]?.array)
    #expect(steps.compactMap { $0["id"]?.string } == ["stun", "turn", "realm", "disk", "load", "cleanup"])
    #expect(steps[1]["steps"]?.array?.map { $0["path"] } == ["turn/relay"])
    #expect(steps[1]["steps"]?.array?[0]["attempts"] == 2)
    #expect(steps[5]["outcome"] == "skipped")
    #expect(steps[5]["reason"] == "turn failed")
    #expect(steps[5]["startedAt"] == .null)
  }

  @Test("A step inside a check that is not recorded is not lost")
  func orphan() {
    var journal = SampleJournal()
    journal.start("lost/step", "Step", use: "m")
    #expect(RunReport(journal.run).steps.map(\.path) == ["lost/step"])
  }

  @Test("Values, verdicts and reasons are told as they are")
  func content() throws {
    let json = RunReport(SampleJournal.failing.run).json
    #expect(json["outcome"] == "fail")
    #expect(json["durationMs"] == 4871)
    #expect(json["params"]?["password"] == .string(Secret.mask))
    let relay = try #require(json["steps"]?.array?[1]["steps"]?.array?[0])
    #expect(relay["output"]?["rtt"]?["p95"] == "4.217338ms")
    #expect(relay["error"] == .null)
    #expect(json["steps"]?.array?[2]["error"]?["code"] == "turn.realmMismatch")
    #expect(relay["expectations"]?.array?.map { $0["holds"] } == [false, true])
    #expect(
      relay["expectations"]?.array?[0]["actual"]?.array?[0] == ["expression": "output.loss", "value": .double(12)])
    #expect(json["steps"]?.array?[0]["durationMs"] == .double(12.345))
  }

  @Test("A run without an end is indeterminate, and has no time of its end")
  func interrupted() {
    var journal = SampleJournal()
    journal.start("a", "A", use: "m")
    let json = RunReport(journal.run).json
    #expect(json["outcome"] == "indeterminate")
    #expect(json["finishedAt"] == .null && json["durationMs"] == .null)
    #expect(json["steps"]?.array?[0]["outcome"] == "indeterminate")
  }

  @Test("A step that a resumed run began once more is shown as it last was, where it first stood")
  func resumed() {
    var journal = SampleJournal()
    journal.start("a", "A", use: "m")
    journal.finish("a", .fail)
    journal.disk()
    journal.start("a", "A", use: "m")
    journal.finish("a", .pass)
    journal.end(.pass)
    #expect(RunReport(journal.run).steps.map { "\($0.id) \($0.outcome)" } == ["a pass", "disk pass"])
  }

  @Test("Text is not escaped twice: JSON holds it raw")
  func raw() {
    var journal = SampleJournal()
    journal.start("a", "\u{1B}[2J", use: "m")
    #expect(RunReport(journal.run).json["steps"]?.array?[0]["title"] == "\u{1B}[2J")
  }
}
