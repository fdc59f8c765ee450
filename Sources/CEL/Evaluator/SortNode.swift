/// `sortBy`.
final class SortNode: EvaluationNode {
  let range: CELSourceRange
  private let visit: Visit

  init(_ visit: Visit, _ range: CELSourceRange) {
    self.visit = visit
    self.range = range
  }

  func evaluate(_ frame: inout Frame) throws(EvaluationError) -> CELValue {
    var values: [CELValue] = []
    var keys: [CELValue] = []
    try visit.each(&frame, "sortBy") { (frame: inout Frame) throws(EvaluationError) -> Bool in
      values.append(frame.locals[visit.slots[0]])
      keys.append(try visit.body.evaluate(&frame))
      return true
    }
    do throws(EvaluationError) {
      return .list(try ListsExtension.sorted(values, by: keys, &frame.meter))
    } catch {
      throw error.placed(at: visit.body.range)
    }
  }
}
