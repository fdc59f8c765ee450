internal import Schema

/// What was given for the params of a runbook or the inputs of a check: texts of the command line, and a file.
package struct GivenParameters: Sendable {
  /// `-p KEY=VALUE`, in the order given; the last of two with one key counts.
  package var texts: [(name: String, value: String)]
  /// A YAML or JSON file of names and values, and the name that issues give it; what `-p` gives goes before it.
  package var file: (name: String, bytes: [UInt8])?

  package init(texts: [(name: String, value: String)] = [], file: (name: String, bytes: [UInt8])? = nil) {
    self.texts = texts
    self.file = file
  }

  /// The values by name, each read by its parameter's declared type. Nothing in them is an expression.
  func values(of parameters: [Parameter], subject: String, log: IssueLog) -> [String: Value] {
    let declarations = Dictionary(
      parameters.map { ($0.declaration.name, $0.declaration) }, uniquingKeysWith: { first, _ in first })
    var values = fileValues(declarations, subject, log)
    for (name, text) in texts {
      let place = SourceRange(file: "-p \(name)", line: 1, column: 1, endColumn: text.unicodeScalars.count + 1)
      guard let declaration = declarations[name] else {
        Self.reportUnknown(name, declarations, subject, at: place, log)
        continue
      }
      values[name] = value(text, declaration, place, log)
    }
    return values
  }

  private func fileValues(_ declarations: [String: FieldDeclaration], _ subject: String, _ log: IssueLog)
    -> [String: Value]
  {
    guard let file, let document = Document(file.bytes, file: file.name, log: log) else { return [:] }
    guard case .mapping(let mapping) = document.root else {
      log.error("type-mismatch", "expected a mapping of names to values", at: document.root.range)
      return [:]
    }
    var values: [String: Value] = [:]
    let decoder = ValueDecoder(log: log, expressions: .literal, readsNull: true)
    for entry in mapping.entries {
      guard let declaration = declarations[entry.key.text] else {
        Self.reportUnknown(entry.key.text, declarations, subject, at: entry.key.range, log)
        continue
      }
      values[entry.key.text] = decoder.literal(entry.value, as: declaration.type)
    }
    return values
  }

  private static func reportUnknown(
    _ name: String, _ declarations: [String: FieldDeclaration], _ subject: String, at place: SourceRange,
    _ log: IssueLog
  ) {
    let names = declarations.keys.sorted()
    let near = nearName(to: name, among: names)
    let list = names.isEmpty ? "it has none" : "it has \(names.joined(separator: ", "))"
    log.error("unknown-param", "\(subject) has no param \"\(name)\"", at: place, meant: near, suggestion: list)
  }

  private func value(_ text: String, _ declaration: FieldDeclaration, _ place: SourceRange, _ log: IssueLog) -> Value? {
    if declaration.type.isCollection {
      guard let document = Document(Array(text.utf8), file: place.file, log: log) else { return nil }
      return ValueDecoder(log: log, expressions: .literal).literal(document.root, as: declaration.type)
    }
    do { return try declaration.type.parse(text) } catch {
      log.error(
        "type-mismatch", "the param \"\(declaration.name)\": \(error.reason)", at: place, meant: error.meant,
        suggestion: ValueDecoder(log: log, expressions: .literal).advice(on: text, as: declaration.type))
      return nil
    }
  }
}

extension ValueType {
  /// True for types whose values are written with brackets or braces.
  fileprivate var isCollection: Bool {
    switch self {
    case .list, .map, .record, .turnServer: true
    case .optional(let wrapped), .secret(let wrapped): wrapped.isCollection
    default: false
    }
  }
}
