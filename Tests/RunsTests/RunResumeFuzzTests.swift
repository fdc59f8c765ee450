import Engine
import Foundation
import Language
import Ledger
import Modules
import Schema
import Steps
import TestSupport
import Testing

@testable import Journal
@testable import Runs

/// What every module of the tests takes and gives, and the file outside of all state that tells what they did.
private struct WorldStep {
  struct Input: Hashable, Sendable { var file: String }
  struct Output: Hashable, Sendable { var tries: Int }

  static func declared(_ name: String, _ effect: Effect, _ repetition: Repetition) -> ModuleDeclaration<Input, Output> {
    ModuleDeclaration(
      name, "Acts.", effect: effect, repetition: repetition, judges: true, deadline: .seconds(5),
      input: Record(Input.init, Field("file", \.file, .string, "Where it is noted down.")),
      output: Record(Output.init, Field("tries", \.tries, .int, "How many tries there were.")), examples: [])
  }

  static func name(_ context: StepContext) -> String { "\(context.path) #\(context.attempt)" }

  static func act(_ input: Input, _ context: StepContext) throws(StepError) -> StepResult<Output> {
    do {
      let file = try FileHandle(forWritingTo: URL(filePath: input.file))
      try file.seekToEnd()
      try file.write(contentsOf: Data((name(context) + "\n").utf8))
    } catch { throw .broken("test.file", "\(error)") }
    return .done(Output(tries: context.attempt))
  }
}

/// Acts once at most, and can tell whether it did.
private struct Telling: StepModule {
  static let declaration = WorldStep.declared("test.told", .change, .atMostOnce)

  func run(_ input: WorldStep.Input, in context: StepContext) async throws(StepError) -> StepResult<WorldStep.Output> {
    try WorldStep.act(input, context)
  }

  func reconcile(_ input: WorldStep.Input, in context: StepContext) async throws(StepError) -> Reconciliation {
    let world = (try? String(contentsOfFile: input.file, encoding: .utf8)) ?? ""
    return world.split(separator: "\n").contains { $0 == WorldStep.name(context) } ? .done(nil) : .notDone
  }
}

/// Acts once at most, and cannot tell.
private struct Blind: StepModule {
  static let declaration = WorldStep.declared("test.blind", .change, .atMostOnce)

  func run(_ input: WorldStep.Input, in context: StepContext) async throws(StepError) -> StepResult<WorldStep.Output> {
    try WorldStep.act(input, context)
  }
}

/// Only looks; passes at the second try.
private struct Look: StepModule {
  static let declaration = WorldStep.declared("test.look", .observe, .idempotent)

  func run(_ input: WorldStep.Input, in context: StepContext) async throws(StepError) -> StepResult<WorldStep.Output> {
    guard context.attempt > 1 else { throw .failed("test.notYet", "not yet") }
    return .done(WorldStep.Output(tries: context.attempt))
  }
}

/// Only looks, and fails.
private struct Refuse: StepModule {
  static let declaration = WorldStep.declared("test.refuse", .observe, .idempotent)

  func run(_ input: WorldStep.Input, in context: StepContext) async throws(StepError) -> StepResult<WorldStep.Output> {
    throw .failed("test.refused", "the service refuses")
  }
}

/// The same module in a later version.
private struct NewerTelling: StepModule {
  static let declaration = {
    var declaration = Telling.declaration
    declaration.version = 2
    return declaration
  }()

  func run(_ input: WorldStep.Input, in context: StepContext) async throws(StepError) -> StepResult<WorldStep.Output> {
    try WorldStep.act(input, context)
  }
}

/// Real journals, cut off where a process may have died, gone on with on the disk, against what was done outside.
///
/// `RUNBOOK_FUZZ_SECONDS` makes it look at every line, and at torn lines of every length.
@Suite struct RunResumeFuzzTests {
  private static let seconds = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"].flatMap(Double.init)
  private static let isWhole = seconds != nil
  private static let catalog = Catalog([
    AnyStepModule(Telling.self), AnyStepModule(Blind.self), AnyStepModule(Look.self), AnyStepModule(Refuse.self),
  ])

  /// Steps of every effect, a group, a loop, a phase, waits between tries; `fails` decides whether all of it is taken back.
  private static func story(fails: Bool) throws -> RunsProject {
    let with = "with: {file: FOLDER/world}"
    return try RunsProject(
      """
      - {id: look, use: test.look, \(with), retry: {times: 2, backoff: 5ms}}
      - id: told
        use: test.told
        \(with)
        undo: [{id: untold, use: test.told, \(with)}]
      - id: blind
        use: test.blind
        \(with)
        undo: [{id: unblind, use: test.blind, \(with)}]
      - id: sides
        parallel:
          steps:
            - {id: left, use: test.told, \(with)}
            - {id: right, use: test.blind, \(with)}
      - id: each
        forEach: {in: "['a', 'b']", as: item}
        steps: [{id: inner, use: test.told, \(with)}]
      - id: stage
        phase:
          deadline: 1h
          steps: [{id: within, use: test.told, \(with)}]
      - {id: last, use: test.\(fails ? "refuse" : "blind"), \(with)}
      """,
      params: """
        rollback: onFailure
        hypothesis: [{id: holds, use: test.look, WITH, retry: {times: 2, backoff: 5ms}}]
        finally: [{id: tidy, use: test.told, WITH}]

        """)
  }

  /// A project, and one run of it that went to its end.
  private struct Story {
    let project: RunsProject
    let run: RecordedRun
    let lines: [[UInt8]]
    let world: [String]

    var worldPath: String { "\(project.folder.path)/world" }

    init(fails: Bool) async throws {
      project = try RunResumeFuzzTests.story(fails: fails)
      let path = "\(project.folder.path)/runbooks/test.yaml"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      try Data(text.replacing("WITH", with: "with: {file: \(project.folder.path)/world}").utf8)
        .write(to: URL(filePath: path))
      try Data().write(to: URL(filePath: "\(project.folder.path)/world"))
      let started = try await project.starter(catalog: RunResumeFuzzTests.catalog).start(
        RunRequest("test", asker: RunAsker(trigger: "test")))
      run = try await started.recorded
      let bytes = try Data(contentsOf: URL(filePath: run.folder.journal))
      lines = bytes.split(separator: 0x0A).map { Array($0) + [0x0A] }
      world = try Self.lines(ofWorld: "\(project.folder.path)/world")
    }

    static func lines(ofWorld path: String) throws -> [String] {
      try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// What had been done outside when the journal had so many lines: without what was begun last, and with it.
    func worlds(at count: Int) -> [[String]] {
      var done: [String] = []
      var begun: [StepPath: String] = [:]
      for recorded in run.events.prefix(count) {
        switch recorded.event {
        case .stepIntent(let intent): begun[intent.path] = "\(intent.path) #\(intent.attempt)"
        case .stepResult(let result): if let name = begun.removeValue(forKey: result.path) { done.append(name) }
        default: break
        }
      }
      let acted = Set(world)
      let open = begun.values.filter(acted.contains)
      done = done.filter(acted.contains)
      return open.isEmpty ? [done] : [done, done + open]
    }

    /// A copy of the run whose journal ends after so many lines, and a part of the next.
    func cut(to count: Int, torn: Int = 0, in state: StateFolder) throws -> RecordedRun {
      try FileManager.default.createDirectory(atPath: state.runs, withIntermediateDirectories: true)
      let folder = state.run(run.id)
      try? FileManager.default.removeItem(atPath: folder.path)
      try FileManager.default.copyItem(atPath: run.folder.path, toPath: folder.path)
      let rest = count < lines.count ? Array(lines[count].prefix(torn)) : []
      try Data(lines.prefix(count).flatMap(\.self) + rest).write(to: URL(filePath: folder.journal))
      return try RecordedRun.read(folder)
    }

    /// Goes on with a run until it has ended; a person tells what nobody else can, as it is.
    func goOn(_ dead: RecordedRun, in state: StateFolder) async throws -> RecordedRun {
      var run = dead
      for _ in 0..<6 {
        do {
          return try await resume(run, in: state)
        } catch let unresolved as UnresolvedTries {
          let world = try Self.lines(ofWorld: worldPath)
          let (journal, _) = try await JournalWriter.reopen(RecordedRun.read(run.folder))
          for attempt in unresolved.tries {
            let isDone = world.contains("\(attempt.path) #\(attempt.attempt)")
            try await journal.append(
              .stepResolved(
                StepResolved(
                  path: attempt.path, attempt: attempt.attempt, resolution: isDone ? .done : .notDone, reason: "seen",
                  user: "alice")))
          }
        }
        run = try RecordedRun.read(run.folder)
      }
      throw NeverEnded()
    }

    func resume(
      _ run: RecordedRun, in state: StateFolder, catalog: Catalog = RunResumeFuzzTests.catalog
    ) async throws -> RecordedRun {
      let surroundings = Project.Surroundings(environment: [:], workingFolder: project.folder.path)
      let resumption = try RunResumption(run, called: "1", catalog: catalog) {
        try Project.load(at: project.folder.path, asKeptIn: run.folder.sources, in: surroundings)
      }
      let starter = try project.starter(catalog: catalog, state: state)
      return try await starter.resume(.run(resumption), signals: EndingSignals(ofProcess: false)).recorded
    }

    /// Cuts the run there, sets the world, goes on, and holds what came of it against the run that never stopped.
    func check(_ count: Int, torn: Int = 0, _ world: [String], in state: StateFolder) async throws {
      try Data(world.map { $0 + "\n" }.joined().utf8).write(to: URL(filePath: worldPath))
      let ended = try await goOn(try cut(to: count, torn: torn, in: state), in: state)
      let last = run.events[count - 1].event.type
      #expect(try Self.lines(ofWorld: worldPath).sorted() == self.world.sorted(), "after \(count) lines, \(last)")
      #expect(ended.finished?.outcome == run.finished?.outcome, "after \(count) lines, \(last)")
      #expect(ended.events.contains { $0.event.type == JournalRecovered.type } == (torn > 0))
    }
  }

  struct NeverEnded: Error {}

  @Test("From every line of its journal a run goes on, does nothing twice and loses nothing", arguments: [false, true])
  func everyLine(fails: Bool) async throws {
    let story = try await Story(fails: fails)
    #expect(story.run.finished?.outcome == (fails ? .fail : .pass))
    #expect(story.world.contains("undo:told/untold #1") == fails)
    #expect(Set(story.world).count == story.world.count)
    let folder = try TemporaryFolder()
    let state = StateFolder(folder.path + "/state")
    let points = story.lines.count - 1
    var looked = 0
    for count in stride(from: 1, through: points, by: Self.isWhole ? 1 : 3) {
      for world in story.worlds(at: count) {
        try await story.check(count, world, in: state)
        looked += 1
      }
    }
    print("deaths after a line of a journal of \(points + 1) lines: \(looked)")
  }

  @Test("A line that was torn at any byte is kept aside, and the run goes on as from the line before")
  func everyByte() async throws {
    let story = try await Story(fails: true)
    let folder = try TemporaryFolder()
    let state = StateFolder(folder.path + "/state")
    var looked = 0
    let end = ContinuousClock.now + .seconds(Self.seconds ?? 600)
    let intent = try #require(
      story.run.events.firstIndex { $0.event.path?.id == "blind" && $0.event.type == StepIntent.type })
    for count in Self.isWhole ? Array(stride(from: 1, to: story.lines.count, by: 7)) : [intent] {
      let length = story.lines[count].count
      for torn in stride(from: 1, to: length, by: Self.isWhole ? 1 : length / 6)
      where ContinuousClock.now < end {
        try await story.check(count, torn: torn, story.worlds(at: count)[0], in: state)
        looked += 1
      }
    }
    #expect(looked > 4)
    print("torn lines: \(looked)")
  }

  @Test("After a loss of power, what the disk has for sure is enough: what was done since is done no second time")
  func powerLoss() async throws {
    let story = try await Story(fails: true)
    let folder = try TemporaryFolder()
    let state = StateFolder(folder.path + "/state")
    var effects: [StepPath: Effect] = [:]
    var durable = 1
    var points: [(durable: Int, world: [String])] = []
    for (index, recorded) in story.run.events.enumerated().dropLast() {
      if case .stepStarted(let step) = recorded.event { effects[step.path] = step.effect }
      if recorded.event.mustBeDurable(effect: recorded.event.path.flatMap { effects[$0] }) { durable = index + 1 }
      guard durable < index + 1 else { continue }
      points += story.worlds(at: index + 1).map { (durable, $0) }
    }
    #expect(points.count > 20)
    for point in Self.isWhole ? points : stride(from: 0, to: points.count, by: 4).map({ points[$0] }) {
      try await story.check(point.durable, point.world, in: state)
    }
    print("losses of power: \(points.count)")
  }

  @Test("Another version of a module keeps a run from being gone on with")
  func otherVersion() async throws {
    let story = try await Story(fails: false)
    let folder = try TemporaryFolder()
    let state = StateFolder(folder.path + "/state")
    let dead = try story.cut(to: story.lines.count - 1, in: state)
    let newer = Catalog([
      AnyStepModule(NewerTelling.self), AnyStepModule(Blind.self), AnyStepModule(Look.self), AnyStepModule(Refuse.self),
    ])
    let refusal = await #expect(throws: ResumeRefusal.self) { try await story.resume(dead, in: state, catalog: newer) }
    #expect(
      refusal?.message
        == "run 1 was begun with version 1 of test.told, and this runbook has version 2 of it")
    #expect(try RecordedRun.read(dead.folder).events.count == dead.events.count)
  }
}
