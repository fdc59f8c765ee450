import Journal
import Language
import Schema

/// What becomes of a step whose turn has come.
enum Preparation: Sendable {
  case skip(reason: String)
  /// The input, secrets in clear; or why the condition or the input has no value.
  case start(Result<Value, ExpressionError>)
  /// The elements of a loop; none only if it is judged all the same.
  case loop([Value])
}

extension PlannedStep {
  /// Evaluates the condition and the input: once, when the step's turn has come.
  func prepare(in scope: Scope) -> Preparation {
    do throws(ExpressionError) {
      if let condition, try condition.value(in: scope) != .bool(true) {
        return .skip(reason: "its condition is false: \(condition.source)")
      }
      if case .forEach(let loop) = body {
        let items = try loop.items(in: scope)
        let isJudged = !loop.expectations.isEmpty || loop.tries.until != nil
        return items.isEmpty && !isJudged ? .skip(reason: "its list is empty: \(loop.list.source)") : .loop(items)
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
      case .loop: return .success(.members([]))
      }
    }
    let type = ValueType.record(body.input.type)
    guard type.holdsSecret else { return .success(type.restored(recorded)) }
    do throws(ExpressionError) { return .success(try evaluateInput(in: scope)) } catch { return .failure(error) }
  }

  /// The event that says that it begins.
  ///
  /// - Parameter path: of the step; of a later try of a check or group, that of the try.
  func started(_ path: StepPath, input: Value) -> StepStarted {
    StepStarted(path: path, title: title, use: use, effect: effect, input: input, diagnostic: isDiagnostic)
  }

  /// As a journal gives it back, so that a run that is gone on with does the same.
  private func evaluateInput(in scope: Scope) throws(ExpressionError) -> Value {
    ValueType.record(body.input.type).restored(try body.input.template.value(in: scope))
  }
}

extension Loop {
  /// The list, evaluated. An element that the type of the list does not admit has no value.
  func items(in scope: Scope) throws(ExpressionError) -> [Value] {
    let value = try list.value(in: scope)
    do throws(Mismatch) {
      guard case .list(let items) = try ValueType.list(itemType).admit(value) else { return [] }
      return items.map { itemType.restored($0) }
    } catch { throw ExpressionError(message: "\(error.path): \(error.message)", range: list.range) }
  }
}
