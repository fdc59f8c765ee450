extension ValueType {
  /// Brings a value that an expression or a journal gave into this type, or says why it does not belong.
  ///
  /// Text becomes what the type says it is (`"4.2ms"` a duration: journals hold durations and timestamps as literals),
  /// an int serves as a double, absent optional fields become null, and a plain value may become a secret, never the reverse.
  package func admit(_ value: Value) throws(Mismatch) -> Value {
    switch (self, value) {
    case (.any, _) where !value.holdsSecret: return value
    case (.optional, .null): return .null
    case (.optional(let wrapped), _): return try wrapped.admit(value)
    case (.secret, .secret(let secret)):
      guard case .secret(let wrapped) = self else { return value }
      return .secret(Secret(try wrapped.admitUnseen(secret.reveal())))
    case (.secret(let wrapped), _): return .secret(Secret(try wrapped.admitUnseen(value)))
    case (.bool, .bool), (.int, .int), (.byteSize, .int), (.bandwidth, .int), (.double, .double), (.percent, .double),
      (.bytes, .bytes), (.timestamp, .timestamp), (.duration, .duration):
      return value
    case (.double, .int(let number)), (.percent, .int(let number)): return .double(Double(number))
    case (.port, .int(let number)):
      guard (1...65_535).contains(number) else { throw Mismatch("expected \(article), found \(number)") }
      return value
    case (.list(let element), .list(let values)): return .list(try Self.admit(values, as: element))
    case (.map(let element), .members(let members)): return .members(try Self.admit(members, as: element))
    case (.record(let record), .members(let members)): return .members(try record.admit(members))
    case (.turnServer, .members(let members)): return .members(try TURNServer.recordType.admit(members))
    case (.string, .string(let text)), (.host, .string(let text)), (.ip, .string(let text)), (.cidr, .string(let text)),
      (.path, .string(let text)), (.url, .string(let text)), (.turnURI, .string(let text)), (.cron, .string(let text)),
      (.enumeration, .string(let text)):
      try checkText(text)
      return value
    case (.bytes, .string(let text)), (.timestamp, .string(let text)), (.duration, .string(let text)):
      return try parse(text)
    case (_, .secret): throw Mismatch("a secret cannot be used where \(article) is due")
    default: throw Mismatch("expected \(article), found \(value.kind)")
    }
  }

  /// Admits what is or becomes a secret: why it does not belong is said without it.
  private func admitUnseen(_ value: Value) throws(Mismatch) -> Value {
    do { return try admit(value) } catch { throw Mismatch("the secret is not \(article)") }
  }

  private static func admit(_ values: [Value], as element: ValueType) throws(Mismatch) -> [Value] {
    var result: [Value] = []
    for (index, value) in values.enumerated() {
      do { result.append(try element.admit(value)) } catch { throw error.inside("[\(index)]") }
    }
    return result
  }

  private static func admit(_ members: [Value.Member], as element: ValueType) throws(Mismatch) -> [Value.Member] {
    var result: [Value.Member] = []
    for member in members {
      do { result.append(.init(member.name, try element.admit(member.value))) } catch {
        throw error.inside(member.name)
      }
    }
    return result
  }
}

extension RecordType {
  /// The members in declared order, each admitted by its field's type and limits, with fallbacks filled in.
  ///
  /// Throws for an unknown member, a missing required one, and a value out of bounds.
  package func admit(_ members: [Value.Member]) throws(Mismatch) -> [Value.Member] {
    for member in members where self[member.name] == nil {
      throw Mismatch(path: member.name, "unknown field", meant: nearName(to: member.name, among: fields.map(\.name)))
    }
    var result: [Value.Member] = []
    for field in fields {
      guard let given = members.first(where: { $0.name == field.name })?.value else {
        guard let fallback = field.fallback else { throw Mismatch(path: field.name, "required, and not given") }
        result.append(.init(field.name, fallback))
        continue
      }
      do { result.append(.init(field.name, try field.admit(given))) } catch { throw error.inside(field.name) }
    }
    return result
  }
}

extension ValueType {
  /// The value that a document stands for, admitted by this type. Unlike ``admit(_:)``, members that a record does not
  /// declare are left out, at any depth of records and lists: a later version may have written them.
  package func read(_ json: JSON) throws(Mismatch) -> Value {
    switch (self, json) {
    case (.optional, .null): return .null
    case (.optional(let wrapped), _): return try wrapped.read(json)
    case (.record(let record), .object(let members)): return .members(try record.read(members))
    case (.list(let element), .array(let elements)):
      var result: [Value] = []
      result.reserveCapacity(elements.count)
      for index in elements.indices {
        do { result.append(try element.read(elements[index])) } catch { throw error.inside("[\(index)]") }
      }
      return .list(result)
    case (.any, _): return Value(json)
    default: return try admit(Value(json))
    }
  }
}

extension RecordType {
  /// Those of the members that it does not declare.
  package func undeclared(of members: [JSON.Member]) -> [JSON.Member] {
    // What we wrote ourselves stands in declared order.
    if members.count <= fields.count, members.indices.allSatisfy({ members[$0].name == fields[$0].name }) { return [] }
    return members.filter { self[$0.name] == nil }
  }

  /// The members in declared order, those that it does not declare left out, with fallbacks filled in.
  ///
  /// Throws for a missing required one, and for one that is not of its type or out of bounds.
  package func read(_ members: [JSON.Member]) throws(Mismatch) -> [Value.Member] {
    var result: [Value.Member] = []
    result.reserveCapacity(fields.count)
    for index in fields.indices {
      let name = fields[index].name
      // What we wrote ourselves stands in declared order.
      let place =
        index < members.count && members[index].name == name ? index : members.firstIndex { $0.name == name }
      guard let place else {
        guard let fallback = fields[index].fallback else { throw Mismatch(path: name, "required, and not given") }
        result.append(.init(name, fallback))
        continue
      }
      do {
        let value = try fields[index].type.read(members[place].value)
        try fields[index].checkBounds(value)
        result.append(.init(name, value))
      } catch { throw error.inside(name) }
    }
    return result
  }
}

extension FieldDeclaration {
  /// The value, admitted by the field's type and inside its limits.
  package func admit(_ value: Value) throws(Mismatch) -> Value {
    let value = try type.admit(value)
    try checkBounds(value)
    return value
  }

  /// Throws if the value lies outside the field's limits.
  package func checkBounds(_ value: Value) throws(Mismatch) {
    if mustHoldSomething, value == .list([]) { throw Mismatch("must not be empty") }
    guard let bounds, !bounds.contains(value) else { return }
    throw Mismatch(
      "must lie from \(type.shown(bounds.minimum)) to \(type.shown(bounds.maximum)), found \(type.shown(value))")
  }
}

extension Value {
  /// What the value is, as a sentence names it; never the value itself.
  package var kind: String {
    switch self {
    case .null: "nothing"
    case .bool: "a truth value"
    case .int: "a whole number"
    case .double: "a number"
    case .string: "text"
    case .bytes: "bytes"
    case .timestamp: "a timestamp"
    case .duration: "a duration"
    case .list: "a list"
    case .members: "a mapping"
    case .secret: "a secret"
    }
  }

  /// The value that a JSON document stands for, before a type has admitted it.
  package init(_ json: JSON) {
    self =
      switch json {
      case .null: .null
      case .bool(let flag): .bool(flag)
      case .int(let number): .int(number)
      case .double(let number): .double(number)
      case .string(let text): .string(text)
      case .array(let elements): .list(elements.map(Value.init))
      case .object(let members): .members(members.map { Member($0.name, Value($0.value)) })
      }
  }
}
