package import Schema

/// One kind of event: its name in the journal, what it means, and its fields.
///
/// A kind's fields are never taken away or given another meaning; a reader fills in fallbacks for those that came later
/// and keeps the ones it does not know.
package protocol JournalEvent: Hashable, Sendable {
  static var type: String { get }
  /// When it is written and what it says, in one line with a capital letter and a full stop.
  static var summary: String { get }
  static var record: Record<Self> { get }
}

/// What a run's journal can hold.
package enum Event: Hashable, Sendable {
  case runStarted(RunStarted)
  case stepStarted(StepStarted)
  case stepIntent(StepIntent)
  case stepResult(StepResultRecorded)
  case stepWaiting(StepWaiting)
  case stepFinished(StepFinished)
  case stepSkipped(StepSkipped)
  case childStarted(ChildStarted)
  case childFinished(ChildFinished)
  case runSignalled(RunSignalled)
  case runTimedOut(RunTimedOut)
  case clockStepped(ClockStepped)
  case journalRecovered(JournalRecovered)
  case runFinished(RunFinished)
  /// A kind that this version does not know, with its fields as they stand.
  case unknown(type: String, fields: JSON)
}
