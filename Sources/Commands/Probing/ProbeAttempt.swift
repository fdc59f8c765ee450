import Journal
import Reports
import Runs
import Schema
import Steps
import TerminalText

/// What came of running a module once by hand.
struct ProbeAttempt {
  let module: AnyStepModule
  private(set) var output: Value?
  private(set) var finding: Finding?
  private(set) var outcome = Outcome.pass
  /// False where what was asked for cannot be done, whatever the server does.
  private(set) var isStarted = true

  /// Runs the module; where a person watches, a line tells what it is doing. A signal cancels it, so that it cleans up.
  init(
    _ module: AnyStepModule, _ input: Value, deadline: Duration, title: String? = nil, signals: EndingSignals
  ) async {
    self.module = module
    let display = LiveDisplay(.standardError, .normal)
    let end = ContinuousClock.now + deadline
    display.begin(module.name, title: title ?? module.name)
    display.trying(module.name, until: end)
    let context = StepContext(
      run: "probe", path: module.name, attempt: 1, idempotencyKey: "", deadline: end,
      services: Services(history: NoRuns()),
      progress: { display.note($0, of: module.name) })
    let work = Task { () -> Result<StepResult<Value>, StepError> in
      do throws(StepError) {
        let result = try await module.run(input, context)
        return .success(result)
      } catch {
        return .failure(error)
      }
    }
    let listener = Task {
      for await _ in signals.subscribe() { work.cancel() }
    }
    let result = await display.whileShown { await work.value }
    listener.cancel()
    switch result {
    case .success(let result):
      output = result.output
      finding = result.objection?.finding
      if let objection = result.objection { outcome = objection.severity == .fail ? .fail : .warn }
    case .failure(let error):
      if !error.learnt.isEmpty { output = .members(error.learnt) }
      finding = error.finding
      outcome = error.kind == .failed ? .fail : .error
      isStarted = error.kind != .notStarted
    }
  }

  func text(_ format: OutputFormat) -> String {
    switch format {
    case .json: json.text(.indented) + "\n"
    case .text:
      [output.map { OutputText($0, as: module.output).text }, finding.map(text)].compactMap(\.self)
        .joined(separator: "\n")
    }
  }

  private func text(_ finding: Finding) -> String {
    let head = "\(outcome.rawValue.uppercased())  \(terminalSafe(finding.message))  (\(finding.code))\n"
    return head + (finding.advice.map { "  \(terminalSafe($0))\n" } ?? "")
  }

  /// `runbook.probe/1`.
  var json: JSON {
    [
      "schema": "runbook.probe/1", "module": .string(module.name), "outcome": .string(outcome.rawValue),
      "output": output?.json ?? .null, "error": finding.map { Finding.record.encode($0).json } ?? .null,
    ]
  }
}

/// A probe by hand has no past.
private struct NoRuns: RunHistory {
  func runs(of runbook: String?, since: Timestamp?, limit: Int) throws -> [RunSummary] { [] }
}
