package import Journal
package import Language
import Schema
import Steps

extension PlannedStep {
  /// What the step takes and gives, so that the journal can be read without the module or check; nil for a group.
  var types: TypesDeclared? {
    switch body {
    case .call(let call):
      TypesDeclared(
        use: use, version: call.module.version, input: .record(call.module.input), output: .record(call.module.output))
    case .check(let check):
      TypesDeclared(use: use, version: nil, input: .record(check.inputType), output: .record(check.outputType))
    // A form's type is its own; the journal has it where the question is asked.
    case .ask(let question) where question.kind != .form:
      TypesDeclared(
        use: use, version: nil, input: .record(Question.inputType), output: .record(Question.agreementType))
    case .ask, .parallel, .forEach, .element, .phase, .undo: nil
    }
  }
}

extension Plan {
  /// Its steps, stage by stage, for the journal of its run.
  package var facts: [PlannedStepFacts] {
    Stage.allCases.flatMap { Self.facts(of: steps(of: $0), in: $0, inside: "") }
  }

  private static func facts(
    of steps: [PlannedStep], in stage: Stage, inside prefix: String
  ) -> [PlannedStepFacts] {
    steps.flatMap { step in
      let path = prefix + step.id
      let own = PlannedStepFacts(
        path: StepPath(path, in: stage), title: step.title, use: step.use, effect: step.effect,
        diagnostic: step.isDiagnostic)
      return [own] + facts(of: step.body.steps, in: stage, inside: path + "/")
    }
  }
}
