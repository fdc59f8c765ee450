package import Schema

/// Earlier runs, read-only, for modules that compare with the past. Declared here, implemented by the ledger.
package protocol RunHistory: Sendable {
  /// The newest runs of a runbook first, at most `limit`; of all runbooks where `runbook` is nil.
  ///
  /// Throws if the state folder cannot be read.
  func runs(of runbook: String?, since: Timestamp?, limit: Int) throws -> [RunSummary]
}

/// What the ledger knows of one run.
package struct RunSummary: Hashable, Sendable {
  package var id: String
  package var number: Int64
  package var runbook: String
  package var target: String?
  package var parent: String?
  /// Ids of the steps that were asked for, where not all were; such a run does not stand for the whole runbook.
  package var only: [String]
  package var startedAt: Timestamp
  /// Nil while the run goes on, and where it died.
  package var finishedAt: Timestamp?
  /// From its first event to its last, whatever the wall clock did meanwhile. Nil while the run goes on, and where it died.
  package var took: Duration?
  /// Nil while the run goes on, and where it died.
  package var outcome: Outcome?
  /// Whether it is still being written to, without an end.
  package var goesOn: Bool
  /// Whether it did nothing, because another run held its lock.
  package var wasLockedOut: Bool

  package init(
    id: String, number: Int64, runbook: String, target: String?, parent: String?, only: [String] = [],
    startedAt: Timestamp,
    finishedAt: Timestamp?, took: Duration? = nil, outcome: Outcome?, goesOn: Bool = false, wasLockedOut: Bool = false
  ) {
    self.id = id
    self.number = number
    self.runbook = runbook
    self.target = target
    self.parent = parent
    self.only = only
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.took = took
    self.outcome = outcome
    self.goesOn = goesOn
    self.wasLockedOut = wasLockedOut
  }
}
