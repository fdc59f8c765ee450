import Journal
package import Schema
import TerminalText

extension RunReport {
  /// What a run was that met a service which did not serve: a hypothesis that was broken before the steps.
  package struct Incident: Hashable, Sendable {
    /// When the first look that failed began.
    package var seenAt: Timestamp
    /// The looks that failed before the steps.
    package var seen: [Step]
    /// What changed something, or asked a person, in the order of time; what was skipped is left out.
    package var done: [Step]
    /// The looks after the steps; empty if the run did not come that far.
    package var verified: [Step]
    /// From the first look that failed to the end of the last one that passed, by the boot-time clock; nil if the service does not serve again.
    package var restoredAfter: Duration?
  }

  /// Nil for a run without a hypothesis, and for one whose hypothesis held before the steps.
  package var incident: Incident? {
    guard hypothesis.first(where: { $0.stage == .before })?.verdict == .broken else { return nil }
    let leaves = steps.flatMap { $0.flattened().map(\.step) }.filter { $0.steps.isEmpty && $0.startedAt != nil }
    let seen = leaves.filter { $0.stage == .before && $0.outcome != .skipped && !$0.outcome.isGood }
    guard let first = seen.first, let seenAt = first.startedAt else { return nil }
    let done = leaves.filter { step in
      (step.stage == .steps || step.stage == .undo) && step.outcome != .skipped
        && (step.effect == .change || step.question != nil)
    }
    let verified = leaves.filter { $0.stage == .after && $0.outcome != .skipped }
    var restoredAfter: Duration?
    if hypothesis.last(where: { $0.stage == .after })?.verdict == .holds, let begun = first.begunAfter {
      let ends = verified.compactMap { step in step.begunAfter.map { $0 + (step.duration ?? .zero) } }
      restoredAfter = ends.max().map { $0 - begun }
    }
    return Incident(seenAt: seenAt, seen: seen, done: done, verified: verified, restoredAfter: restoredAfter)
  }

  /// The incident for people: seen, done, verified, restored. Empty if the run was none.
  ///
  /// - Parameter offset: seconds that local time is ahead of UTC at a moment.
  func incidentLines(offset: (Timestamp) -> Int) -> [LabelledText] {
    guard let incident else { return [] }
    var lines: [LabelledText] = []
    for step in incident.seen {
      let found = step.finding.map { ": \(terminalSafe($0.message))" } ?? ""
      lines.append(LabelledText(label: "seen", text: "\(time(step, offset))  \(terminalSafe(step.title))\(found)"))
    }
    for step in incident.done {
      let what = "\(terminalSafe(step.title)) (\(terminalSafe(step.path)))"
      let answered = step.question?.answered.map { terminalSafe($0) }
      let how = answered ?? "by \(terminalSafe(user)), \(step.outcome.rawValue)"
      lines.append(LabelledText(label: "done", text: "\(time(step, offset))  \(what): \(how)"))
    }
    if incident.done.isEmpty { lines.append(LabelledText(label: "done", text: "nothing was changed")) }
    for step in incident.verified {
      let text = "\(time(step, offset))  \(terminalSafe(step.title)): \(step.outcome.rawValue)"
      lines.append(LabelledText(label: "verified", text: text))
    }
    lines.append(
      LabelledText(
        label: "restored",
        text: incident.restoredAfter.map {
          "after \(shortDuration($0)), from the first look that failed to the last that passed"
        } ?? "no: the service was not seen to serve again", ink: .bold))
    return lines
  }

  private func time(_ step: Step, _ offset: (Timestamp) -> Int) -> String {
    guard let moment = step.startedAt else { return "" }
    return momentText(moment, offset: offset)
  }
}

extension RunReport.Incident {
  var json: JSON {
    [
      "seenAt": .string(seenAt.description), "seen": .array(seen.map { .string($0.path) }),
      "done": .array(done.map { .string($0.path) }), "verified": .array(verified.map { .string($0.path) }),
      "restoredAfterMs": milliseconds(restoredAfter),
    ]
  }
}
