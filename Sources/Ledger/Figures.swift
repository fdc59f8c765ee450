package import Journal
package import Schema
package import Steps

/// What one figure was in one run.
package struct FigureReading: Hashable, Sendable {
  package let run: RunSummary
  /// Nil where the run has no such step, the step no such output, or the journal cannot be verified: never a zero.
  package let value: Value?
  /// What a plain number stands for: `bytesize`, `bandwidth` or `percent`.
  package let unit: String?
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
    for entry in try unverified(of: runbook, since: since) where readings.count < limit {
      guard case .run(let run, _) = entry.content else { continue }
      let found = (try? RecordedRun.read(entry.folder))?.figure(figure)
      readings.append(FigureReading(run: run, value: found?.value, unit: found?.unit))
    }
    return readings
  }
}

extension RecordedRun {
  fileprivate func figure(_ figure: String) -> (value: Value, unit: String?)? {
    var outputs: [String: Value] = [:]
    var units: [String: [String: String]] = [:]
    for recorded in events {
      switch recorded.event {
      case .stepStarted(let step): units[step.path] = step.units
      case .stepResult(let result): outputs[result.path] = result.output
      case .stepFinished(let step) where step.output != .null: outputs[step.path] = step.output
      default: break
      }
    }
    let paths = outputs.keys.filter { figure.hasPrefix($0 + ".") }
    guard let path = paths.max(by: { $0.count < $1.count }) else { return nil }
    let field = String(figure.dropFirst(path.count + 1))
    var value = outputs[path]
    for name in field.split(separator: ".") { value = value?[String(name)] }
    guard let value, value != .null else { return nil }
    return (value, units[path]?[field])
  }
}
