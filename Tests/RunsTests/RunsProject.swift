import Engine
import Journal
import Language
import Ledger
import Modules
import Runs
import Schema
import Steps
import TestSupport

/// A project in a folder of its own, whose runs are started in this process with the modules that users have.
final class RunsProject: Sendable {
  let folder: TemporaryFolder
  let state: StateFolder
  let locks: LockFolder

  /// - Parameters:
  ///   - steps: of the runbook `test`, as a list; FOLDER in it stands for the project's folder.
  ///   - targets: names of targets that are declared.
  ///   - state: where the runs are kept; nil for a folder of the project.
  init(_ steps: String, targets: [String] = [], params: String = "", state: String? = nil) throws {
    folder = try TemporaryFolder()
    self.state = StateFolder(state ?? "\(folder.path)/.runbook")
    locks = LockFolder("\(folder.path)/locks")
    let declared = targets.enumerated().map { "  \($1): {server: \"turn:127.0.0.1:\($0 + 1)\"}\n" }
    try folder.write("project: test\n" + (targets.isEmpty ? "" : "targets:\n\(declared.joined())"), to: "runbook.yaml")
    let lines = steps.replacing("FOLDER", with: folder.path).split(separator: "\n").map { "  \($0)\n" }.joined()
    try folder.write(
      "runbook: test\ntitle: Test\nallow: [change]\n\(params)steps:\n\(lines)", to: "runbooks/test.yaml")
  }

  func starter(catalog: Catalog = .standard, state: StateFolder? = nil) throws -> RunStarter {
    let state = state ?? self.state
    let surroundings = Project.Surroundings(environment: [:], workingFolder: folder.path)
    let project = try Project.load(at: folder.path, in: surroundings)
    return RunStarter(
      project, catalog: catalog, services: Services(history: Ledger([state])), locks: locks, state: state,
      version: "1.2.3")
  }

  func start(
    _ targets: [String] = [], given: GivenParameters = GivenParameters(), only: [String] = [],
    rolling: Rolling? = nil,
    asker: RunAsker = RunAsker(trigger: "test"), signals: EndingSignals = EndingSignals(ofProcess: false)
  ) async throws -> StartedRun {
    try await starter().start(
      RunRequest("test", given: given, targets: targets, only: only, rolling: rolling, asker: asker), signals: signals)
  }

  /// Goes on with a run that died or failed, to its end.
  func resume(_ run: RecordedRun, retryingFailed: Bool = false) async throws -> RecordedRun {
    let surroundings = Project.Surroundings(environment: [:], workingFolder: folder.path)
    let resumption = try Resumption(
      try RecordedRun.read(run.folder), called: "1", retryingFailed: retryingFailed, catalog: .standard
    ) { kept in
      try Project.load(at: folder.path, asKeptIn: kept.sources, in: surroundings)
    }
    return try await starter().resume(resumption, signals: EndingSignals(ofProcess: false)).recorded
  }

  /// Every run that its state folder has.
  func runs() throws -> [RecordedRun] { try state.runFolders().map { try RecordedRun.read($0) } }
}

/// What was told of runs, to be asked once they have ended.
struct Told {
  private(set) var notices: [RunNotice] = []

  mutating func take(_ notice: RunNotice) { notices.append(notice) }

  /// The kinds of the events of one run, in their order.
  func types(of run: String) -> [String] {
    notices.compactMap { told in
      guard told.run == run, case .recorded(let event) = told.notice else { return nil }
      return event.type
    }
  }
}

extension RunNotice {
  /// True if a module begins its work.
  var isTry: Bool { if case .trying = notice { true } else { false } }
}

extension RecordedRun {
  func finished(_ path: String) -> StepFinished? {
    events.lazy.compactMap { recorded in
      guard case .stepFinished(let step) = recorded.event, step.path.text == path else { return nil }
      return step
    }.first
  }

  /// Why a step was not run.
  func skipReason(_ path: String) -> String? {
    events.lazy.compactMap { recorded in
      guard case .stepSkipped(let step) = recorded.event, step.path.text == path else { return nil }
      return step.reason
    }.first
  }

  var children: [ChildFinished] {
    events.compactMap { if case .childFinished(let child) = $0.event { child } else { nil } }
  }

  /// The numbers of the signals that it records.
  var signals: [Int] {
    events.compactMap { if case .runSignalled(let signalled) = $0.event { signalled.signal } else { nil } }
  }

  /// The processes that its steps started.
  var processes: [ProcessStarted] {
    events.compactMap { if case .processStarted(let process) = $0.event { process } else { nil } }
  }
}
