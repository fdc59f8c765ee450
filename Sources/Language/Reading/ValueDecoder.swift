internal import Schema

/// Reads nodes by declared types. Nothing is guessed from how a scalar looks: quoted or not, it is what its type says.
struct ValueDecoder {
  let log: IssueLog
  let expressions: Expressions
  /// Whether a plain `null` leaves an optional value out, as JSON has it. In documents people leave out the key.
  var readsNull = false

  /// What `${` means in a text.
  enum Expressions {
    /// It begins an expression.
    case compiled(ExpressionCompiler, at: ExpressionContext)
    /// It is reported: the place is one whose value must be known as it is written.
    case refused
    /// Nothing: the text comes from outside, or is for people only.
    case literal
  }

  /// The value, which holds no expression; nil if something was reported.
  func literal(_ node: YAMLNode, as type: ValueType) -> Value? {
    if case .literal(let value) = template(node, as: type) { value } else { nil }
  }

  /// The value of a field, inside its limits.
  func template(_ node: YAMLNode, as field: FieldDeclaration) -> Template? {
    let read = field.isArgumentVector ? arguments(node) : field.isScript ? script(node) : template(node, as: field.type)
    guard let template = read else { return nil }
    guard case .literal(let value) = template else { return template }
    do { try field.checkBounds(value) } catch {
      log.error("out-of-bounds", "\"\(field.name)\" \(error.message)", at: node.range)
      return nil
    }
    return template
  }

  /// Reads a node as a type, with the expressions in it; nil if something was reported.
  func template(_ node: YAMLNode, as type: ValueType) -> Template? {
    switch (node, type) {
    case (.refused, _): return nil
    case (_, .optional) where readsNull && node.isNull: return .literal(.null)
    case (_, .optional(let wrapped)) where !node.isExpression: return template(node, as: wrapped)
    case (.scalar(let scalar), _): return template(scalar, as: type)
    case (.sequence(let sequence), .list(let element)): return list(sequence, of: element)
    case (.sequence(let sequence), .any): return list(sequence, of: .any)
    case (.mapping(let mapping), .map(let element)): return map(mapping, of: element)
    case (.mapping(let mapping), .any): return map(mapping, of: .any)
    case (.mapping(let mapping), .record(let record)): return self.record(mapping, of: record, subject: "the record")
    case (.mapping(let mapping), .turnServer):
      return self.record(mapping, of: TURNServer.recordType, subject: "a turn-server")
    case (_, .secret(let wrapped)):
      guard case .literal(let value) = template(node, as: wrapped) else { return nil }
      return .literal(.secret(Secret(value)))
    case (.mapping, _) where node.isBareBraces:
      log.error(
        "type-mismatch", "expected \(type.article), found a mapping", at: node.range,
        suggestion: "text that begins with { needs quotes")
      return nil
    default:
      log.error("type-mismatch", "expected \(type.article), found \(node.kind)", at: node.range)
      return nil
    }
  }

  private func template(_ scalar: YAMLNode.Scalar, as type: ValueType) -> Template? {
    guard !scalar.isMissing else {
      log.error(
        "missing-value", "expected \(type.article), found nothing", at: scalar.range,
        suggestion: type.isText ? "write \"\" for an empty text" : nil)
      return nil
    }
    if case .compiled(_, let context) = expressions, type.isText { warnOfLookAlikes(in: scalar, at: context) }
    if scalar.text.contains("${") {
      switch expressions {
      case .compiled(let compiler, let context): return compiler.template(scalar, as: type, at: context)
      case .refused:
        log.error(
          "expression-not-here", "this must be known before anything runs; ${…} cannot stand here", at: scalar.range)
        return nil
      case .literal: break
      }
    }
    do { return .literal(try type.parse(scalar.text)) } catch {
      log.error(
        "type-mismatch", error.reason, at: scalar.range, meant: error.meant,
        suggestion: advice(on: scalar.text, as: type))
      return nil
    }
  }

  /// Reads a script for a shell. A shell would obey what an expression puts into it, so none may stand there; `$${` is the
  /// shell's own `${`.
  private func script(_ node: YAMLNode) -> Template? {
    let decoder = ValueDecoder(log: log, expressions: .literal)
    guard let template = decoder.template(node, as: .string), case .literal(.string(let text)) = template else {
      return nil
    }
    let parts = text.split(separator: "$${", omittingEmptySubsequences: false)
    guard !parts.contains(where: { $0.contains("${") }) else {
      log.error(
        "expression-in-shell", "the shell would obey what ${…} puts into the script", at: node.range,
        suggestion:
          "give the value by env: {NAME: \"${…}\"}, and write \"$NAME\" in the script; the shell's own ${…} is "
          + "written $${…}")
      return nil
    }
    return .literal(.string(parts.joined(separator: "${")))
  }

  /// Reads a program and its arguments, and reports what a shell would make of them.
  private func arguments(_ node: YAMLNode) -> Template? {
    guard case .sequence(let sequence) = node, case .compiled(let compiler, let context) = expressions else {
      return template(node, as: .list(.string))
    }
    let vector = ArgumentVector(sequence)
    for misreading in vector.misreadings {
      log.warning("shell-syntax", misreading.message, at: misreading.range, suggestion: misreading.advice)
    }
    let parsed = vector.parsedByShell
    return list(
      sequence.elements.enumerated().map { index, element in
        var context = context
        context.isArgument = true
        if parsed.contains(index) { context.shellAdvice = vector.advice(for: index) }
        return ValueDecoder(log: log, expressions: .compiled(compiler, at: context)).template(element, as: .string)
      })
  }

  private func list(_ sequence: YAMLNode.Sequence, of element: ValueType) -> Template? {
    list(sequence.elements.map { template($0, as: element) })
  }

  /// A list, as a literal where all of its elements are.
  private func list(_ elements: [Template?]) -> Template? {
    guard elements.allSatisfy({ $0 != nil }) else { return nil }
    let known = elements.compactMap(\.self)
    let values = known.compactMap(\.literal)
    return values.count == known.count ? .literal(.list(values)) : .list(known)
  }

  private func map(_ mapping: YAMLNode.Mapping, of element: ValueType) -> Template? {
    var members: [(name: String, value: Template)] = []
    for entry in mapping.entries {
      if case .compiled = expressions, entry.key.text.contains("${") {
        log.error(
          "expression-not-here", "a key is text as it stands; ${…} cannot stand in it", at: entry.key.range,
          suggestion: "write the key out")
      } else if let value = template(entry.value, as: element) {
        members.append((entry.key.text, value))
      }
    }
    guard members.count == mapping.entries.count else { return nil }
    return .membersFolded(members)
  }

  /// A record inside a value, as a literal where all of its fields are.
  private func record(_ mapping: YAMLNode.Mapping, of record: RecordType, subject: String) -> Template? {
    guard let template = members(mapping, of: record, subject: subject) else { return nil }
    guard case .members(let members, _) = template else { return template }
    var values: [Value.Member] = []
    for member in members {
      guard let value = member.value.literal else { return template }
      values.append(Value.Member(member.name, value))
    }
    do { return .literal(.members(try record.admit(values))) } catch {
      log.error("type-mismatch", "\(error.path): \(error.message)", at: mapping.range)
      return nil
    }
  }

  /// Reads a mapping as a record: reports unknown, missing and mistyped fields, all of them.
  ///
  /// - Parameter subject: what the record is, as a sentence names it: "turn.relay".
  func members(_ mapping: YAMLNode.Mapping, of record: RecordType, subject: String) -> Template? {
    var members: [(name: String, value: Template)] = []
    var isComplete = true
    for entry in mapping.entries {
      guard let field = record[entry.key.text] else {
        unknownField(entry.key, of: record, subject: subject)
        isComplete = false
        continue
      }
      if let value = template(entry.value, as: field) {
        members.append((field.name, value))
      } else {
        isComplete = false
      }
    }
    for field in record.fields where field.isRequired && mapping[field.name] == nil {
      log.error(
        "missing-field", "\(subject) needs \"\(field.name)\": \(field.type.article)", at: mapping.range,
        suggestion: field.summary.isEmpty ? nil : field.summary)
      isComplete = false
    }
    guard isComplete else { return nil }
    return .members(members, record)
  }

  /// True in what a step gives.
  private var isStepPlace: Bool { if case .compiled = expressions { true } else { false } }

  private func unknownField(_ key: YAMLNode.Scalar, of record: RecordType, subject: String) {
    let names = record.fields.map(\.name)
    let near = nearName(to: key.text, among: names)
    let list = names.isEmpty ? "it has no fields" : "it has \(names.joined(separator: ", "))"
    let isOfStep = StepKey(rawValue: key.text)?.declaration.isSupported == true && record[key.text] == nil
    let home =
      isOfStep && isStepPlace ? "\"\(key.text)\" is a key of the step: it stands beside \"with\", not in it" : nil
    log.error(
      "unknown-field", "\(subject) has no field \"\(key.text)\"", at: key.range, meant: home == nil ? near : nil,
      suggestion: home ?? list)
  }
}

extension YAMLNode {
  /// True for `null` or `~` without quotes, and for nothing (YAML 1.2.2, section 10.3.2).
  fileprivate var isNull: Bool {
    guard case .scalar(let scalar) = self, case .plain = scalar.style else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.text)
  }

  /// True for a scalar that is one expression as a whole.
  fileprivate var isExpression: Bool {
    if case .scalar(let scalar) = self { scalar.text.hasPrefix("${") } else { false }
  }

  /// True for a mapping that was most likely meant as a text: `{x}` and `${…}` inside a flow collection.
  fileprivate var isBareBraces: Bool {
    guard case .mapping(let mapping) = self else { return false }
    return mapping.entries.contains { entry in
      if case .scalar(let value) = entry.value { value.isMissing } else { false }
    }
  }
}

extension ValueType {
  /// True for types whose values are written as one scalar.
  var isReadFromText: Bool {
    switch self {
    case .list, .map, .record, .turnServer, .secret: false
    case .optional(let wrapped): wrapped.isReadFromText
    default: true
    }
  }

  /// True for types whose values are text, so that text with expressions in it can stand for one.
  var isText: Bool {
    switch self {
    case .any, .string, .host, .ip, .cidr, .path, .url, .turnURI, .cron, .enumeration: true
    case .optional(let wrapped), .secret(let wrapped): wrapped.isText
    default: false
    }
  }
}

extension Template {
  /// The value, if it is known as written.
  var literal: Value? {
    if case .literal(let value) = self { value } else { nil }
  }

  /// A map, as a literal where every value is one.
  fileprivate static func membersFolded(_ members: [(name: String, value: Template)]) -> Template {
    var values: [Value.Member] = []
    for member in members {
      guard let value = member.value.literal else { return .members(members, nil) }
      values.append(Value.Member(member.name, value))
    }
    return .literal(.members(values))
  }
}
