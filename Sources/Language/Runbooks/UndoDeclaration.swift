internal import Journal
internal import Schema
internal import Steps

extension StepDeclaration {
  /// Reads `undo`, and reports one that cannot stand there.
  mutating func readUndo(ids: inout [String: Int], mayUndo: Bool, _ documents: DocumentCompiler) {
    guard let range = reader.keyRange(.undo) else { return }
    let steps = stepDeclarations(reader[.undo], key: "undo", ids: &ids, documents)
    guard mayUndo else {
      documents.log.error(
        "undo-not-here", "\"undo\" stands only on a step in the runbook's own list of steps", at: range,
        suggestion: "put it on the step of the runbook around it")
      return
    }
    undo = steps
    guard let effects, !effects.contains(.change) else { return }
    let names = effects.map(\.rawValue).sorted().joined(separator: " and ")
    documents.log.error(
      "undo-without-change", "\(useName) changes nothing that could be taken back: its effect is \(names)", at: range,
      suggestion: "leave \"undo\" out")
  }
}
