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
    let leaves = begunLeaves
    let seen = leaves.filter { $0.stage == .before && $0.outcome != .skipped && !$0.outcome.isGood }
    guard let first = seen.first, let seenAt = first.startedAt else { return nil }
    let (done, verified) = (done(leaves), verified(leaves))
    var restoredAfter: Duration?
    if hypothesis.last(where: { $0.stage == .after })?.verdict == .holds, let begun = first.begunAfter {
      let ends = verified.compactMap { step in step.begunAfter.map { $0 + (step.duration ?? .zero) } }
      restoredAfter = ends.max().map { $0 - begun }
    }
    return Incident(seenAt: seenAt, seen: seen, done: done, verified: verified, restoredAfter: restoredAfter)
  }

  /// The steps that do something, as far as they were begun, in the order of the run.
  private var begunLeaves: [Step] {
    steps.flatMap { $0.flattened().map(\.step) }.filter { $0.steps.isEmpty && $0.startedAt != nil }
  }

  private func done(_ leaves: [Step]) -> [Step] {
    leaves.filter { step in
      (step.stage == .steps || step.stage == .undo) && step.outcome != .skipped
        && (step.effect == .change || step.question != nil)
    }
  }

  private func verified(_ leaves: [Step]) -> [Step] { leaves.filter { $0.stage == .after && $0.outcome != .skipped } }

  /// The record for people: what was seen before, what was done, what was verified, and whether the service serves again. Of a run whose
  /// hypothesis held before the steps it says that nothing was wrong. Empty without a hypothesis, and if it could not be judged.
  ///
  /// - Parameter offset: seconds that local time is ahead of UTC at a moment.
  func incidentLines(offset: (Timestamp) -> Int) -> [LabelledText] {
    guard let incident else { return hypothesisHeldLines(offset) }
    var lines: [LabelledText] = []
    for step in incident.seen {
      let found = step.finding.map { ": \(terminalSafe($0.message))" } ?? ""
      lines.append(LabelledText(label: "seen", text: "\(time(step, offset))  \(terminalSafe(step.title))\(found)"))
    }
    lines += workLines(incident.done, incident.verified, offset)
    lines.append(
      LabelledText(
        label: "restored",
        text: incident.restoredAfter.map {
          "after \(shortDuration($0)), from the first look that failed to the last that passed"
        } ?? "no: the service was not seen to serve again", ink: .bold))
    return lines
  }

  /// The record of a run that met a service which did serve.
  private func hypothesisHeldLines(_ offset: (Timestamp) -> Int) -> [LabelledText] {
    guard hypothesis.first(where: { $0.stage == .before })?.verdict == .holds else { return [] }
    let leaves = begunLeaves
    let looks = steps.filter { $0.stage == .before && $0.startedAt != nil }.map { step in
      LabelledText(label: "seen", text: "\(time(step, offset))  \(terminalSafe(step.title)): nothing is wrong")
    }
    return looks + workLines(done(leaves), verified(leaves), offset)
  }

  /// What was done, tried and asked, and what was verified afterwards.
  private func workLines(_ done: [Step], _ verified: [Step], _ offset: (Timestamp) -> Int) -> [LabelledText] {
    var lines: [LabelledText] = []
    for step in done {
      let what = "\(time(step, offset))  \(terminalSafe(step.title)) (\(terminalSafe(step.path)))"
      if let question = step.question {
        let answer = question.answered.map { terminalSafe($0) } ?? step.outcome.rawValue
        lines.append(LabelledText(label: "asked", text: "\(what): \(answer)"))
      } else {
        // What failed may have changed something, or nothing: it was tried.
        let label = step.outcome.isGood ? "done" : "tried"
        lines.append(LabelledText(label: label, text: "\(what): by \(terminalSafe(user)), \(step.outcome.rawValue)"))
      }
    }
    if !done.contains(where: { $0.question == nil }) {
      lines.append(LabelledText(label: "done", text: "nothing was changed"))
    }
    for step in verified {
      let text = "\(time(step, offset))  \(terminalSafe(step.title)): \(step.outcome.rawValue)"
      lines.append(LabelledText(label: "verified", text: text))
    }
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
