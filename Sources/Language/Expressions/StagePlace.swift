internal import Journal
internal import Schema

/// Where among the stages of a runbook an expression stands.
struct StagePlace {
  /// ``Stage/before`` stands for every look at the hypothesis.
  var stage = Stage.steps
  /// The positions of the earlier steps of the same list, of a list other than the steps of the document.
  var before = 0..<0
  /// The position of the step that is taken back.
  var takenBack: Int?
}

extension ExpressionContext {
  /// The position of the step that the expression belongs to.
  var position: Int { stages.stage == .steps ? stepsBefore : stages.before.upperBound }

  /// Whether the result of the step at a position may be used, as far as its stage says.
  func sees(_ index: Int) -> Bool {
    index < stepsBefore || stages.before.contains(index) || stages.takenBack == index
  }

  /// Whether the step at a position may have no output here, for another reason than its own: whatever ended the run may have
  /// kept it from its end.
  func mayLackOutput(_ index: Int) -> Bool {
    stages.takenBack == index || (stages.stage == .finally && index < stepsBefore)
  }

  /// The place of the step that stands so many declarations further on, in the same list.
  func advanced(by count: Int) -> ExpressionContext {
    var place = self
    if stages.stage == .steps {
      place.stepsBefore += count
    } else {
      place.stages.before = stages.before.lowerBound..<stages.before.upperBound + count
    }
    return place
  }

  /// Why a step cannot be used here that its stage keeps from here, and what to do.
  func absence(of step: DocumentNames.Step) -> (message: String, advice: String) {
    switch (step.stage, stages.stage) {
    case (.before, .before), (.steps, .steps), (.finally, .finally):
      return (
        "the step \"\(step.id)\" comes later", "move the step \"\(step.id)\" up, before this one"
      )
    case (.before, _):
      return (
        "the step \"\(step.id)\" belongs to the hypothesis, which is looked at more than once",
        "write hypothesis.before.outcome"
      )
    case (.undo, .undo):
      return (
        "the step \"\(step.id)\" of an undo is not done before this one",
        "an undo sees the steps before its own, its own, and those before it in the undo"
      )
    case (.undo, _):
      return ("the step \"\(step.id)\" belongs to an undo, and nothing else sees it", "leave it out")
    case (_, .before):
      return (
        "the hypothesis is looked at before the steps, too: it cannot use the step \"\(step.id)\"",
        "look at it in the hypothesis itself"
      )
    case (_, .undo):
      return (
        "the step \"\(step.id)\" comes after the one that is taken back",
        "an undo sees the steps before its own, and its own"
      )
    default: return ("the step \"\(step.id)\" comes later", "leave it out")
    }
  }
}

/// `hypothesis` in expressions.
let hypothesisType: Schema.RecordType = {
  let look = ValueType.record(
    RecordType(fields: [FieldDeclaration(name: "outcome", type: outcomeType, summary: "What it came to.")]))
  return RecordType(fields: [
    FieldDeclaration(name: "before", type: look, summary: "The hypothesis before the steps."),
    FieldDeclaration(name: "after", type: look, summary: "The hypothesis after the steps."),
  ])
}()
