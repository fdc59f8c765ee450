package import Journal
package import Schema
package import Steps

/// What one figure was in one run.
package struct FigureReading: Hashable, Sendable {
  package let run: RunSummary
  /// Nil where the run has no such step, the step no such output, or the journal cannot be verified: never a zero.
  package let value: Value?
}

extension Ledger {
  /// A figure of past runs, the newest first, at most `limit`.
  ///
  /// - Parameters:
  ///   - figure: the step's path, a full stop, and the field of its output: `turn/relay.rtt.p95`. Where a step's id holds
  ///     full stops, the longest path that the run has counts.
  ///   - runbook: the runs to look at.
  package func figure(
    _ figure: String, of runbook: String, since: Timestamp? = nil, limit: Int = .max
  ) throws(JournalError) -> [FigureReading] {
    var readings: [FigureReading] = []
    for entry in try entries(of: runbook, since: since) where readings.count < limit {
      guard case .run(let run, _) = entry.content else { continue }
      let recorded = try? RecordedRun.read(entry.folder)
      readings.append(FigureReading(run: run, value: recorded.flatMap { $0.figure(figure) }))
    }
    return readings
  }
}

extension RecordedRun {
  fileprivate func figure(_ figure: String) -> Value? {
    var outputs: [String: Value] = [:]
    for recorded in events {
      switch recorded.event {
      case .stepResult(let result): outputs[result.path] = result.output
      case .stepFinished(let step) where step.output != .null: outputs[step.path] = step.output
      default: break
      }
    }
    let paths = outputs.keys.filter { figure.hasPrefix($0 + ".") }
    guard let path = paths.max(by: { $0.count < $1.count }) else { return nil }
    var value = outputs[path]
    for name in figure.dropFirst(path.count + 1).split(separator: ".") { value = value?[String(name)] }
    return value == .null ? nil : value
  }
}
