import Journal

extension Outline {
  /// The steps among the other stages of a run, in the order in which they are come to: each stage is a step that holds its own. No
  /// runbook has a step of its name, which ends in a colon.
  package var staged: (steps: [Step], last: [Step]) {
    var all = steps
    if !hypothesis.isEmpty {
      all.insert(
        Step(stage: .before, title: "The hypothesis, for the record", use: "hypothesis", hypothesis, .continue), at: 0)
      all.append(Step(stage: .after, title: "The hypothesis must hold", use: "hypothesis", [], .stop))
    }
    var last: [Step] = []
    if rollback == .onFailure {
      let entries = steps.reversed().filter { !$0.undo.isEmpty }.map { step in
        var entry = Step(stage: .undo, title: step.title, use: "undo", step.undo, .continue)
        entry.id = step.id
        return entry
      }
      last.append(Step(stage: .undo, title: "What is taken back", use: "undo", entries, .continue))
    }
    if !finally.isEmpty {
      last.append(Step(stage: .finally, title: "However the run ends", use: "finally", finally, .continue))
    }
    return (all, last)
  }
}

extension Outline.Step {
  fileprivate init(
    stage: Stage, title: String, use: String, _ steps: [Outline.Step], _ onFailure: PlannedStep.OnFailure
  ) {
    id = "\(stage.rawValue):"
    self.title = title
    doc = nil
    self.use = use
    effect = steps.map(\.effect).max() ?? .observe
    effects = steps.reduce(into: []) { $0.formUnion($1.effects) }
    group = []
    claimsToObserve = false
    inputs = []
    condition = nil
    until = nil
    retry = nil
    timeout = steps.reduce(.zero) { $0 + $1.timeout }
    self.onFailure = onFailure
    isDiagnostic = false
    expectations = []
    self.steps = steps
    undo = []
  }
}
