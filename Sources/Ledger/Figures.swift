package import Journal
package import Schema

/// What one figure was in one run.
package struct FigureReading: Hashable, Sendable {
  package let run: RunSummary
  /// Nil if the run has no such step, the step no such output, or the journal cannot be verified: never a zero.
  package let value: Value?
  /// Why the journal cannot be verified; nil if it can.
  package let problem: JournalError?
  /// The figure's type as its step declares it; `any` where the journal does not tell.
  package let type: ValueType
}

extension Ledger {
  /// A figure of past runs, the newest first, at most `limit`.
  ///
  /// - Parameters:
  ///   - figure: the step's path, a full stop, and the field of its output: `turn/relay.rtt.p95`. Where a step's id holds
  ///     full stops, the longest path that the run has counts.
  ///   - runbook: the runs to look at.
  /// - Returns: the problems too of journals that cannot be read, and so not be told apart.
  package func figure(
    _ figure: String, of runbook: String, since: Timestamp? = nil, limit: Int = .max
  ) throws(JournalError) -> (readings: [FigureReading], problems: [JournalError]) {
    var readings: [FigureReading] = []
    var problems: [JournalError] = []
    for entry in try unverified(of: runbook, since: since) where readings.count < limit {
      guard case .run(let run, _) = entry.content else {
        if let problem = entry.problem { problems.append(problem) }
        continue
      }
      do throws(JournalError) {
        let found = try RecordedRun.read(entry.folder).figure(figure)
        readings.append(FigureReading(run: run, value: found?.value, problem: nil, type: found?.type ?? .any))
      } catch {
        readings.append(FigureReading(run: run, value: nil, problem: error, type: .any))
        problems.append(error)
      }
    }
    return (readings, problems)
  }
}

extension Ledger {
  /// The names of the figures that the newest run of a runbook has of which any is known, in order; none if none has.
  package func figures(
    of runbook: String, since: Timestamp? = nil, limit: Int = .max
  ) throws(JournalError) -> [String] {
    for entry in try unverified(of: runbook, since: since, limit: limit) {
      guard case .run = entry.content, let run = try? RecordedRun.read(entry.folder) else { continue }
      let names = run.figures
      if !names.isEmpty { return names }
    }
    return []
  }
}

extension RecordedRun {
  fileprivate var figures: [String] {
    var outputs: [String: Value] = [:]
    for recorded in standing {
      switch recorded.event {
      case .stepResult(let result): outputs[result.path.description] = result.output
      case .stepFinished(let step) where step.output != .null: outputs[step.path.description] = step.output
      default: break
      }
    }
    func leaves(_ value: Value, _ name: String) -> [String] {
      switch value {
      case .null, .list: []
      case .members(let members): members.flatMap { leaves($0.value, "\(name).\($0.name)") }
      default: [name]
      }
    }
    return outputs.sorted { $0.key < $1.key }.flatMap { leaves($0.value, $0.key) }
  }

  fileprivate func figure(_ figure: String) -> (value: Value, type: ValueType)? {
    var outputs: [String: Value] = [:]
    var declared: [String: ValueType] = [:]
    var types: [String: ValueType] = [:]
    for recorded in standing {
      switch recorded.event {
      case .typesDeclared(let event): declared[event.use] = event.output
      case .stepStarted(let step): types[step.path.description] = declared[step.use]
      case .stepResult(let result): outputs[result.path.description] = result.output
      case .stepFinished(let step) where step.output != .null: outputs[step.path.description] = step.output
      default: break
      }
    }
    let paths = outputs.keys.filter { figure.hasPrefix($0 + ".") }
    guard let path = paths.max(by: { $0.count < $1.count }) else { return nil }
    let field = String(figure.dropFirst(path.count + 1))
    var value = outputs[path]
    var type = types[path] ?? .any
    for name in field.split(separator: ".") {
      value = value?[String(name)]
      type = type.member(String(name))
    }
    guard let value, value != .null else { return nil }
    return (type.restored(value), type)
  }
}
