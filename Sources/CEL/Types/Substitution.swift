/// What is known of the type parameters while an expression is checked.
struct Substitution {
  private var bindings: [String: CELType] = [:]
  private var freshCount = 0
  /// What the bindings were before the current assignment changed them.
  private var changes: [(name: String, before: CELType?)] = []

  private mutating func set(_ name: String, _ type: CELType) {
    changes.append((name, bindings[name]))
    bindings[name] = type
  }

  /// Takes back what an assignment changed that turned out to be impossible.
  private mutating func undo() {
    while let (name, before) = changes.popLast() { bindings[name] = before }
  }

  /// A parameter that no other place uses.
  mutating func fresh() -> CELType {
    freshCount += 1
    return .parameter("%\(freshCount)")
  }

  /// The types of an overload with its parameters replaced by fresh ones.
  mutating func instantiate(_ types: [CELType]) -> [CELType] {
    guard types.contains(where: \.hasParameter) else { return types }
    var renamed: [String: CELType] = [:]
    return types.map { rename($0, &renamed) }
  }

  private mutating func rename(_ type: CELType, _ renamed: inout [String: CELType]) -> CELType {
    switch type {
    case .parameter(let name):
      if let known = renamed[name] { return known }
      let new = fresh()
      renamed[name] = new
      return new
    case .list(let element): return .list(rename(element, &renamed))
    case .map(let key, let value): return .map(rename(key, &renamed), rename(value, &renamed))
    case .type(let of): return .type(rename(of, &renamed))
    case .optional(let wrapped): return .optional(rename(wrapped, &renamed))
    case .opaque(let name, let parameters): return .opaque(name, parameters.map { rename($0, &renamed) })
    default: return type
    }
  }

  /// The type with every known parameter replaced; with `dyn` for the unknown ones when `isFinal`.
  func apply(_ type: CELType, isFinal: Bool = false) -> CELType {
    let type = resolve(type)
    switch type {
    case .parameter(let name):
      if let known = bindings[name] { return apply(known, isFinal: isFinal) }
      return isFinal ? .dyn : type
    case .list(let element): return .list(apply(element, isFinal: isFinal))
    case .map(let key, let value): return .map(apply(key, isFinal: isFinal), apply(value, isFinal: isFinal))
    case .type(let of): return .type(apply(of, isFinal: isFinal))
    case .optional(let wrapped): return .optional(apply(wrapped, isFinal: isFinal))
    case .opaque(let name, let parameters):
      return parameters.isEmpty ? type : .opaque(name, parameters.map { apply($0, isFinal: isFinal) })
    default: return type
    }
  }

  /// Whether a value of type `source` may stand where `target` is due; binds parameters, unless it may not.
  mutating func assign(_ source: CELType, to target: CELType) -> Bool {
    changes.removeAll(keepingCapacity: true)
    if isAssignable(source, target) { return true }
    undo()
    return false
  }

  /// Whether all of `sources` may stand where `targets` are due; binds parameters, unless they may not.
  mutating func assign(_ sources: [CELType], to targets: [CELType]) -> Bool {
    changes.removeAll(keepingCapacity: true)
    if areAssignable(sources, targets) { return true }
    undo()
    return false
  }

  private mutating func areAssignable(_ sources: [CELType], _ targets: [CELType]) -> Bool {
    guard sources.count == targets.count else { return false }
    for (source, target) in zip(sources, targets) where !isAssignable(source, target) { return false }
    return true
  }

  /// The parameter at the end of a chain of bindings, or the type bound to it.
  private func resolve(_ type: CELType) -> CELType {
    var type = type
    while case .parameter(let name) = type, let bound = bindings[name], case .parameter = bound { type = bound }
    return type
  }

  private mutating func isAssignable(_ source: CELType, _ target: CELType) -> Bool {
    let source = resolve(source)
    let target = resolve(target)
    if source == target { return true }
    if case .parameter(let name) = target, case .parameter(let other) = source, bindings[name] == nil,
      bindings[other] == nil
    {
      // The older one stands for both, so that chains stay short.
      if Self.isOlder(name, other) { set(other, target) } else { set(name, source) }
      return true
    }
    if case .parameter(let name) = target, let known = bind(name, source) { return known }
    if case .parameter(let name) = source, let known = bind(name, target) { return known }
    switch (source, target) {
    case (.parameter, _), (_, .parameter): return false
    case (.dyn, _), (_, .dyn): return true
    case (.null, _): return target.isNullable
    case (_, .null): return source.isNullable
    case (.type, .type): return true
    case (.list(let a), .list(let b)), (.optional(let a), .optional(let b)): return isAssignable(a, b)
    case (.map(let k1, let v1), .map(let k2, let v2)): return isAssignable(k1, k2) && isAssignable(v1, v2)
    case (.opaque(let name, let a), .opaque(let other, let b)): return name == other && areAssignable(a, b)
    default: return false
    }
  }

  private static func isOlder(_ name: String, _ other: String) -> Bool {
    (name.utf8.count, name) < (other.utf8.count, other)
  }

  /// Binds a parameter, or widens what it is bound to; `nil` when the binding would hold itself.
  private mutating func bind(_ name: String, _ type: CELType) -> Bool? {
    if let bound = bindings[name] {
      guard isAssignable(type, bound) else { return false }
      let wider = moreGeneral(type, bound)
      if wider != bound, !occurs(name, in: wider) { set(name, wider) }
      return true
    }
    guard !occurs(name, in: type) else { return nil }
    set(name, type)
    return true
  }

  private func occurs(_ name: String, in type: CELType) -> Bool {
    let type = resolve(type)
    switch type {
    case .parameter(let other):
      if other == name { return true }
      return bindings[other].map { occurs(name, in: $0) } ?? false
    default: return type.parameters.contains { occurs(name, in: $0) }
    }
  }

  /// The least type that takes both of two types that go together: `dyn` wherever one of them has it.
  func moreGeneral(_ first: CELType, _ second: CELType) -> CELType {
    switch (first, second) {
    case (.dyn, _), (_, .dyn): .dyn
    case (.parameter, let other), (let other, .parameter): other
    case (.null, let other), (let other, .null): other
    case (.list(let a), .list(let b)): .list(moreGeneral(a, b))
    case (.optional(let a), .optional(let b)): .optional(moreGeneral(a, b))
    case (.map(let k1, let v1), .map(let k2, let v2)): .map(moreGeneral(k1, k2), moreGeneral(v1, v2))
    case (.opaque(let name, let a), .opaque(_, let b)): .opaque(name, zip(a, b).map { moreGeneral($0, $1) })
    default: first
    }
  }
}

extension CELType {
  /// Whether a type parameter appears in the type, at any depth.
  var hasParameter: Bool {
    if case .parameter = self { return true }
    return parameters.contains(where: \.hasParameter)
  }
}
