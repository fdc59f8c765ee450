import Crypto
package import Journal
package import Schema
package import Steps

/// What is to be done next in a run, as the machine sees it.
package enum RunAction: Sendable {
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
struct PendingQuestion: Sendable {
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
  /// Whether it was begun before, in a process that died.
  package var isBegunAgain = false

  /// The event that says that this try is about to begin.
  package var intent: Event { .stepIntent(StepIntent(path: path, attempt: attempt, key: key)) }
}

/// The key under which every try of one step of one run does its work: hex SHA-256 over the run's id, the stage and
/// the step's path, with a NUL between them, without the number of the try.
package func idempotencyKey(run: String, path: StepPath) -> String {
  sha256Hex(Array("\(run)\0\(path.stage.rawValue)\0\(path.text)".utf8))
}

/// A number from 0 up to 1 that a key and the number of a try determine: jitter that replays.
func draw(key: String, attempt: Int) -> Double {
  let digest = SHA256.hash(data: Array("\(key)\0\(attempt)".utf8))
  let number = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  return Double(number >> 11) / Double(UInt64(1) << 53)
}

extension Try {
  /// Asks the module whether the try took effect. One that cannot tell, or not in time, does not know.
  func reconciled(in context: StepContext) async -> StepReconciled {
    let answer: Reconciliation
    do { answer = try await module.reconcile(input, context) } catch {
      return reconciled(.unknown, error.finding.message)
    }
    switch answer {
    case .done(let output): return reconciled(.done, output: output ?? .null)
    case .notDone: return reconciled(.notDone)
    case .unknown(let reason): return reconciled(.unknown, reason)
    }
  }

  func reconciled(_ verdict: StepReconciled.ReconciliationVerdict, _ detail: String? = nil, output: Value = .null)
    -> StepReconciled
  {
    StepReconciled(path: path, attempt: attempt, verdict: verdict, detail: detail, output: output)
  }
}
