import Engine
import Glibc
import Journal
import Language
import Runs
import Schema
import Steps
import TestSupport
import Testing

/// One run, started by something else than the command line.
@Suite(.timeLimit(.minutes(1))) struct RunStarterTests {
  @Test("A run has an id at once, tells every event of its journal, and records who asked for it and with what")
  func one() async throws {
    let project = try RunsProject(
      """
      - id: say
        use: command.run
        with: {command: [echo, "${params.word}"]}
        expect: [output.stdout.contains(params.word)]
      - {id: other, use: command.run, with: {command: ["false"]}}
      """, params: "params: {word: {type: string}}\n")
    let actor = ActorFacts(uid: 4711, euid: 4711, loginUid: 12)
    let run = try await project.start(
      given: GivenParameters(texts: [("word", "hello")]), only: ["say"],
      asker: RunAsker(trigger: "hook", actor: actor, slot: "noon"))
    #expect(ULID.isValid(run.id))
    #expect(try JournalEnds.read(project.state.run(run.id)).started.runbook == "test", "it is recorded already")
    var told = Told()
    for await notice in run.events { told.take(notice) }
    let recorded = try await run.recorded
    #expect(recorded.id == run.id)
    #expect(recorded.finished?.outcome == .pass)
    #expect(recorded.started.trigger == "hook")
    #expect(recorded.started.actor == actor)
    #expect(recorded.started.slot == "noon")
    #expect(recorded.started.only == ["say"])
    #expect(recorded.started.tool.version == "1.2.3")
    #expect(recorded.started.params["word"] == .string("hello"))
    #expect(recorded.started.target == nil)
    #expect(told.types(of: run.id) == recorded.events.map(\.event.type))
    #expect(told.notices.allSatisfy { $0.run == run.id && $0.target == nil })
  }

  @Test("A signal in the middle ends the step's process, skips the rest, and leaves other runs alone")
  func signalled() async throws {
    let project = try RunsProject(
      """
      - {id: wait, use: command.run, with: {command: [sleep, "600"]}, timeout: 10m}
      - {id: after, use: command.run, with: {command: ["true"]}}
      """)
    let other = try RunsProject("- {id: wait, use: command.run, with: {command: [sleep, \"1\"]}}")
    let (first, second) = (try await project.start(), try await other.start())
    for await notice in first.events {
      if case .recorded(.processStarted) = notice.notice { first.end(by: Int(SIGTERM)) }
    }
    let ended = try await first.recorded
    #expect(ended.finished?.signal == 15)
    #expect(ended.signals == [15])
    #expect(ended.finished("wait")?.finding?.code == "step.cancelled")
    #expect(ended.skipReason("after") == "the run was ended by signal 15")
    let process = try #require(ended.processes.first)
    #expect(kill(pid_t(process.pid), 0) != 0 && errno == ESRCH)
    let undisturbed = try await second.recorded
    #expect(undisturbed.finished?.outcome == .pass && undisturbed.signals.isEmpty)
  }

  @Test("Nothing is recorded of a run that cannot begin: a wrong name, parameter, target or program is told whole")
  func refused() async throws {
    let project = try RunsProject(
      """
      - {id: bad, use: command.run, with: {command: [no-such-program-here]}}
      - {id: good, use: command.run, with: {command: ["true"]}}
      """, targets: ["oslo"])
    func codes(_ request: RunRequest) async throws -> [String] {
      do {
        _ = try await project.starter().start(request).recorded
        return []
      } catch let issues as Issues { return issues.all.map(\.code) }
    }
    let asker = RunAsker(trigger: "test")
    #expect(try await codes(RunRequest("tset", asker: asker)) == ["unknown-runbook"])
    #expect(try await codes(RunRequest("test", targets: ["oslo"], asker: asker)) == ["target-not-used"])
    let given = GivenParameters(texts: [("word", "x")])
    #expect(try await codes(RunRequest("test", given: given, asker: asker)) == ["unknown-param"])
    #expect(try await codes(RunRequest("test", asker: asker)) == ["program-missing"])
    #expect(!project.folder.names().contains(".runbook"))
    #expect(try await codes(RunRequest("test", only: ["good"], asker: asker)).isEmpty)
  }

  @Test("A state folder that cannot be made keeps the run from beginning")
  func noState() async throws {
    let project = try RunsProject(
      "- {id: touch, use: command.run, with: {command: [touch, FOLDER/done]}}", state: "/proc/runs")
    await #expect(throws: JournalError.self) { try await project.start() }
    #expect(!project.folder.names().contains("done"))
  }

  @Test("A journal that cannot be written in the middle ends the run, and names the step that was begun last")
  func fullDisk() async throws {
    // What is too long for a line goes to a file of this folder, which the first step keeps from being made.
    let project = try RunsProject(
      """
      - {id: spoil, use: command.run, with: {command: [sh, -c, "for run in FOLDER/.runbook/runs/0*; do touch $run/outputs; done"]}}
      - {id: long, use: command.run, with: {command: [sh, -c, "head -c 100000 /dev/zero | tr '\\\\0' x"]}}
      - {id: after, use: command.run, with: {command: [touch, FOLDER/after]}}
      """)
    let run = try await project.start()
    let failure = await #expect(throws: RunFailure.self) { _ = try await run.recorded }
    #expect(failure?.run == run.id)
    #expect(failure?.lastBegun == "long")
    #expect(failure?.error.path.hasSuffix("/outputs") == true, "\(String(describing: failure))")
    #expect(!project.folder.names().contains("after"))
    var told = Told()
    for await notice in run.events { told.take(notice) }
    #expect(told.types(of: run.id).last == "process.started", "what was not recorded is not told")
    #expect(try RecordedRun.read(project.state.run(run.id)).isFinished == false)
  }
}
