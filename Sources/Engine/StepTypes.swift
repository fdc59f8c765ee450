import Journal
import Language
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
