import Journal
import Language
import Schema

extension Expectation {
  /// Judges once, in a scope that holds the output. What cannot be evaluated is an `error`, never a pass.
  func judge(in scope: Scope) -> JudgedExpectation {
    let message = message.map { (message) -> String in
      do throws(ExpressionError) { return try message.value(in: scope).plainText } catch {
        return "\(message.source)  (this message has no value: \(error.message))"
      }
    }
    func judged(_ verdict: JudgedExpectation.ExpectationVerdict, _ parts: [ActualValue], _ error: String?)
      -> JudgedExpectation
    {
      JudgedExpectation(
        that: that.source, verdict: verdict, severity: severity, message: message, actual: parts, error: error)
    }
    do {
      let evaluation = try that.judge(in: scope)
      guard case .bool(let holds) = evaluation.value else {
        return judged(.error, evaluation.parts, "came to \(evaluation.value.kind), not to true or false")
      }
      return judged(holds ? .holds : .broken, evaluation.parts, nil)
    } catch {
      return judged(.error, error.parts, error.message)
    }
  }
}
