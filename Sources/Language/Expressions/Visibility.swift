/// Which steps an expression sees.
extension DocumentNames {
  /// A group of steps.
  struct Group: Equatable {
    /// Of the step that the group is.
    var index: Int
    var kind: Kind
    /// True if the run may go on although the group was skipped or failed.
    var mayLackSteps: Bool

    enum Kind {
      case sequence
      case parallel
      case loop
    }
  }

  /// Whether a step has surely ended at a place.
  enum Visibility: Equatable {
    /// It has, and may lack its output although it has no reason of its own.
    case ended(mayLackOutput: Bool)
    /// It cannot be used there; with why, and what to do.
    case unseen(message: String, advice: String)
  }

  func visibility(of index: Int, from context: ExpressionContext) -> Visibility {
    let position = context.position
    let step = steps[index]
    let around = steps.indices.contains(position) ? steps[position].groups : []
    let groups = step.groups
    if index == position || around.contains(where: { $0.index == index }) {
      return .unseen(
        message: "the step \"\(step.id)\" cannot use its own result here",
        advice: context.roots.contains(.output) ? "use output" : "expect and until can use it, as output")
    }
    let common = zip(around, groups).prefix { $0 == $1 }.count
    let isInside = groups.contains { $0.index == position }
    if !isInside, common > 0, around[common - 1].kind == .parallel {
      let group = steps[around[common - 1].index].id
      return .unseen(
        message: "the step \"\(step.id)\" is another branch of \"\(group)\": it may not have ended",
        advice: "use it behind \"\(group)\"")
    }
    let isTakenBack = context.stages.takenBack.map { taken in groups.contains { $0.index == taken } } ?? false
    guard context.sees(index) || isTakenBack || (context.isBehindGroup && isInside) else {
      let (message, advice) = context.absence(of: step)
      return .unseen(message: message, advice: advice)
    }
    let entered = groups.dropFirst(isInside ? around.count : common)
    if let loop = entered.first(where: { $0.kind == .loop }) {
      let id = steps[loop.index].id
      return .unseen(
        message: "the step \"\(step.id)\" ends once for each element of \"\(id)\"",
        advice: "use steps.\(id).output, which has what each element came to")
    }
    // What stands behind a group is come to only if the group is good.
    let left = isInside ? entered.dropFirst() : entered
    return .ended(
      mayLackOutput: isTakenBack || context.mayLackOutput(index) || left.contains { $0.mayLackSteps })
  }
}
