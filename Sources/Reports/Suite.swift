import Journal
import Schema

/// The steps of one run that do something, as test runners count: what JUnit, TAP and monitoring plugins are made from.
struct Suite {
  /// Nil for a run without one, and for what a run over several targets says of itself.
  var target: String?
  var cases: [Case]
  /// The run that it tells; nil if its journal is not at hand.
  var report: RunReport?

  /// A step, or the run itself where its steps do not say how it ended.
  struct Case {
    /// Unique in the suite: the step's path, or `run`.
    var path: String
    var title: String
    var outcome: Outcome
    /// False for a diagnostic step.
    var isCounted: Bool
    var duration: Duration?
    /// Why it did not simply pass.
    var explanation: [LabelledText]
    /// Nil for the run itself, and for a child's step of which only its parent tells.
    var step: RunReport.Step?
  }
}

extension RunReport {
  /// One for the run; for a run over several targets one for each, and one for the run itself if it did not come to its own
  /// end.
  var suites: [Suite] {
    guard !children.isEmpty else { return [Suite(target: target, cases: cases, report: self)] }
    let own = Suite(target: nil, cases: ending(after: children.map(\.verdict)), report: self)
    return children.map(\.suite) + (own.cases.isEmpty ? [] : [own])
  }

  private var cases: [Suite.Case] {
    let steps = steps.flatMap { $0.flattened().map(\.step) }.filter { step in
      step.steps.isEmpty || (step.outcome != .pass && step.outcome != .skipped && step.hasOwnProblem)
    }
    let cases = steps.map { step in
      Suite.Case(
        path: step.path, title: step.title, outcome: step.outcome, isCounted: step.isCounted,
        duration: step.duration, explanation: step.explanation, step: step)
    }
    return cases + ending(after: cases.filter(\.isCounted).map(\.outcome))
  }

  /// The run itself, where what it is made of does not say how it ended: nothing may look better than it is.
  private func ending(after outcomes: [Outcome]) -> [Suite.Case] {
    let explanation = endExplanation
    guard !explanation.isEmpty || outcomes.isEmpty || Outcome.worst(outcomes) != verdict else { return [] }
    return [
      Suite.Case(
        path: "run", title: "The run comes to its end", outcome: verdict, isCounted: true, duration: nil,
        explanation: explanation)
    ]
  }
}

extension RunReport.Child {
  /// What the child run proves.
  var verdict: Outcome { report?.verdict ?? outcome }

  fileprivate var suite: Suite {
    if let report { return Suite(target: target, cases: report.suites[0].cases, report: report) }
    var cases = steps.map { step in
      Suite.Case(
        path: step.path.description, title: step.title, outcome: step.outcome, isCounted: step.path.stage.counts,
        duration: nil,
        explanation: step.explanation)
    }
    if cases.isEmpty || Outcome.worst(cases.map(\.outcome)) != outcome {
      let reason = outcome == .skipped ? "the run was never begun" : "its journal is not at hand"
      cases.append(
        Suite.Case(
          path: "run", title: "The run comes to its end", outcome: outcome, isCounted: true, duration: nil,
          explanation: [LabelledText(label: "found", text: reason)]))
    }
    return Suite(target: target, cases: cases)
  }
}
