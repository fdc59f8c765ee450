import Language
import Schema
import Steps

extension PlannedStep {
  /// What the numbers of its output stand for, by their paths, so that the journal can be read without the module.
  var outputUnits: [String: String] {
    switch action {
    case .module(let module, _): module.output.units
    case .check(let check): RecordType(fields: check.outputs.map(\.declaration)).units
    }
  }
}
