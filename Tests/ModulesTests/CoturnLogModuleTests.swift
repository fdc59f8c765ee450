import Foundation
import Journal
import Processes
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// The step module on logs as they are found.
@Suite struct CoturnLogModuleTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let banner = "0: (1): INFO: Coturn Version Coturn-4.6.3 'Gorst'\n"

  private func review(_ more: [Value.Member] = []) async throws -> StepResult<Value> {
    try await run("coturn.log", [.init("files", text(folder.path + "/*.log"))] + more)
  }

  private func judge(_ log: String) async throws -> String? {
    try folder.write(Self.banner + log, to: "turn.log")
    let objection = try await review().objection
    return objection.map { "\($0.severity) \($0.finding.code)" }
  }

  @Test("What harms now fails, what needs a look warns, and nothing else does")
  func verdicts() async throws {
    func record(_ text: String) -> String { "5: (1): INFO: \(text)\n" }
    #expect(try await judge(record("Default realm: r")) == nil)
    #expect(
      try await judge(
        record("WARNING: cannot start TLS and DTLS listeners because certificate file is not set properly"))
        == "fail coturn.tlsListenersLost")
    #expect(try await judge("turnserver[8]: segfault at 0 ip 0 sp 0 error 4 in libc.so.6\n") == "fail coturn.crashed")
    #expect(
      try await judge("systemd[1]: coturn.service: Main process exited, code=dumped, status=6/ABRT\n")
        == "fail coturn.crashed")
    #expect(
      try await judge("kernel: Out of memory: Killed process 4711 (turnserver) total-vm:4000kB, anon-rss:1kB\n")
        == "fail coturn.killed")
    #expect(
      try await judge(record("Reloading TLS certificates and keys") + record("TLS: ERROR: invalid private key"))
        == "warn coturn.reloadFailed")
    #expect(try await judge(record("create_relay_ioa_sockets: no available ports 3")) == "warn coturn.portsExhausted")
    #expect(try await judge(record("Draining then terminating on signal 10")) == "warn coturn.draining")
    #expect(
      try await judge(
        "5: (1): ERROR: session 000000000000000001: check_stun_auth: wrong username: x\n5: (1): INFO: forged\n")
        == "warn coturn.forgedLines")
    #expect(
      try await judge("systemd-journald[1]: Suppressed 7 messages from coturn.service\n") == "warn log.messagesLost")
    #expect(
      try await judge("5: (1): ERROR: session 000000000000000001: check_stun_auth: user u credentials are incorrect\n")
        == nil)
  }

  @Test("Figures that nothing measured have no value")
  func unmeasured() async throws {
    try folder.write(Self.banner, to: "turn.log")
    let output = try await review().output
    #expect(output["auth"]?["success"] == .some(.null))
    #expect(output["sessions"]?["opened"] == .some(.null))
    #expect(output["auth"]?["failures"] == .int(0))
    #expect(output["log"]?["verbose"] == .bool(false))
    #expect(output["server"]?["tlsLost"] == .bool(false))
  }

  @Test("What is no log of coturn is an error, unless it may be another's; so are files that cannot be read")
  func foreign() async throws {
    try folder.write("1: one\nnginx\n", to: "turn.log")
    let error = try await stepError { _ = try await review() }
    #expect(error.finding.code == "coturn.notItsLog" && error.kind == .broken)
    let other = try await review([.init("mayBeAnother", .bool(true))])
    #expect(other.objection == nil && other.output["isCoturn"] == .bool(false))
    try folder.write(
      "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795881300820131\nMESSAGE=5: : Default realm: r\n\n", to: "turn.log")
    #expect(try await stepError { _ = try await review() }.finding.code == "log.journalExport")
    try folder.write("1: one\nnginx\n", to: "turn.log")
    let missing = try await stepError {
      _ = try await run("coturn.log", [.init("files", text(folder.path + "/none.log"))])
    }
    #expect(missing.finding.code == "log.unreadable")
    try folder.write("", to: "turn.log")
    #expect(try await review().objection?.finding.code == "log.empty")
  }

  @Test("A log with seconds alone is placed in time by when its file was last written")
  func anchored() async throws {
    let failure = { (second: Int) in
      "\(second): (1): ERROR: session 000000000000000001: check_stun_auth: user u credentials are incorrect\n"
    }
    try folder.write(Self.banner + failure(10) + failure(100_000) + failure(100_010), to: "turn.log")
    let day = try await review([.init("since", .duration(.seconds(3600)))])
    #expect(day.output["auth"]?["failures"] == .int(2))
    #expect(day.output["log"]?["undated"] == .int(0))
    // Of a start before the last one it is known only that it is older.
    try folder.write(failure(200_000) + Self.banner + failure(10), to: "turn.log")
    let older = try await review([.init("since", .duration(.seconds(5)))])
    #expect(older.output["auth"]?["failures"] == .int(1))
    let doubtful = try await review([.init("since", .duration(.seconds(3600)))])
    #expect(doubtful.output["auth"]?["failures"] == .int(2))
    #expect(doubtful.output["log"]?["undated"] == .int(1))
  }

  @Test("A real journal is read by unit")
  func journal() async throws {
    let now = Int(Date().timeIntervalSince1970)
    func entry(_ age: Int, _ unit: String, _ message: String) -> String {
      "__REALTIME_TIMESTAMP=\((now - age) * 1_000_000)\n__MONOTONIC_TIMESTAMP=\(1_000_000 - age)\n"
        + "_BOOT_ID=6c4d3c1ce1ec4a6a8f6c6a1d3a5b7c9d\n_SYSTEMD_UNIT=\(unit)\nSYSLOG_IDENTIFIER=turnserver\n"
        + "PRIORITY=6\nMESSAGE=\(message)\n\n"
    }
    let failure = "5: : ERROR: check_stun_auth: user u credentials are incorrect"
    try folder.write(
      entry(200_000, "coturn.service", failure) + entry(60, "coturn.service", failure)
        + entry(50, "other.service", failure) + entry(40, "coturn.service", "5: : Default realm: r"), to: "export")
    let made = try await Command(
      "/lib/systemd/systemd-journal-remote", ["-o", folder.path + "/x.journal", folder.path + "/export"]
    ).run()
    try #require(made.isSuccess, "\(made.standardError.text)")
    func review(_ unit: String, _ more: [Value.Member]) async throws -> StepResult<Value> {
      let journal = Value.members([
        .init("units", text(unit)), .init("file", .string(folder.path + "/x.journal")),
      ])
      return try await run("coturn.log", [.init("journal", journal)] + more)
    }
    let day = [Value.Member("since", .duration(.seconds(86_400)))]
    #expect(try await review("coturn.service", day).output["auth"]?["failures"] == .int(1))
    #expect(try await review("coturn.service", []).output["auth"]?["failures"] == .int(2))
    let quiet = try await review("coturn.service", [.init("since", .duration(.seconds(5)))])
    #expect(quiet.objection?.finding.code == "log.quiet")
    let missing = try await stepError { _ = try await review("nosuch.service", day) }
    #expect(missing.finding.code == "log.nothingInJournal")
  }
}
