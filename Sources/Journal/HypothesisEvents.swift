package import Schema

/// The hypothesis was looked at, and this is what it came to.
package struct HypothesisJudged: JournalEvent {
  /// ``Stage/before``, ``Stage/after`` or ``Stage/again``.
  package var stage: Stage
  /// The worst outcome of its steps.
  package var outcome: Outcome
  package var verdict: HypothesisVerdict

  package enum HypothesisVerdict: String, Hashable, Sendable, CaseIterable {
    case holds, broken
    /// It holds again after the rollback.
    case restored
    /// It does not hold after the rollback, or that could not be found out.
    case notRestored
  }

  /// The verdict follows from when it was looked at and what it came to.
  package init(stage: Stage, outcome: Outcome) {
    let verdict: HypothesisVerdict =
      switch (stage == .again, outcome.isGood) {
      case (false, true): .holds
      case (false, false): .broken
      case (true, true): .restored
      case (true, false): .notRestored
      }
    self.init(stage: stage, outcome: outcome, verdict: verdict)
  }

  private init(stage: Stage, outcome: Outcome, verdict: HypothesisVerdict) {
    self.stage = stage
    self.outcome = outcome
    self.verdict = verdict
  }

  package static let type = "hypothesis.judged"
  package static let durability = Durability.always
  package static let summary = "The hypothesis was looked at: before the steps, after them, or again after a rollback."
  package static let record: Record<Self> = Record(
    { Self(stage: $0, outcome: $1, verdict: $2) },
    Field("stage", \.stage, .enumeration(Stage.self), "When it was looked at: before, after or again."),
    Field("outcome", \.outcome, .enumeration(Outcome.self), "The worst outcome of its steps."),
    Field(
      "verdict", \.verdict, .enumeration(HypothesisVerdict.self),
      "Before and after: holds or broken. After a rollback: restored or notRestored.")
  )
}
