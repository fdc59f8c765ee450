import Engine
import Foundation
import Journal
import Language
import Runs
import Schema
import TestSupport
import Testing

/// Runs over several targets that roll, die, fail, and are gone on with.
@Suite(.timeLimit(.minutes(2))) struct FleetResumptionTests {
  private let names = (1...5).map { "t\($0)" }

  /// Each target notes down what it does in `effects`; `t2` fails in `second` until `go` is there.
  private func project(effect: String = "") throws -> RunsProject {
    func step(_ id: String, _ more: String = "true") -> String {
      "- {id: \(id), use: command.run,\(effect) with: {command: [sh, -c, 'echo \"$T\" \(id) >> FOLDER/effects; \(more)'], env: {T: \"${target.name}\"}}}\n"
    }
    return try RunsProject(
      step("first") + step("second", "test \"$T\" != t2 || test -e FOLDER/go") + step("third"), targets: names)
  }

  private func effects(_ project: RunsProject) -> [String] {
    project.folder.read("effects").split(separator: "\n").map(String.init)
  }

  private func done(_ targets: String...) -> [String] {
    targets.flatMap { target in ["first", "second", "third"].map { "\(target) \($0)" } }
  }

  private func outcomes(_ parent: RecordedRun) -> [String: Outcome] {
    parent.standing.reduce(into: [:]) { found, recorded in
      if case .childFinished(let child) = recorded.event { found[child.target] = child.outcome }
    }
  }

  @Test("Targets follow on one another, and once too many failed no further one is begun, which is no pass")
  func rolling() async throws {
    let project = try project()
    let run = try await project.start(["all"], rolling: Rolling(width: 1, maxFailures: 0)).recorded
    #expect(run.finished?.outcome == .fail)
    #expect(run.finished?.finding?.code == "run.tooManyFailures")
    #expect(run.finished?.finding?.message.hasSuffix("not started: t3, t4, t5") == true)
    #expect(outcomes(run) == ["t1": .pass, "t2": .fail, "t3": .skipped, "t4": .skipped, "t5": .skipped])
    let skipped = run.children.filter { $0.outcome == .skipped }
    #expect(skipped.count == 3 && skipped.map(\.run) == ["", "", ""])
    #expect(effects(project) == done("t1") + ["t2 first", "t2 second"])
    // No two at a time.
    var open = 0
    for recorded in run.events {
      if case .childStarted = recorded.event { open += 1 }
      if case .childFinished(let child) = recorded.event, !child.run.isEmpty { open -= 1 }
      #expect(open <= 1)
    }
    let tolerant = try self.project()
    let all = try await tolerant.start(["all"], rolling: Rolling(width: 2, maxFailures: 1)).recorded
    #expect(outcomes(all).values.count { $0 == .pass } == 4 && all.finished?.finding == nil)
  }

  @Test("Only the targets that failed or were not begun are done when the run is retried")
  func retry() async throws {
    let project = try project()
    let run = try await project.start(["all"], rolling: Rolling(width: 1, maxFailures: 0)).recorded
    let before = effects(project)
    try project.folder.write("", to: "go")
    let retried = try await project.resume(run, retryingFailed: true)
    #expect(retried.finished?.outcome == .pass && retried.finished?.finding == nil)
    #expect(outcomes(retried) == Dictionary(uniqueKeysWithValues: names.map { ($0, .pass) }))
    #expect(effects(project) == before + ["t2 second", "t2 third"] + done("t3", "t4", "t5"))
    let retries = retried.events.compactMap(\.event.retry)
    #expect(retries.map(\.targets) == [["t2", "t3", "t4", "t5"]])
    // Each of the journals holds by itself too.
    #expect(try project.runs().count == 6)
    let child = try #require(retried.childRuns().runs.first { $0.started.target?.name == "t2" })
    #expect(child.events.compactMap(\.event.retry).map { $0.steps.map(\.path.text) } == [["second", "third"]])
    await #expect(throws: ResumeRefusal.self) { try await project.resume(retried, retryingFailed: true) }
    await #expect(throws: ResumeRefusal.self) { try await project.resume(child, retryingFailed: true) }
  }

  /// Leaves of a journal what stood there before an event.
  private func cut(_ run: RecordedRun, before event: (Event) -> Bool) throws {
    let index = try #require(run.events.firstIndex { event($0.event) })
    let url = URL(filePath: run.folder.journal)
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    try Data(lines.prefix(index).map { "\($0)\n" }.joined().utf8).write(to: url)
  }

  private func child(_ target: String, of parent: RecordedRun) throws -> RecordedRun {
    try #require(parent.childRuns().runs.first { $0.started.target?.name == target })
  }

  /// A run whose process was killed while the second of its targets went on.
  private func dead() async throws -> (project: RunsProject, run: RecordedRun) {
    let project = try project()
    try project.folder.write("", to: "go")
    let run = try await project.start(["all"], rolling: Rolling(width: 1)).recorded
    for target in ["t3", "t4", "t5"] {
      try FileManager.default.removeItem(atPath: try child(target, of: run).folder.path)
    }
    try cut(run) { if case .childFinished(let child) = $0 { child.target == "t2" } else { false } }
    try Data(done("t1").map { "\($0)\n" }.joined().utf8)
      .write(to: URL(filePath: "\(project.folder.path)/effects"))
    return (project, run)
  }

  @Test("A parent that died goes on: a child that died goes on, those that were not begun are begun, the rest stands")
  func deadParent() async throws {
    let (project, run) = try await dead()
    try cut(try child("t2", of: run)) { $0.path == "second" }
    let ended = try await project.resume(run)
    #expect(ended.finished?.outcome == .pass)
    #expect(outcomes(ended) == Dictionary(uniqueKeysWithValues: names.map { ($0, .pass) }))
    #expect(effects(project) == done("t1") + ["t2 second", "t2 third"] + done("t3", "t4", "t5"))
    #expect(ended.finished.map { $0.duration > .zero } == true)
  }

  @Test("A child that ended before its parent knew is not done again; one that was announced and never begun is begun")
  func ends() async throws {
    let (project, run) = try await dead()
    let ended = try await project.resume(run)
    #expect(ended.finished?.outcome == .pass)
    #expect(effects(project) == done("t1", "t3", "t4", "t5"))

    let (other, announced) = try await dead()
    let lost = try child("t2", of: announced)
    try FileManager.default.removeItem(atPath: lost.folder.path)
    let again = try await other.resume(announced)
    #expect(again.finished?.outcome == .pass)
    #expect(effects(other) == done("t1", "t2", "t3", "t4", "t5"))
    #expect(again.children.first { $0.target == "t2" }?.run == lost.id)
  }

  @Test("A parent that died while it tried targets anew goes on with that")
  func deadInRetry() async throws {
    let project = try project()
    let run = try await project.start(["all"], rolling: Rolling(width: 1, maxFailures: 0)).recorded
    try project.folder.write("", to: "go")
    let retried = try await project.resume(run, retryingFailed: true)
    // The child had not begun to be tried anew.
    let index = try #require(retried.events.firstIndex { $0.event.retry != nil })
    let url = URL(filePath: retried.folder.journal)
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    try Data(lines.prefix(index + 1).map { "\($0)\n" }.joined().utf8).write(to: url)
    for target in ["t3", "t4", "t5"] {
      try FileManager.default.removeItem(atPath: try child(target, of: retried).folder.path)
    }
    let second = try child("t2", of: retried)
    try cut(second) { $0.retry != nil }
    try Data().write(to: URL(filePath: "\(project.folder.path)/effects"))
    let ended = try await project.resume(run)
    #expect(ended.finished?.outcome == .pass)
    #expect(effects(project) == ["t2 second", "t2 third"] + done("t3", "t4", "t5"))
  }

  @Test("Of a parent that has ended nothing is gone on with, and of its children neither")
  func refused() async throws {
    let project = try project()
    try project.folder.write("", to: "go")
    let run = try await project.start(["all"]).recorded
    let ended = await #expect(throws: ResumeRefusal.self) { try await project.resume(run) }
    #expect(ended?.message == "run 1 has ended: there is nothing to go on with")
    let passed = await #expect(throws: ResumeRefusal.self) { try await project.resume(run, retryingFailed: true) }
    #expect(passed?.message == "run 1 ended in pass: nothing of it failed")
    let (other, dead) = try await dead()
    let child = try child("t2", of: dead)
    try cut(child) { if case .runFinished = $0 { true } else { false } }
    let part = await #expect(throws: ResumeRefusal.self) { try await other.resume(child) }
    #expect(part?.advice == "runbook resume \(dead.id)")
  }
}
