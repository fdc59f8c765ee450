extension RecordedRun {
  /// What is done anew of a run that ended, so that what passed is not done again: the steps that did not pass, and those that
  /// were not done, since what comes before them, or around them, failed.
  ///
  /// Of a check or group it is what failed inside it. If all inside passed and its own judgement failed, what only looks is
  /// looked at again.
  package var failedParts: RunRetry {
    let standing = standing
    guard !isParent else { return RunRetry(targets: Self.failedTargets(standing)) }
    var tree = StepTree()
    for recorded in standing { tree.take(recorded.event) }
    return RunRetry(steps: tree.failed)
  }

  private static func failedTargets(_ events: [RecordedEvent]) -> [String] {
    var outcomes: [String: Outcome] = [:]
    for case .childFinished(let child) in events.lazy.map(\.event) { outcomes[child.target] = child.outcome }
    return events.flatMap { recorded in
      guard case .runPlanned(let planned) = recorded.event else { return [String]() }
      return planned.targets.filter { outcomes[$0].map { !$0.isGood } ?? true }
    }
  }
}

/// The steps of a run as they lie inside one another, and what each came to.
private struct StepTree {
  private struct Node {
    let path: StepPath
    var effect: Effect
    var isDiagnostic: Bool
    /// Nil as long as it has no end.
    var outcome: Outcome?
    /// What its last try came to.
    var result: Outcome?
    /// Whether it was tried several times as a whole, which only what looks may be.
    var isRepeated = false
    var inside: [StepPath] = []

    var isGood: Bool { outcome?.isGood == true }
    var hasFailed: Bool { !isDiagnostic && outcome.map { !$0.isGood && $0 != .skipped } ?? false }
  }

  private var nodes: [StepPath: Node] = [:]
  private var top: [StepPath] = []
  /// Whether something kept steps from beginning that is no step: a signal, or the timeout of the run.
  private var wasCut = false

  mutating func take(_ event: Event) {
    switch event {
    case .stepStarted(let step):
      if let tried = step.path.tried {
        nodes[tried]?.isRepeated = true
      } else {
        add(Node(path: step.path, effect: step.effect, isDiagnostic: step.diagnostic))
      }
    case .stepSkipped(let step):
      add(Node(path: step.path, effect: step.effect, isDiagnostic: false, outcome: .skipped))
    case .stepResult(let result): nodes[result.path]?.result = result.outcome
    case .stepFinished(let step): nodes[step.path]?.outcome = step.outcome
    case .runSignalled, .runTimedOut: wasCut = true
    default: break
    }
  }

  private mutating func add(_ node: Node) {
    guard node.path.stage == .before || node.path.stage == .steps else { return }
    guard nodes.updateValue(node, forKey: node.path) == nil else { return }
    if let owner = node.path.owner, nodes[owner] != nil {
      nodes[owner]?.inside.append(node.path)
    } else {
      top.append(node.path)
    }
  }

  /// The steps that are done anew, in the order of the run.
  var failed: [RetriedStep] { top.flatMap { failed($0) } }

  private func failed(_ path: StepPath) -> [RetriedStep] {
    guard let node = nodes[path] else { return [] }
    let inside = node.inside.compactMap { nodes[$0] }
    guard let outcome = node.outcome, !node.isGood else {
      // What passed may lack something only if the run was ended from outside; what has no end is gone on with.
      return node.isGood && !wasCut ? [] : node.inside.flatMap { failed($0) }
    }
    guard !inside.isEmpty else {
      return [RetriedStep(path, isUnknown: outcome == .indeterminate && node.result == .indeterminate)]
    }
    if node.isRepeated { return [RetriedStep(path)] }
    if outcome == .skipped || inside.contains(where: \.hasFailed) { return node.inside.flatMap { failed($0) } }
    guard node.effect > .observe else { return [RetriedStep(path)] }
    return inside.filter { $0.effect == .observe || !$0.isGood }.map { RetriedStep($0.path) }
  }
}
