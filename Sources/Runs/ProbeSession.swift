import Engine
package import Journal
import Language
package import Schema
package import Steps
import Synchronization

/// Runs one module by hand: a plan of one step, driven as every run is. Its journal is kept in memory until it has ended, and
/// nothing is written.
package struct ProbeSession: Sendable {
  private let services: Services
  private let signals: EndingSignals
  private let facts: RunFacts

  /// - Parameters:
  ///   - signals: ask the probe to end: the first cancels the module, which cleans up; after the second it is not waited for.
  ///   - version: of the program that probes.
  package init(services: Services, signals: EndingSignals, version: String) {
    self.services = services
    self.signals = signals
    facts = RunFacts(asker: .command, only: [], tool: ToolFacts(version: version))
  }

  /// Runs the module once.
  ///
  /// - Parameters:
  ///   - input: what the module's input type admits.
  ///   - title: what those who watch call it.
  ///   - timeout: how long it may take before it is cancelled; it has ``RunDriver/grace`` then to clean up.
  /// - Throws: `CancellationError` if the task is cancelled.
  package func run(
    _ module: AnyStepModule, _ input: Value, title: String, timeout: Duration,
    watch: @escaping @Sendable (RunNotice) -> Void = { _ in }
  ) async throws -> ProbeResult {
    let step = PlannedStep(
      id: "probe", title: title, condition: nil, onFailure: .stop, isDiagnostic: false,
      range: SourceRange(file: module.name, line: 1, column: 1),
      body: .call(ModuleCall(module: module, input: .literal(input), timeout: timeout)))
    let plan = Plan(
      name: module.name, title: title, severity: nil, params: [], target: nil, secrets: [:], timeout: nil,
      steps: [step],
      sources: [])
    let id = ULID.next()
    let events = Mutex<[Event]>([])
    let driver = RunDriver(
      plan: plan, run: id, services: services, append: { new in events.withLock { $0 += new } },
      notify: { watch(RunNotice(run: id, target: nil, notice: $0)) })
    let started = RecordedEvent(seq: 1, moment: .now(), event: .runStarted(facts.started(plan)))
    let finished = try await driver.drive(from: started, signals: signals.subscribe())
    return ProbeResult(finished.outcome, events.withLock { $0 })
  }
}

/// What came of a probe.
package struct ProbeResult: Hashable, Sendable {
  package let outcome: Outcome
  /// What the module put out, or learnt before it failed; nil if that is nothing. Secrets are masked.
  package private(set) var output: Value?
  /// Why it did not simply pass.
  package private(set) var finding: Finding?
  /// False if nothing was begun, since what was asked for cannot be done, whatever the server does.
  package private(set) var isStarted = true

  fileprivate init(_ outcome: Outcome, _ events: [Event]) {
    self.outcome = outcome
    for event in events {
      switch event {
      case .stepResult(let result):
        output = result.output == .null ? nil : result.output
        isStarted = !result.notStarted
      case .stepFinished(let step): finding = step.finding
      case .stepSkipped(let step): finding = Finding("run.ended", step.reason)
      default: break
      }
    }
  }
}
