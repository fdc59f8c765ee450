import Journal
import Schema
import TerminalText

extension RunReport {
  /// What did not pass, what was expected, what was found, and what to look at next; the failures before the warnings,
  /// each in the order of the run, since the first is most often the cause.
  func problems(_ style: Style) -> [String] {
    var blocks = [endExplanation.flatMap { $0.lines(style) }].filter { !$0.isEmpty }
    for problem in notPassed {
      switch problem {
      case .step(let step): blocks.append(block(step, style))
      case .child(let child): blocks.append(block(child, style))
      }
    }
    return blocks.joined(separator: [""]).map(\.self)
  }

  /// A step or a target that did not simply pass.
  enum Problem {
    case step(Step)
    case child(Child)
  }

  /// What did not pass, the failures before the warnings, each in the order of the run.
  var notPassed: [Problem] {
    let all = steps.flatMap { $0.flattened().map(\.step) }.filter { $0.outcome != .skipped && $0.isCounted }
    let own = all.filter(\.hasOwnProblem)
    return own.filter { !$0.outcome.isGood }.map(Problem.step)
      + children.filter { !$0.verdict.isGood && $0.verdict != .skipped }.map(Problem.child)
      + own.filter { $0.outcome == .warn }.map(Problem.step)
      + children.filter { $0.verdict == .warn }.map(Problem.child)
  }

  /// What stopped the run from outside, or that its end is not known; empty for a run that came to its own end.
  var endExplanation: [LabelledText] {
    var lines = stillInPlaceLines
    switch end {
    case .goesOn:
      lines.append(LabelledText(label: "found", text: "the run goes on: a process is writing to its journal"))
    case .died:
      lines.append(LabelledText(label: "found", text: "the run died: its journal has no end, and nobody writes to it"))
      lines += processes.map { LabelledText(label: "found", text: terminalSafe($0.sentence)) }
      if let advice = processes.advice { lines.append(LabelledText(label: "next", text: advice, ink: .bold)) }
      var next = "look at what the steps without an end have left behind before it is run again"
      if let number, parent == nil {
        next += "; or go on with runbook resume \(number), or let it be over with runbook cancel \(number)"
      }
      lines.append(LabelledText(label: "next", text: next, ink: .bold))
    case .finished(let finished, _):
      if let signal = finished.signal {
        lines.append(LabelledText(label: "found", text: "\(signalName(signal)) asked the run to end"))
      }
      if let finding = finished.finding { lines += finding.lines }
    }
    if let alert {
      lines.append(
        LabelledText(
          label: "alert",
          text: "\(alert.failures) runs in a row did not pass: \(toldInWords) (alert after \(alert.after))",
          ink: .bold))
    }
    if let standing {
      let channels = standing.channels.map { terminalSafe($0) }.joined(separator: ", ")
      lines.append(
        LabelledText(label: "alert", text: "told before, by \(channels), in run \(terminalSafe(standing.firingRun))"))
    }
    for failed in notTold {
      let channel = failed.channel.isEmpty ? "" : "\(terminalSafe(failed.channel)): "
      lines.append(LabelledText(label: "alert", text: "not told: \(channel)\(terminalSafe(failed.finding.message))"))
      if let advice = failed.finding.advice { lines.append(LabelledText(label: "next", text: terminalSafe(advice))) }
    }
    for held in suppressed {
      lines.append(LabelledText(label: "alert", text: terminalSafe(held.finding.message)))
      if let advice = held.finding.advice { lines.append(LabelledText(label: "next", text: terminalSafe(advice))) }
    }
    return lines + hypothesisLines
  }

  /// Who was told of the alert.
  private var toldInWords: String {
    if !told.isEmpty { return "told by \(told.map { terminalSafe($0) }.joined(separator: ", "))" }
    return notTold.isEmpty && suppressed.isEmpty ? "somebody is to be told" : "nobody was told"
  }

  private func block(_ step: Step, _ style: Style) -> [String] {
    let title = step.title == step.id ? "" : "  \(terminalSafe(step.title))"
    let head = "\(terminalSafe(step.path))\(title)  (\(terminalSafe(step.use)))"
    return heading(step.outcome, head, style) + step.explanation.flatMap { $0.lines(style) }
  }

  private func block(_ child: Child, _ style: Style) -> [String] {
    let bad = child.steps.filter { $0.outcome != .pass && $0.outcome != .skipped }
    var lines = bad.flatMap { step in
      let head = LabelledText(
        label: step.outcome.rawValue, text: terminalSafe("\(step.path)  \(step.title)"),
        ink: .outcome(step.outcome))
      return [head] + (step.found.map { [LabelledText(label: "found", text: terminalSafe($0))] } ?? [])
    }
    lines.append(LabelledText(label: "next", text: "runbook report \(terminalSafe(child.run))", ink: .bold))
    return heading(child.verdict, "on \(terminalSafe(child.target))", style) + lines.flatMap { $0.lines(style) }
  }

  private func heading(_ outcome: Outcome, _ text: String, _ style: Style) -> [String] {
    let lines = wrapped(text, width: style.width - outcome.word.count - 2)
    return lines.enumerated().map { index, line in
      (index == 0 ? style.paint(outcome.word, .outcome(outcome)) : padded("", to: outcome.word.count)) + "  " + line
    }
  }
}

extension RunReport.Step {
  /// True if the step says something that no step inside it says: a check that fails only by its steps does not.
  var hasOwnProblem: Bool {
    finding != nil || expectations.contains { $0.verdict != .holds } || !steps.contains { $0.outcome == outcome }
  }

  /// Why it did not simply pass: what was expected and what it came to, what was found, what to look at next.
  var explanation: [LabelledText] {
    var lines: [LabelledText] = []
    for expectation in expectations where expectation.verdict != .holds { lines += expectation.lines }
    let finding = finding?.lines ?? []
    lines += finding.prefix(1) + programOutput + finding.dropFirst()
    if let reason { lines.append(LabelledText(label: "found", text: terminalSafe(reason))) }
    if let question { lines += question.lines }
    return lines
  }
}

extension ChildStep {
  /// Why it did not simply pass, as far as its parent tells.
  var explanation: [LabelledText] { (expectation?.lines ?? []) + (finding?.lines ?? []) }

  /// Why it did not pass, in a sentence; nil if it did, and where nothing says it.
  package var found: String? {
    if let finding { return "\(finding.message) (\(finding.code))" }
    guard let expectation else { return nil }
    let actual = expectation.error ?? expectation.shownActual
    return (expectation.message ?? "expected \(expectation.that)") + (actual.isEmpty ? "" : "; \(actual)")
  }
}

extension JudgedExpectation {
  /// What was expected, what its parts came to, and what that means.
  var lines: [LabelledText] {
    var lines = [LabelledText(label: "expected", text: terminalSafe(that))]
    if !actual.isEmpty {
      lines.append(LabelledText(label: "actual", text: shownActual, ink: .bold))
    }
    if let message { lines.append(LabelledText(label: "meaning", text: terminalSafe(message))) }
    if let error { lines.append(LabelledText(label: "unjudged", text: terminalSafe(error))) }
    return lines
  }
}

extension Finding {
  fileprivate var lines: [LabelledText] {
    let found = LabelledText(label: "found", text: terminalSafe("\(message) (\(code))"))
    let next = advice.map { LabelledText(label: "next", text: terminalSafe($0), ink: .bold) }
    return [found] + (next.map { [$0] } ?? [])
  }
}

/// A word and what it labels; as lines of text it is indented, the text wrapped below itself.
struct LabelledText: Hashable {
  var label: String
  /// Safe for a terminal.
  var text: String
  var ink: Ink?

  private static let indent = 2
  private static let labelWidth = 8

  func lines(_ style: Style) -> [String] {
    let start = Self.indent + max(Self.labelWidth, label.count) + 2
    return wrapped(text, width: style.width - start).enumerated().map { index, line in
      let margin =
        index == 0
        ? String(repeating: " ", count: Self.indent) + style.paint(padded(label, to: start - Self.indent - 2), .faint)
          + "  " : String(repeating: " ", count: start)
      return margin + (ink.map { style.paint(line, $0) } ?? line)
    }
  }
}

/// `SIGTERM`, or `signal 99` for one without a common name.
private func signalName(_ number: Int) -> String {
  let names = [1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 6: "SIGABRT", 9: "SIGKILL", 13: "SIGPIPE", 15: "SIGTERM"]
  return names[number] ?? "signal \(number)"
}
