package import Journal
package import Schema

/// The names that an expression may use, and what they stand for at one moment of a run.
///
/// The same shape serves a runbook (`params`, `target`, `secrets`, `steps`, `run`) and a check (`inputs`, `steps`); the
/// checker has seen to it that an expression uses only what its place has.
package struct Scope: Sendable {
  /// `params` of a runbook; a value of kind `members`.
  package var params: Value = .members([])
  /// `inputs` of a check.
  package var inputs: Value = .members([])
  package var target: TURNServer?
  package var secrets: [String: Secret] = [:]
  /// `env`, which only the defaults of params see; a value of kind `members`.
  package var environment: Value = .members([])
  /// The elements of the loops around, by the names that `as` gives them.
  package var items: [String: Value] = [:]
  /// What is known of the steps that have ended, by id.
  package var steps: [String: EndedStep] = [:]
  /// Of the run so far; `run.outcome`.
  package var outcome: Outcome = .pass
  /// What the hypothesis came to before the steps; skipped as long as it was not looked at.
  package var hypothesisBefore = Outcome.skipped
  /// The same after them.
  package var hypothesisAfter = Outcome.skipped
  package var runID = ""
  package var runStartedAt: Timestamp?
  /// The output of the try at hand, in `expect` and `until`.
  package var output: Value?

  /// What expressions may know of a step that has ended.
  package struct EndedStep: Hashable, Sendable {
    package var outcome: Outcome
    package var output: Value?
    package var attempts: Int

    package init(outcome: Outcome, output: Value?, attempts: Int) {
      self.outcome = outcome
      self.output = output
      self.attempts = attempts
    }
  }

  package init() {}
}
