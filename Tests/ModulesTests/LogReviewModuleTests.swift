import Foundation
import Journal
import Processes
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

@Suite struct LogReviewModuleTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func rule(_ members: (String, Value)...) -> Value {
    .members(members.map { Value.Member($0.0, $0.1) })
  }

  private func review(
    _ source: Value.Member, _ rules: [(String, Value)], _ more: [Value.Member] = []
  ) async throws -> StepResult<Value> {
    try await run(
      "log.review",
      [source, .init("patterns", .members(rules.map { Value.Member($0.0, $0.1) }))] + more)
  }

  private var files: Value.Member { .init("files", text(folder.path + "/*.log")) }

  @Test("A pattern that is found more often than it may be fails, warns or is counted, as it says")
  func severities() async throws {
    try folder.write("a\na\nb\n", to: "turn.log")
    let failed = try await review(files, [("a", rule(("match", .string("a")))), ("b", rule(("match", .string("b"))))])
    #expect(failed.objection?.severity == .fail)
    #expect(failed.objection?.finding.code == "log.patternFound")
    #expect(failed.objection?.finding.message == "found a 2 times, b once")
    #expect(failed.output["matches"]?["a"]?["count"] == .int(2))
    let warned = try await review(files, [("a", rule(("match", .string("a")), ("severity", .string("warn"))))])
    #expect(warned.objection?.severity == .warn)
    let within = try await review(files, [("a", rule(("match", .string("a")), ("atMost", .int(2))))])
    #expect(within.objection == nil)
    let noted = try await review(files, [("a", rule(("match", .string("a")), ("severity", .string("note"))))])
    #expect(noted.objection == nil)
    #expect(noted.output["matches"]?["a"]?["count"] == .int(2))
  }

  @Test("No file, a missing one, one that may not be read and a damaged one are errors that say which and why")
  func nothingRead() async throws {
    let rules = [("a", rule(("match", .string("a"))))]
    let none = try await stepError { _ = try await review(files, rules) }
    #expect(none.finding.code == "log.noFiles")
    #expect(none.finding.message == "no file is named \(folder.path)/*.log")
    let missing = try await stepError {
      _ = try await review(.init("files", text(folder.path + "/turn.log")), rules)
    }
    #expect(missing.finding.code == "log.unreadable")
    #expect(missing.finding.message == "\(folder.path)/turn.log cannot be read: No such file or directory")
    try folder.write("text that is not gzip", to: "x")
    try await Command("gzip", [folder.path + "/x"]).run().requireSuccess()
    try #require(truncate(folder.path + "/x.gz", 20) == 0)
    let damaged = try await stepError { _ = try await review(.init("files", text(folder.path + "/x.gz")), rules) }
    #expect(damaged.finding.code == "log.damaged")
    #expect(damaged.kind == .broken)
    try folder.write("", to: "empty.log")
    let empty = try await review(files, rules)
    #expect(empty.objection?.severity == .warn)
    #expect(empty.objection?.finding.code == "log.empty")
  }

  @Test("What the logger left out is a warning")
  func suppressed() async throws {
    try folder.write("systemd-journald[1]: Suppressed 7 messages from coturn.service\n", to: "turn.log")
    let result = try await review(files, [("a", rule(("match", .string("nothing"))))])
    #expect(result.objection?.finding.code == "log.messagesLost")
    #expect(result.output["suppressed"] == .int(7))
  }

  @Test("Files that nobody wrote to in the time, and lines that were cut, are warnings")
  func quiet() async throws {
    try folder.write("a\n", to: "turn.log")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -7 * 86_400)], ofItemAtPath: folder.path + "/turn.log")
    let rules = [("a", rule(("match", .string("a"))))]
    let quiet = try await review(files, rules, [.init("since", .duration(.seconds(86_400)))])
    #expect(quiet.objection?.finding.code == "log.quiet" && quiet.objection?.severity == .warn)
    try folder.write(String(repeating: "b", count: 2 << 20) + "a\n", to: "turn.log")
    let cut = try await review(files, rules)
    #expect(cut.objection?.finding.code == "log.linesCut" && cut.objection?.severity == .warn)
  }

  @Test("Neither files nor journal, and patterns that are none, are refused before the run")
  func objections() throws {
    func objection(_ members: [Value.Member]) throws -> String? {
      let declaration = LogReviewModule.declaration
      return LogReviewModule.objection(to: try declaration.input.decode(.members(members)), within: .seconds(1))?.code
    }
    let patterns = Value.Member("patterns", rule(("a", rule(("match", .string("a"))))))
    #expect(try objection([patterns]) == "log.nothingToRead")
    #expect(try objection([files, .init("patterns", .members([]))]) == "log.nothingToLookFor")
    #expect(
      try objection([files, .init("patterns", rule(("a", rule(("match", .string("(a"))))))]) == "log.patternInvalid")
    #expect(try objection([files, patterns]) == nil)
  }

  @Test("A real journal is read by unit and window; one without a message of the unit is no pass")
  func journal() async throws {
    let now = Int(Date().timeIntervalSince1970)
    func entry(_ age: Int, _ unit: String, _ message: String) -> String {
      let time = (now - age) * 1_000_000
      return "__REALTIME_TIMESTAMP=\(time)\n__MONOTONIC_TIMESTAMP=\(1_000_000 - age)\n"
        + "_BOOT_ID=6c4d3c1ce1ec4a6a8f6c6a1d3a5b7c9d\n_SYSTEMD_UNIT=\(unit)\nSYSLOG_IDENTIFIER=turnserver\n"
        + "PRIORITY=6\nMESSAGE=\(message)\n\n"
    }
    try folder.write(
      entry(200_000, "coturn.service", "ERROR old") + entry(60, "coturn.service", "ERROR \r")
        + entry(50, "other.service", "ERROR other") + entry(40, "coturn.service", "fine"), to: "export")
    try await Command(
      "/lib/systemd/systemd-journal-remote", ["-o", folder.path + "/x.journal", folder.path + "/export"]
    ).run().requireSuccess()
    func journal(_ unit: String) -> Value.Member {
      .init("journal", rule(("units", text(unit)), ("file", .string(folder.path + "/x.journal"))))
    }
    let rules = [("errors", rule(("match", .string("^ERROR"))))]
    let day = [Value.Member("since", .duration(.seconds(86_400)))]
    let result = try await review(journal("coturn.service"), rules, day)
    #expect(result.output["matches"]?["errors"]?["count"] == .int(1))
    #expect(try await review(journal("coturn.service"), rules).output["matches"]?["errors"]?["count"] == .int(2))
    let missing = try await stepError { _ = try await review(journal("nosuch.service"), rules, day) }
    #expect(missing.finding.code == "log.nothingInJournal")
    let quiet = try await review(
      journal("coturn.service"), rules, [.init("since", .duration(.seconds(5)))])
    #expect(quiet.objection?.finding.code == "log.quiet")
  }
}

extension ProcessResult {
  fileprivate func requireSuccess() throws { try #require(isSuccess, "\(standardError.text)") }
}
