extension Checker {
  // MARK: Literals of lists, maps, records

  /// The type of a value that stands behind a `?`.
  private mutating func unwrapped(_ node: CELExpression, isOptional: Bool) -> CELType {
    let type = type(of: node)
    guard isOptional else { return type }
    switch substitution.apply(type) {
    case .optional(let wrapped): return wrapped
    case .dyn: return .dyn
    case .parameter:
      let wrapped = substitution.fresh()
      _ = substitution.assign(type, to: .optional(wrapped))
      return wrapped
    default:
      report(.typeMismatch, "'?' takes an optional, not \(show(type))", node.range)
      return .dyn
    }
  }

  /// The type of elements of both types; `dyn` when they have nothing in common.
  private mutating func join(_ first: CELType?, _ second: CELType) -> CELType {
    guard let first else { return second }
    guard substitution.assign(second, to: first) else { return .dyn }
    return substitution.moreGeneral(substitution.apply(first), substitution.apply(second))
  }

  mutating func list(_ elements: [CELExpression.Element]) -> CELType {
    var type: CELType?
    for element in elements { type = join(type, unwrapped(element.value, isOptional: element.isOptional)) }
    return .list(type ?? substitution.fresh())
  }

  mutating func map(_ entries: [CELExpression.Entry]) -> CELType {
    var key: CELType?
    var value: CELType?
    var known: Set<CELMap.Key> = []
    for entry in entries {
      var type = type(of: entry.key)
      if !isKey(type) {
        report(.typeMismatch, "no map has keys of type \(show(type))", entry.key.range)
        type = .dyn
      }
      // An entry with `?` may add nothing.
      if !entry.isOptional, case .literal(let literal) = entry.key.kind, let constant = CELMap.Key(literal),
        !known.insert(constant).inserted
      {
        report(.duplicateKey, "the key is in the map twice", entry.key.range)
      }
      key = join(key, type)
      value = join(value, unwrapped(entry.value, isOptional: entry.isOptional))
    }
    return .map(key ?? substitution.fresh(), value ?? substitution.fresh())
  }

  private func isKey(_ type: CELType) -> Bool {
    switch substitution.apply(type) {
    case .bool, .int, .uint, .string, .dyn, .parameter: true
    default: false
    }
  }

  mutating func record(_ node: CELExpression, _ name: CELExpression.Name, _ fields: [CELExpression.FieldValue])
    -> CELType
  {
    guard let type = environment.recordType(resolving: name.text) else {
      let near = Suggestion.nearest(to: name.text, among: Array(environment.records.keys))
      report(
        .undeclaredType, "undeclared type '\(name.text)'", name.range, about: .name(name.text), suggestion: near)
      return .dyn
    }
    refer(node, to: .recordType(type.name))
    var given: Set<String> = []
    for field in fields {
      let valueType = unwrapped(field.value, isOptional: field.isOptional)
      if !given.insert(field.field.text).inserted {
        report(.duplicateKey, "the field '\(field.field.text)' is given twice", field.field.range)
      }
      let expected = fieldType(of: .record(type.name), field.field, name.range)
      if !substitution.assign(valueType, to: expected) {
        let message = "the field '\(field.field.text)' is of type \(expected), not \(show(valueType))"
        report(.typeMismatch, message, field.value.range)
      }
    }
    for field in type.fields where !field.isOptional && !given.contains(field.name) {
      report(
        .missingField, "\(type.name) needs the field '\(field.name)'", node.range,
        about: .field(field.name, of: .record(type.name)))
    }
    return WrapperTypes.unwrappedTypes[type.name] ?? .record(type.name)
  }

  // MARK: Macros

  /// The type of a macro; its variables are the last ones known.
  mutating func comprehension(_ it: CELExpression.Comprehension) -> CELType {
    let variables = locals.suffix(it.variables.count).map(\.type)
    if let filter = it.filter { require(filter, .bool, "the filter of '\(it.function.text)'") }
    switch it.macro {
    case .all, .exists, .existsOne:
      require(it.body, .bool, "the predicate of '\(it.function.text)'")
      return .bool
    case .filter:
      require(it.body, .bool, "the predicate of '\(it.function.text)'")
      return .list(variables[0])
    case .map, .transformList: return .list(type(of: it.body))
    case .transformMap: return .map(variables[0], type(of: it.body))
    case .transformMapEntry:
      let entry = type(of: it.body)
      let type = CELType.map(substitution.fresh(), substitution.fresh())
      if substitution.assign(entry, to: type) { return type }
      report(.typeMismatch, "'\(it.function.text)' makes entries from maps, not \(show(entry))", it.body.range)
      return .map(.dyn, .dyn)
    case .optMap: return .optional(type(of: it.body))
    case .sortBy:
      let key = substitution.apply(type(of: it.body))
      switch key {
      case .dyn, .parameter: break
      case _ where ListsExtension.ordered.contains { $0.type == key }: break
      default: report(.typeMismatch, "'sortBy' needs keys that have an order, not \(show(key))", it.body.range)
      }
      if case .map = substitution.apply(type(of: it.range)) {
        report(.typeMismatch, "'sortBy' takes a list, not \(show(type(of: it.range)))", it.range.range)
      }
      return .list(variables[0])
    case .optFlatMap:
      let type = type(of: it.body)
      let result = CELType.optional(substitution.fresh())
      if substitution.assign(type, to: result) { return result }
      report(.typeMismatch, "'optFlatMap' takes an optional, not \(show(type))", it.body.range)
      return .optional(.dyn)
    }
  }

  /// The types of a macro's variables.
  mutating func variableTypes(_ it: CELExpression.Comprehension, _ range: CELType) -> [CELType] {
    let isTwo = it.variables.count == 2
    let isOptional = it.macro == .optMap || it.macro == .optFlatMap
    switch substitution.apply(range) {
    case .dyn: return [.dyn, .dyn]
    case .parameter where isOptional:
      let wrapped = substitution.fresh()
      _ = substitution.assign(range, to: .optional(wrapped))
      return [wrapped]
    case .parameter:
      _ = substitution.assign(.dyn, to: range)
      return [.dyn, .dyn]
    case .list(let element) where !isOptional: return isTwo ? [.int, element] : [element]
    case .map(let key, let value) where !isOptional: return [key, value]
    case .optional(let wrapped) where isOptional: return [wrapped]
    default:
      let due = isOptional ? "an optional" : "a list or map"
      report(.typeMismatch, "'\(it.function.text)' takes \(due), not \(show(range))", it.range.range)
      return [.dyn, .dyn]
    }
  }
}
