import Journal
import Reports
import Schema
import Steps

/// What came of running a module once by hand.
struct ProbeAttempt {
  let module: AnyStepModule
  private(set) var output: Value?
  private(set) var finding: Finding?
  private(set) var outcome = Outcome.pass

  /// Runs the module; what it tells meanwhile is shown where a person watches. Ctrl-C cancels it, so that it cleans up.
  init(_ module: AnyStepModule, _ input: Value, deadline: Duration) async {
    self.module = module
    let context = StepContext(
      run: "probe", path: module.name, attempt: 1, idempotencyKey: "", deadline: .now + deadline, history: NoRuns(),
      progress: { text in
        if Terminal.standardError.isInteractive { Terminal.standardError.write("\(terminalSafe(text))\n") }
      })
    let work = Task { () -> Result<StepResult<Value>, StepError> in
      do throws(StepError) { return .success(try await module.run(input, context)) } catch { return .failure(error) }
    }
    let signals = EndingSignals()
    let listener = Task {
      for await _ in signals.subscribe() { work.cancel() }
    }
    let result = await work.value
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
    }
  }

  func text(_ format: ReportFormat) -> String {
    switch format {
    case .json: return json.text(.indented) + "\n"
    case .text:
      var text = output.map { columns(rows(of: $0, as: .record(module.output), path: "")) } ?? ""
      guard let finding else { return text }
      text += "\(outcome.rawValue.uppercased())  \(terminalSafe(finding.message))  (\(finding.code))\n"
      if let advice = finding.advice { text += "  \(terminalSafe(advice))\n" }
      return text
    }
  }

  /// `runbook.probe/1`.
  var json: JSON {
    [
      "schema": "runbook.probe/1", "module": .string(module.name), "outcome": .string(outcome.rawValue),
      "output": output?.json ?? .null, "error": finding.map { Finding.record.encode($0).json } ?? .null,
    ]
  }

  /// One line for each field, nested fields by their paths, numbers as their types are written.
  private func rows(of value: Value, as type: ValueType?, path: String) -> [[String]] {
    switch (value, type) {
    case (_, .optional(let wrapped)?): return rows(of: value, as: wrapped, path: path)
    case (.null, _): return []
    case (.members(let members), _):
      return members.flatMap { member in
        var field: ValueType?
        if case .record(let record)? = type { field = record[member.name]?.type }
        return rows(of: member.value, as: field, path: path.isEmpty ? member.name : "\(path).\(member.name)")
      }
    case (.list(let elements), .list(let element)?)
    where elements.contains { if case .members = $0 { true } else { false } }:
      return elements.enumerated().flatMap { rows(of: $1, as: element, path: "\(path)[\($0)]") }
    case (.duration(let time), _): return [[path, shortDuration(time)]]
    case (_, let type?):
      let literal = type.literal(value)
      return [[path, terminalSafe(literal.string ?? literal.text())]]
    case (_, nil): return [[path, terminalSafe(value.plainText)]]
    }
  }
}

/// A probe by hand has no past.
private struct NoRuns: RunHistory {
  func runs(of runbook: String?, since: Timestamp?, limit: Int) throws -> [RunSummary] { [] }
}
