internal import CEL
internal import Schema

extension ExpressionCompiler {
  /// The value of a scalar that holds `${…}`, as a field of this type; nil if something was reported.
  func template(_ scalar: YAMLNode.Scalar, as type: ValueType, at context: ExpressionContext) -> Template? {
    let hasComment = reportComment(behind: scalar)
    let positions = ScalarPositions(scalar)
    let pieces: [Piece]
    do { pieces = try Self.pieces(of: scalar.text) } catch {
      leaveOut()
      // Where a comment has cut the text, the brace that is not closed is no problem of its own.
      guard !hasComment else { return nil }
      for problem in error.problems {
        log.error("expression-syntax", problem.message, at: positions.range(problem.range.start, problem.range.end))
      }
      return nil
    }
    if pieces.count == 1, case .expression(let source, let offset) = pieces[0] {
      guard let compiled = compile(source, at: offset, of: positions, for: .value(type), in: context) else {
        return nil
      }
      guard let constant = compiled.program.constantValue else {
        let template = Template.expression(compiled.expression(type), context.readsText ? .any : type)
        return context.readsText ? reading(template, as: type, scalar) : template
      }
      if context.readsText, case .string(let text) = constant { return literal(text, type, scalar) }
      return literal(constant, type, compiled)
    }
    let texts = pieces.compactMap { if case .text(let text) = $0 { text } else { nil } }
    if texts.count == pieces.count { return literal(texts.joined(), type, scalar) }
    if context.readsText, type.isReadFromText {
      return text(pieces, positions, isSecret: false, at: context).map { reading($0, as: type, scalar) }
    }
    guard type.isText else {
      log.error(
        "mixed-text", "expected \(type.article); text with expressions in it is always text", at: scalar.range,
        suggestion: "write one ${…} that gives the whole value")
      return nil
    }
    return text(pieces, positions, isSecret: type.isSecretText, at: context)
  }

  /// What the template gives; text is read by the type.
  private func reading(_ template: Template, as type: ValueType, _ scalar: YAMLNode.Scalar) -> Template {
    let range = scalar.range
    let expression = Expression(source: scalar.text, type: type, range: range) { (scope, _) throws(ExpressionError) in
      let value = try template.value(in: scope)
      do throws(Mismatch) {
        guard case .string(let text) = value else { return .init(value: try type.admit(value), parts: []) }
        return .init(value: try type.parse(text), parts: [])
      } catch { throw ExpressionError(message: error.message, range: range) }
    }
    return .expression(expression, type)
  }

  /// Text with expressions in it; nil if something was reported.
  private func text(_ pieces: [Piece], _ positions: ScalarPositions, isSecret: Bool, at context: ExpressionContext)
    -> Template?
  {
    var parts: [Template.Part] = []
    for piece in pieces {
      switch piece {
      case .text(let text): parts.append(.text(text))
      case .expression(let source, let offset):
        let purpose = Purpose.text(maySecret: isSecret)
        if let compiled = compile(source, at: offset, of: positions, for: purpose, in: context) {
          parts.append(.expression(compiled.expression(.any)))
        }
      }
    }
    return parts.count == pieces.count ? .text(parts) : nil
  }

  private func literal(_ constant: CELValue, _ type: ValueType, _ compiled: CompiledExpression) -> Template? {
    do throws(EvaluationError) {
      let value = try Value(constant)
      do { return .literal(try type.admit(value)) } catch {
        log.error("type-mismatch", error.reason, at: compiled.whole, meant: error.meant)
      }
    } catch { log.error("type-mismatch", error.message, at: compiled.whole) }
    return nil
  }

  private func literal(_ text: String, _ type: ValueType, _ scalar: YAMLNode.Scalar) -> Template? {
    do { return .literal(try type.parse(text)) } catch {
      log.error("type-mismatch", error.reason, at: scalar.range, meant: error.meant)
      return nil
    }
  }

  private enum Piece {
    case text(String)
    /// The source and where it begins, in UTF-8.
    case expression(String, Int)
  }

  /// The text cut at `${…}`, `$${` as `${`. Throws if a brace is not closed.
  private static func pieces(of text: String) throws(CompileError) -> [Piece] {
    let bytes = Array(text.utf8)
    var pieces: [Piece] = []
    var literal: [UInt8] = []
    var offset = 0
    func starts(_ prefix: String, at offset: Int) -> Bool { bytes[offset...].starts(with: prefix.utf8) }
    while offset < bytes.count {
      if starts("$${", at: offset) {
        literal += Array("${".utf8)
        offset += 3
      } else if starts("${", at: offset) {
        let start = offset + 2
        let end = try CELTemplate.closingBrace(in: text, from: start)
        if !literal.isEmpty { pieces.append(.text(String(decoding: literal, as: UTF8.self))) }
        literal = []
        pieces.append(.expression(String(decoding: bytes[start..<end], as: UTF8.self), start))
        offset = end + 1
      } else {
        literal.append(bytes[offset])
        offset += 1
      }
    }
    if !literal.isEmpty { pieces.append(.text(String(decoding: literal, as: UTF8.self))) }
    return pieces
  }

  /// An expression that is a scalar as a whole: of `if`, `until`, `expect` and `outputs.*.value`.
  func expression(_ node: YAMLNode, of subject: String, as type: ValueType, at context: ExpressionContext)
    -> CompiledExpression?
  {
    guard case .scalar(let scalar) = node else {
      leaveOut()
      if case .refused = node { return nil }
      log.error(
        "type-mismatch", "expected an expression for \(subject), found \(node.kind)", at: node.range,
        suggestion: node.colonAdvice ?? "an expression that begins with { or [ needs quotes")
      return nil
    }
    guard !scalar.isMissing else {
      log.error("missing-value", "expected an expression for \(subject), found nothing", at: scalar.range)
      return nil
    }
    if reportComment(behind: scalar), scalar.style == .plain, !isReadable(scalar.text) {
      leaveOut()
      return nil
    }
    let positions = ScalarPositions(scalar)
    if scalar.text.hasPrefix("${"), scalar.text.hasSuffix("}") {
      log.error(
        "braces-not-needed", "\(subject) is an expression already, without ${…}", at: scalar.range,
        suggestion: "write \(scalar.text.dropFirst(2).dropLast())")
      return nil
    }
    if scalar.style == .plain, scalar.isCutAtComma {
      leaveOut()
      log.error(
        "expression-syntax", "a bracket is not closed", at: scalar.range,
        suggestion: "inside { } and [ ], an expression with a comma needs quotes")
      return nil
    }
    return compile(scalar.text, at: 0, of: positions, for: .value(type), in: context)
  }

  /// Reports a comment on a line of an expression: YAML cuts the text there, which may not be what was meant. What is
  /// left is checked all the same, so that every problem is known at once.
  private func reportComment(behind scalar: YAMLNode.Scalar) -> Bool {
    guard let comment = scalar.comment else { return false }
    log.error(
      "comment-on-expression", "a YAML comment stands on the line of an expression", at: comment,
      suggestion: "put the comment on a line of its own, or quote the expression if # belongs to it")
    return true
  }
}

extension YAMLNode.Scalar {
  /// True if a comma stands behind the scalar and a bracket inside it is not closed: a flow collection has cut it.
  fileprivate var isCutAtComma: Bool {
    guard end < source.scalars.count, source.scalars[end] == "," else { return false }
    let opened = text.count { "([{".contains($0) }
    return opened > text.count { ")]}".contains($0) }
  }
}

extension YAMLNode {
  /// How to quote a text that YAML has read as a mapping for the colon in it; nil if the node is no such mapping.
  fileprivate var colonAdvice: String? {
    guard case .mapping(let mapping) = self, mapping.entries.count == 1, let key = mapping.entries.first?.key,
      key.style == .plain, !isIdentifier(key.text)
    else { return nil }
    let line = key.source.scalars(ofLine: key.range.line)
    switch line[..<key.start].last(where: { $0 != " " }) {
    case "{": return nil
    case "-", ":":
      let whole = String(String.UnicodeScalarView(line[key.start...]))
      if !whole.contains(" #") { return "an expression with \": \" in it needs quotes: \(quoted(whole))" }
    default: break
    }
    return "an expression with \": \" in it needs quotes around the whole"
  }
}

extension ValueType {
  fileprivate var isSecretText: Bool {
    switch self {
    case .secret: true
    case .optional(let wrapped): wrapped.isSecretText
    default: false
    }
  }
}
