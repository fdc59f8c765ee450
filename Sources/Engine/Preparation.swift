import Journal
import Language
import Schema

/// What becomes of a step whose turn has come.
enum Preparation: Sendable {
  case skip(reason: String)
  /// The input, secrets in clear; or why the condition or the input has no value.
  case start(Result<Value, ExpressionError>)
}

extension PlannedStep {
  /// Evaluates the condition and the input: once, when the step's turn has come.
  func prepare(in scope: Scope) -> Preparation {
    do throws(ExpressionError) {
      if let condition, try condition.value(in: scope) != .bool(true) {
        return .skip(reason: "its condition is false: \(condition.source)")
      }
      return .start(.success(try evaluateInput(in: scope)))
    } catch { return .start(.failure(error)) }
  }

  /// The input with which the journal says that the step began. It is evaluated again only if the journal does not have it:
  /// secrets are masked there, and an input without a value is null.
  func input(recorded: Value, in scope: Scope) -> Result<Value, ExpressionError> {
    guard recorded != .null else {
      switch prepare(in: scope) {
      case .start(let input): return input
      case .skip(let reason): return .failure(ExpressionError(message: reason, range: range))
      }
    }
    let type = ValueType.record(body.input.type)
    guard type.holdsSecret else { return .success(type.restored(recorded)) }
    do throws(ExpressionError) { return .success(try evaluateInput(in: scope)) } catch { return .failure(error) }
  }

  /// As a journal gives it back, so that a run that is gone on with does the same.
  private func evaluateInput(in scope: Scope) throws(ExpressionError) -> Value {
    ValueType.record(body.input.type).restored(try body.input.template.value(in: scope))
  }
}
