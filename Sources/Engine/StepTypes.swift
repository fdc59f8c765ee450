package import Journal
package import Language
import Schema
import Steps

extension PlannedStep {
  /// What the step takes and gives, so that the journal can be read without the module or check.
  var types: TypesDeclared {
    switch action {
    case .module(let module, _):
      TypesDeclared(use: use, version: module.version, input: .record(module.input), output: .record(module.output))
    case .check(let check):
      TypesDeclared(use: use, version: nil, input: .record(check.inputType), output: check.outputType)
    }
  }
}

extension PlannedCheck {
  var outputType: ValueType { .record(RecordType(fields: outputs.map(\.declaration))) }
}

extension Plan {
  /// Its steps, for the journal of its run.
  package var facts: [PlannedStepFacts] { Self.facts(of: steps, inside: "") }

  private static func facts(of steps: [PlannedStep], inside prefix: String) -> [PlannedStepFacts] {
    steps.flatMap { step in
      let path = prefix + step.id
      let own = PlannedStepFacts(
        path: StepPath(path), title: step.title, use: step.use, effect: step.effect, diagnostic: step.isDiagnostic)
      guard case .check(let check) = step.action else { return [own] }
      return [own] + facts(of: check.steps, inside: path + "/")
    }
  }
}
