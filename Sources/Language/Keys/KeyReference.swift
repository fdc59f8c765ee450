internal import Schema

/// What the documentation says of the keys of documents.
package enum KeyReference {
  /// Every kind of mapping that documents have, each once: runbook, check, what people are asked, backup set and `runbook.yaml`,
  /// each followed by what stands in it.
  package static let mappings: [any DocumentKey.Type] = {
    var found: [any DocumentKey.Type] = []
    func add(_ keys: any DocumentKey.Type) {
      guard !found.contains(where: { $0 == keys }) else { return }
      found.append(keys)
      for declaration in keys.declarations { declaration.value.keys.map(add) }
    }
    let documents: [any DocumentKey.Type] = [
      RunbookKey.self, CheckKey.self, QuestionKey.self, BackupKey.self, ProjectKey.self,
    ]
    for document in documents { add(document) }
    return found
  }()

  /// The table of the keys of one kind of mapping, in Markdown.
  package static func table(_ keys: any DocumentKey.Type) -> String {
    func rows<Key: DocumentKey>(_: Key.Type) -> [String] {
      let alternatives = alternatives(Key.self)
      return Key.supported.map { key in
        let declaration = key.declaration
        let presence = declaration.presence == .required || alternatives == [key.name] ? " Required." : ""
        return "| `\(key.name)` | \(declaration.value.notation) | \(declaration.summary)\(presence) |\n"
      }
    }
    let names = alternatives(keys).map { "`\($0)`" }
    let choice = names.count < 2 ? "" : "\nExactly one of \(names.joined(separator: ", ")) must be there.\n"
    return "| key | value | meaning |\n|---|---|---|\n" + rows(keys).joined() + choice
  }

  private static func alternatives<Key: DocumentKey>(_: Key.Type) -> [String] {
    Key.supported.filter { $0.declaration.presence == .alternative }.map(\.name)
  }
}

extension DocumentKey {
  /// Those of the supported keys, in their order.
  static var declarations: [KeyDeclaration] { supported.map(\.declaration) }

  /// The mapping as the documentation writes it: `{type, default, doc}`.
  fileprivate static var notation: String { "{\(supported.map(\.name).joined(separator: ", "))}" }
}

extension KeyValue {
  /// What stands behind the key, in Markdown.
  fileprivate var notation: String {
    switch self {
    case .prose: "text"
    case .plain(let type): type.notation
    case .template: "text with `${…}`"
    case .expression(.bool): "condition"
    case .expression: "expression"
    case .name: "name"
    case .typeName: "type"
    case .count: "`int`"
    case .moduleOrCheck: "name"
    case .anything: "value"
    case .inputs: "`{NAME: value}`"
    case .record(let record): "`{\(record.fields.map(\.name).joined(separator: ", "))}`"
    case .mapping(let keys): "`\(keys.notation)`"
    case .named(let keys, _): "`{NAME: \(keys.notation)}`"
    case .list(let keys): "list of \(keys.mappingName)s"
    case .conditions(let keys): "list of conditions or `\(keys.notation)`"
    }
  }
}

extension ValueType {
  fileprivate var notation: String {
    switch self {
    case .string: "text"
    case .bool: "`true` or `false`"
    case .enumeration(let names): names.map { "`\($0)`" }.joined(separator: ", ")
    case .list(.enumeration(let names)): "list of \(ValueType.enumeration(names).notation)"
    default: "`\(self)`"
    }
  }
}
