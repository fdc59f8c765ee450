import Engine
import Glibc
import Journal
import Language
import Runs
import Schema
import Testing

/// A run over several targets: a parent, and a child for each.
@Suite(.timeLimit(.minutes(1))) struct FleetTests {
  private func names(_ count: Int) -> [String] { (1...count).map { "t\($0)" } }

  @Test("Each target has a run of its own, told apart by id and target, and the parent the worst outcome of all")
  func fleet() async throws {
    let project = try RunsProject(
      "- {id: test, use: command.run, with: {command: [test, \"${target.name}\", \"!=\", t2]}}", targets: names(3))
    let run = try await project.start(["all"], asker: RunAsker(trigger: "hook"))
    var told = Told()
    for await notice in run.events { told.take(notice) }
    let parent = try await run.recorded
    #expect(parent.id == run.id)
    #expect(parent.finished?.outcome == .fail)
    #expect(parent.started.target == nil && parent.started.trigger == "hook")
    #expect(told.types(of: run.id) == parent.events.map(\.event.type))
    let outcomes = Dictionary(uniqueKeysWithValues: parent.children.map { ($0.target, $0.outcome) })
    #expect(outcomes == ["t1": .pass, "t2": .fail, "t3": .pass])
    for child in parent.children {
      let recorded = try RecordedRun.read(project.state.run(child.run))
      #expect(recorded.started.parent == run.id && recorded.started.trigger == "parent")
      #expect(recorded.started.target?.name == child.target)
      #expect(recorded.finished?.outcome == child.outcome)
      #expect(told.notices.filter { $0.run == child.run }.allSatisfy { $0.target == child.target })
      #expect(told.types(of: child.run).last == "run.finished")
    }
    #expect(try project.runs().count == 4)
  }

  @Test("A signal in the middle ends the children that run, and skips those that have not begun")
  func signalled() async throws {
    let project = try RunsProject(
      """
      - {id: wait, use: command.run, with: {command: [sleep, "600"], env: {T: "${target.name}"}}, timeout: 10m}
      """, targets: names(10))
    let run = try await project.start(["all"])
    var begun = 0
    for await notice in run.events {
      guard case .recorded(.processStarted) = notice.notice else { continue }
      begun += 1
      if begun == 8 { run.end(by: Int(SIGINT)) }
    }
    let parent = try await run.recorded
    #expect(parent.finished?.signal == 2)
    #expect(parent.signals == [2])
    let children = parent.children
    #expect(children.count == 10)
    #expect(children.count { $0.outcome == .skipped && $0.run.isEmpty } == 2)
    let ended = try children.filter { !$0.run.isEmpty }.map { try RecordedRun.read(project.state.run($0.run)) }
    #expect(ended.count == 8 && ended.allSatisfy { $0.finished?.signal == 2 && $0.signals == [2] })
    for process in ended.flatMap(\.processes) { #expect(kill(pid_t(process.pid), 0) != 0 && errno == ESRCH) }
  }

  @Test("A child whose journal cannot be written is named, and the parent's journal has no end")
  func childFailure() async throws {
    // What is too long for a line goes to a file of this folder, which the first step keeps from being made.
    let project = try RunsProject(
      """
      - id: spoil
        use: command.run
        with: {command: [sh, -c, "for run in FOLDER/.runbook/runs/0*; do touch $run/outputs; done"], env: {T: "${target.name}"}}
      - {id: long, use: command.run, with: {command: [sh, -c, "head -c 100000 /dev/zero | tr '\\\\0' x"]}}
      """, targets: names(2))
    let run = try await project.start(["all"])
    let failure = await #expect(throws: RunFailure.self) { _ = try await run.recorded }
    #expect(failure?.lastBegun == "long")
    let child = try RecordedRun.read(project.state.run(try #require(failure?.run)))
    #expect(child.started.parent == run.id)
    #expect(try RecordedRun.read(project.state.run(run.id)).isFinished == false)
  }
}
