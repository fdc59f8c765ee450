package import Schema

/// One kind of event: its name in the journal, what it means, its fields, and when it must be on the disk. A new kind is a
/// type of this protocol, and its three lines in ``Event``.
///
/// A kind's fields are never taken away or given another meaning; a reader fills in fallbacks for those that came later
/// and keeps the ones it does not know.
package protocol JournalEvent: Hashable, Sendable {
  static var type: String { get }
  /// When it is written and what it says, in one line with a capital letter and a full stop.
  static var summary: String { get }
  static var durability: Durability { get }
  static var record: Record<Self> { get }
  /// The step that it is about; nil for events of the whole run.
  var step: StepPath? { get }
}

extension JournalEvent {
  package static var durability: Durability { .eventually }
  package var step: StepPath? { nil }
}

/// An event of one step.
package protocol StepEvent: JournalEvent {
  var path: StepPath { get }
}

extension StepEvent {
  package var step: StepPath? { path }
}

/// What a run's journal can hold.
package enum Event: Hashable, Sendable {
  case runStarted(RunStarted)
  case runPlanned(RunPlanned)
  case runResumed(RunResumed)
  case typesDeclared(TypesDeclared)
  case stepStarted(StepStarted)
  case elementsListed(ElementsListed)
  case stepIntent(StepIntent)
  case processStarted(ProcessStarted)
  case stepResult(StepResultRecorded)
  case stepReconciled(StepReconciled)
  case stepResolved(StepResolved)
  case stepWaiting(StepWaiting)
  case stepFinished(StepFinished)
  case stepSkipped(StepSkipped)
  case personAsked(PersonAsked)
  case personAnswered(PersonAnswered)
  case answerRefused(AnswerRefused)
  case phaseMissed(PhaseMissed)
  case notifyDelivered(NotifyDelivered)
  case notifyFailed(NotifyFailed)
  case notifySuppressed(NotifySuppressed)
  case hypothesisJudged(HypothesisJudged)
  case undoListed(UndoListed)
  case childStarted(ChildStarted)
  case childFinished(ChildFinished)
  case runSignalled(RunSignalled)
  case runTimedOut(RunTimedOut)
  case clockStepped(ClockStepped)
  case journalRecovered(JournalRecovered)
  case alertDue(AlertDue)
  case alertStanding(AlertStanding)
  case alertResolved(AlertResolved)
  case evidencePruned(EvidencePruned)
  case runFinished(RunFinished)
  /// A kind that this version does not know, with its fields as they stand.
  case unknown(type: String, fields: JSON)

  /// Every kind that this version knows, in the order in which a run meets them.
  package static let kinds: [EventKind] = [
    EventKind(Event.runStarted), EventKind(Event.runPlanned), EventKind(Event.runResumed),
    EventKind(Event.typesDeclared), EventKind(Event.stepStarted), EventKind(Event.elementsListed),
    EventKind(Event.stepIntent), EventKind(Event.processStarted), EventKind(Event.stepResult),
    EventKind(Event.stepReconciled), EventKind(Event.stepResolved),
    EventKind(Event.stepWaiting), EventKind(Event.stepFinished), EventKind(Event.stepSkipped),
    EventKind(Event.personAsked), EventKind(Event.personAnswered), EventKind(Event.answerRefused),
    EventKind(Event.phaseMissed), EventKind(Event.notifyDelivered), EventKind(Event.notifyFailed),
    EventKind(Event.notifySuppressed),
    EventKind(Event.hypothesisJudged),
    EventKind(Event.undoListed), EventKind(Event.childStarted),
    EventKind(Event.childFinished), EventKind(Event.runSignalled), EventKind(Event.runTimedOut),
    EventKind(Event.clockStepped), EventKind(Event.journalRecovered), EventKind(Event.alertDue),
    EventKind(Event.alertStanding), EventKind(Event.alertResolved),
    EventKind(Event.evidencePruned), EventKind(Event.runFinished),
  ]

  /// The event's own value; nil for a kind that is not known.
  var payload: (any JournalEvent)? {
    switch self {
    case .runStarted(let event): event
    case .runPlanned(let event): event
    case .runResumed(let event): event
    case .typesDeclared(let event): event
    case .stepStarted(let event): event
    case .elementsListed(let event): event
    case .stepIntent(let event): event
    case .processStarted(let event): event
    case .stepResult(let event): event
    case .stepReconciled(let event): event
    case .stepResolved(let event): event
    case .stepWaiting(let event): event
    case .stepFinished(let event): event
    case .stepSkipped(let event): event
    case .personAsked(let event): event
    case .personAnswered(let event): event
    case .answerRefused(let event): event
    case .phaseMissed(let event): event
    case .notifyDelivered(let event): event
    case .notifyFailed(let event): event
    case .notifySuppressed(let event): event
    case .hypothesisJudged(let event): event
    case .undoListed(let event): event
    case .childStarted(let event): event
    case .childFinished(let event): event
    case .runSignalled(let event): event
    case .runTimedOut(let event): event
    case .clockStepped(let event): event
    case .journalRecovered(let event): event
    case .alertDue(let event): event
    case .alertStanding(let event): event
    case .alertResolved(let event): event
    case .evidencePruned(let event): event
    case .runFinished(let event): event
    case .unknown: nil
    }
  }
}
