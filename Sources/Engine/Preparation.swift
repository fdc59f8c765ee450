import Language
import Schema

/// What becomes of a step whose turn has come.
enum Preparation {
  case skip(reason: String)
  case run(input: Value)
  /// Its condition or an input has no value.
  case broken(ExpressionError)
}

extension PlannedStep {
  /// A pure function of the scope, so that a replayed journal leads to the same.
  func prepare(in scope: Scope) -> Preparation {
    do {
      if let condition, try condition.value(in: scope) != .bool(true) {
        return .skip(reason: "its condition is false: \(condition.source)")
      }
      switch action {
      case .module(_, let input): return .run(input: try input.value(in: scope))
      case .check(let check): return .run(input: try check.input.value(in: scope))
      }
    } catch {
      return .broken(error)
    }
  }
}
