import Journal
import Schema
import Steps

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

  func reconciled(_ verdict: StepReconciled.Verdict, _ detail: String? = nil, output: Value = .null) -> StepReconciled {
    StepReconciled(path: path, attempt: attempt, verdict: verdict, detail: detail, output: output)
  }
}
