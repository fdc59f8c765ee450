package import Journal

/// When what the steps did is taken back.
package enum RollbackPolicy: String, Sendable, CaseIterable {
  case never
  /// When a step that stops the run, the hypothesis after the steps, the run's timeout or a signal ended the run.
  case onFailure
}

extension Plan {
  /// What a stage may come to, in the order in which it is done; of ``Stage/undo`` one entry for each step that has an undo.
  package func steps(of stage: Stage) -> [PlannedStep] {
    switch stage {
    case .before, .after: hypothesis
    case .steps: steps
    case .undo: rollback == .onFailure ? steps.reversed().compactMap(\.takenBack) : []
    case .again: rollback == .onFailure ? hypothesis : []
    case .finally: finally
    }
  }
}

extension PlannedStep {
  /// What takes it back, as a step of ``Stage/undo``; nil if nothing does.
  package var takenBack: PlannedStep? {
    guard !undo.isEmpty else { return nil }
    return PlannedStep(
      id: id, title: "Undo: \(title)", condition: nil, onFailure: .continue, isDiagnostic: false, range: range,
      body: .undo(undo))
  }
}
