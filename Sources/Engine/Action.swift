package import Journal
package import Schema
package import Steps

/// What is to be done next in a run, as the machine sees it.
package enum Action: Sendable {
  /// Something follows from what is known: append it to the journal, then apply it.
  case record(Event)
  /// A try is due: append its ``Try/intent``, apply it, then let the module do it.
  case begin(Try)
  /// It is not known how this try ended, and nothing else is due before this time: ask the module, once, and append what it
  /// says.
  case reconcile(Try, until: Duration?)
  /// Nobody could tell how these tries ended: nothing more is done until somebody tells, by `step.resolved`.
  case unresolved([UnresolvedTry])
  /// A question is due: append its ``Asking/event(by:run:at:)``, apply it, then wait for an answer.
  case ask(Asking)
  /// Nothing is due before this time, counted from the run's start, unless something happens; without a time nothing is
  /// due until then. Tries may go on.
  case wait(until: Duration?)
  /// Every step has ended: append `run.finished` with this outcome.
  case finish(Outcome, Finding?)
}

/// A question that was asked before the process died, and still waits.
struct WaitingQuestion: Sendable {
  let asking: Asking
  let asked: PersonAsked
  /// Counted from the run's start.
  let until: Duration
}

/// A try of which neither the journal nor the module tells how it ended.
package struct UnresolvedTry: Hashable, Sendable {
  package let path: StepPath
  package let attempt: Int
  /// What the module says of it.
  package let detail: String?
}

/// A run that cannot go on before somebody tells how some of its tries ended; its journal has no end.
package struct UnresolvedTries: Error, Hashable, Sendable {
  package let tries: [UnresolvedTry]
}

/// One try of a module's step.
package struct Try: Sendable {
  package let path: StepPath
  package let attempt: Int
  package let module: AnyStepModule
  package let effect: Effect
  /// Clear, secrets included.
  package let input: Value
  package let timeout: Duration
  package let key: String

  /// The event that says that this try is about to begin.
  package var intent: Event { .stepIntent(StepIntent(path: path, attempt: attempt, key: key)) }
}
