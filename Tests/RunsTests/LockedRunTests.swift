import Foundation
import Glibc
import Journal
import Language
import Ledger
import Modules
import Schema
import Steps
import TestSupport
import Testing

@testable import Runs

/// Runs whose runbooks have a lock or an alert.
@Suite(.timeLimit(.minutes(1))) struct LockedRunTests {
  private func holder() throws -> LockHolder {
    LockHolder(
      run: "01OTHER", runbook: "other", pid: Int(getpid()), user: "ops",
      since: try #require(Timestamp("2026-11-28T12:00:00Z")))
  }

  @Test("A run holds its locks, those of its checks too, to its end, and records them")
  func recorded() async throws {
    let project = try RunsProject(
      """
      - id: look
        use: command.run
        with: {command: [sh, -c, "for l in one two; do flock -n FOLDER/locks/$l.lock true && exit 9; done; true"]}
      - {id: inner, use: checks/locked, with: {name: two}}
      """, params: "lock: one\n")
    try project.folder.write(
      """
      check: locked
      inputs: {name: {type: string}}
      lock: "${inputs.name}"
      steps:
        - {id: say, use: command.run, effect: observe, with: {command: [echo, "${inputs.name}"]}}

      """, to: "checks/locked.yaml")
    let run = try await project.start().recorded
    #expect(run.finished?.outcome == .pass)
    #expect(run.started.locks == ["one", "two"])
    // Free again.
    let attempt = try await project.locks.take(["one", "two"], for: try holder())
    guard case .held = attempt else { throw Taken() }
  }

  private struct Taken: Error {}

  @Test("A run whose lock is held is recorded as skipped, names the holder, and does nothing")
  func skipped() async throws {
    let project = try RunsProject(
      "- {id: act, use: command.run, with: {command: [touch, FOLDER/done]}}", params: "lock: one\n")
    let attempt = try await project.locks.take(["one"], for: try holder())
    let started = try await project.start()
    var told = Told()
    for await notice in started.events { told.take(notice) }
    let run = try await started.recorded
    #expect(run.finished?.outcome == .skipped)
    #expect(run.finished?.finding?.code == "run.locked")
    let message = run.finished?.finding?.message ?? ""
    #expect(
      message.contains("01OTHER") && message.contains("pid \(getpid())") && message.contains("2026-11-28T12:00:00Z"))
    #expect(run.started.locks == [])
    #expect(told.types(of: run.id) == ["run.started", "run.planned", "run.finished"])
    #expect(run.events.map(\.event.type) == ["run.started", "run.planned", "run.finished"])
    #expect(project.folder.read("done") == "" && !project.folder.names().contains("done"))
    withExtendedLifetime(attempt) {}
    let summary = try Ledger([project.state]).runs(of: "test", since: nil, limit: 1).first
    #expect(summary?.wasLockedOut == true)
  }

  @Test("Locks that cannot be taken are an error, and nothing is done")
  func unusable() async throws {
    let project = try RunsProject(
      "- {id: act, use: command.run, with: {command: [touch, FOLDER/done]}}", params: "lock: one\n")
    try project.folder.write("", to: "locks")
    let run = try await project.start().recorded
    #expect(run.finished?.outcome == .error)
    #expect(run.finished?.finding?.code == "run.lockUnusable")
    #expect(!project.folder.names().contains("done"))
  }

  @Test("Children of one parent that want one lock wait for one another; each has it for itself")
  func siblings() async throws {
    let project = try RunsProject(
      """
      - id: alone
        use: command.run
        with: {command: [sh, -c, "mkdir FOLDER/alone && sleep 0.05 && rmdir FOLDER/alone"], env: {T: "${target.name}"}}
      """, targets: (1...5).map { "t\($0)" }, params: "lock: one\n")
    let run = try await project.start(["all"]).recorded
    #expect(run.children.map(\.outcome) == Array(repeating: .pass, count: 5))
    #expect(run.finished?.outcome == .pass)
  }

  @Test("A target whose lock another run holds was not looked at: that is no pass, and all of them is a skip")
  func fleet() async throws {
    let project = try RunsProject(
      "- {id: act, use: command.run, with: {command: [\"true\"], env: {T: \"${target.name}\"}}}",
      targets: ["one", "two"],
      params: "lock: \"${target.name}\"\n")
    let one = try await project.locks.take(["one"], for: try holder())
    let some = try await project.start(["all"]).recorded
    #expect(Set(some.children.map(\.outcome)) == [.pass, .skipped])
    #expect(some.finished?.outcome == .error)
    #expect(some.finished?.finding?.code == "run.targetsLocked")
    let two = try await project.locks.take(["two"], for: try holder())
    let none = try await project.start(["all"]).recorded
    #expect(none.finished?.outcome == .skipped)
    #expect(none.finished?.finding?.code == "run.locked")
    withExtendedLifetime((one, two)) {}
  }

  @Test("The third failure in a row records that somebody is to be told, once, until a run passes")
  func alert() async throws {
    let project = try RunsProject(
      "- {id: act, use: command.run, with: {command: [test, -e, FOLDER/fine]}}", params: "alert: {after: 3}\n")
    func alerts(_ run: RecordedRun) -> [AlertDue] {
      run.events.compactMap { if case .alertDue(let alert) = $0.event { alert } else { nil } }
    }
    for expected in [0, 0, 1, 0, 0] {
      let run = try await project.start().recorded
      #expect(run.finished?.outcome == .fail)
      #expect(alerts(run).count == expected)
      if expected == 1 { #expect(alerts(run) == [AlertDue(failures: 3, after: 3)]) }
    }
    try project.folder.write("", to: "fine")
    #expect(alerts(try await project.start().recorded).isEmpty)
    try FileManager.default.removeItem(atPath: project.folder.path + "/fine")
    for expected in [0, 0, 1] { #expect(alerts(try await project.start().recorded).count == expected) }
  }
}
