internal import Schema

/// A parameter of a runbook or an input of a check.
struct Parameter: Sendable {
  var declaration: FieldDeclaration
  /// What stands for it if it is not given, with expressions in it; nil if the declaration's fallback says all.
  var computedDefault: Template?
  /// The default as written, where it is computed.
  var defaultSource: String?
  var range: SourceRange
  /// Set where the declaration was reported, so that nothing else is said of it.
  var isReported = false

  var isRequired: Bool { declaration.isRequired && computedDefault == nil }
}

/// Reads declarations of params, inputs and outputs.
struct ParameterReader {
  let log: IssueLog
  /// `params` or `inputs`: what is read.
  let subject: String
  let admitsSecrets: Bool
  /// How the expressions of a default are compiled; nil if it must be a literal.
  let compiler: ExpressionCompiler?

  func parameters(_ node: YAMLNode) -> [Parameter] {
    guard case .mapping(let mapping) = node else {
      if case .refused = node { return [] }
      log.error("type-mismatch", "expected a mapping for \(subject), found \(node.kind)", at: node.range)
      return []
    }
    return mapping.entries.compactMap { parameter($0.key, $0.value) }
  }

  /// What stands for a declaration that was reported: its uses are no problems of their own.
  private func unknown(_ name: YAMLNode.Scalar) -> Parameter {
    Parameter(
      declaration: FieldDeclaration(name: name.text, type: .any, fallback: .null, summary: ""), range: name.range,
      isReported: true)
  }

  private func parameter(_ name: YAMLNode.Scalar, _ node: YAMLNode) -> Parameter? {
    reportName(name, log: log)
    guard let reader = MappingReader<ParameterKey>(node, subject: "\"\(name.text)\"", log: log),
      let typeNode = reader[.type], let type = typeNode.declaredType(log: log)
    else { return unknown(name) }
    if !admitsSecrets, type.holdsSecret, type != .turnServer {
      log.error(
        "secret-parameter", "params are never secret", at: typeNode.range,
        suggestion: "declare it under secrets, which say where a secret comes from")
      return unknown(name)
    }
    var declaration = FieldDeclaration(name: name.text, type: type, summary: reader.prose(.doc) ?? "")
    if case .optional = type { declaration.fallback = .null }
    var parameter = Parameter(declaration: declaration, range: name.range)
    guard let defaultNode = reader[.default] else { return parameter }
    var context = ExpressionContext(roots: [.env])
    context.readsText = true
    let expressions = compiler.map { ValueDecoder.Expressions.compiled($0, at: context) } ?? .refused
    guard let template = ValueDecoder(log: log, expressions: expressions).template(defaultNode, as: type) else {
      // A name that is known, with a default that was reported, is still a name.
      parameter.declaration.fallback = .null
      return parameter
    }
    if let value = template.literal {
      parameter.declaration.fallback = value
    } else {
      parameter.computedDefault = template
      if case .scalar(let scalar) = defaultNode { parameter.defaultSource = scalar.text }
    }
    return parameter
  }
}

/// Reports a name that expressions could not spell.
func reportName(_ name: YAMLNode.Scalar, log: IssueLog) {
  guard !isIdentifier(name.text) else { return }
  let reason =
    isReservedWord(name.text)
    ? "\"\(name.text)\" is a word that expressions keep for themselves"
    : "\"\(name.text)\" is no name: a lower-case letter, then letters and digits"
  log.error(
    "name-form", reason, at: name.range, suggestion: fittingIdentifier(for: name.text).map { "write \($0)" })
}

extension YAMLNode {
  /// The type that a scalar names; nil if something was reported.
  func declaredType(log: IssueLog) -> ValueType? {
    guard case .scalar(let scalar) = self else {
      if case .refused = self { return nil }
      let suggestion = if case .mapping = self { "types with { } need quotes: \"record{…}\"" } else { String?.none }
      log.error("unknown-type", "expected a type, found \(kind)", at: range, suggestion: suggestion)
      return nil
    }
    do { return try ValueType(parsing: scalar.text) } catch {
      let positions = ScalarPositions(scalar)
      let isCut = scalar.style == .plain && error.end > scalar.text.utf8.count
      let comma = isCut ? "inside { }, a type with commas needs quotes: \"enum(a, b)\"" : nil
      log.error(
        "unknown-type", error.message, at: positions.range(error.start, error.end), meant: error.meant,
        suggestion: error.suggestion ?? comma)
      return nil
    }
  }
}
