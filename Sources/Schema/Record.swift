/// One field of a record: its name in runbooks and reports, where it lies in the Swift value, and its type.
///
/// What reads and writes it is inlined into the declaration's module: there its types are known, and need not be looked up
/// again for every value.
@usableFromInline
package struct Field<Root: Sendable, Wrapped: Sendable>: Sendable {
  @usableFromInline package let declaration: FieldDeclaration
  @usableFromInline let type: FieldType<Wrapped>
  @usableFromInline let path: any KeyPath<Root, Wrapped> & Sendable

  /// - Parameters:
  ///   - fallback: what stands for the field if it is not given. An optional type has nil as its fallback already.
  ///   - summary: one line for people, with a capital letter and a full stop.
  package init(
    _ name: String, _ path: any KeyPath<Root, Wrapped> & Sendable, _ type: FieldType<Wrapped>,
    default fallback: Wrapped? = nil, _ summary: String
  ) {
    self.type = type
    self.path = path
    let fallback = fallback ?? type.absent
    declaration = FieldDeclaration(
      name: name, type: type.type, fallback: fallback.map(type.encode), bounds: type.bounds,
      mustHoldSomething: type.mustHoldSomething, foremost: type.foremost, summary: summary)
  }

  /// - Parameter members: this field's first; it is taken away.
  @inlinable
  func decode(from members: inout ArraySlice<Value.Member>) throws(Mismatch) -> Wrapped {
    guard let member = members.popFirst(), member.name == declaration.name else {
      throw Mismatch(path: declaration.name, "required, and not given")
    }
    do { return try type.decode(member.value) } catch { throw error.inside(declaration.name) }
  }
}

/// How a Swift struct is read from, and written as, a record of declared fields.
///
/// The declaration is the single source: the checker, JSON Schema, the reference and the journal read it. Fields are
/// given in the order of the initialiser's parameters; two fields of one type could be swapped unnoticed, which is why
/// ``swappedFields()`` exists and every module is tested by it.
@usableFromInline
package struct Record<Root: Sendable>: Sendable {
  @usableFromInline package let type: RecordType
  /// Takes the members in declared order.
  @usableFromInline let make: @Sendable ([Value.Member]) throws(Mismatch) -> Root
  /// The record's members, in declared order.
  @usableFromInline package let encode: @Sendable (Root) -> Value

  @inlinable
  package init<each Wrapped: Sendable>(
    _ make: @escaping @Sendable (repeat each Wrapped) -> Root, _ field: repeat Field<Root, each Wrapped>
  ) {
    var declarations: [FieldDeclaration] = []
    for field in repeat each field { declarations.append(field.declaration) }
    type = RecordType(fields: declarations)
    self.make = { (members) throws(Mismatch) in
      var members = members[...]
      return make(repeat try (each field).decode(from: &members))
    }
    encode = { root in
      var members: [Value.Member] = []
      for field in repeat each field {
        members.append(Value.Member(field.declaration.name, field.type.encode(root[keyPath: field.path])))
      }
      return .members(members)
    }
  }

  /// Reads a record from members that need not be complete: checks names, types and limits and fills in fallbacks.
  package func decode(_ value: Value) throws(Mismatch) -> Root {
    try decode(admitted: try ValueType.record(type).admit(value))
  }

  /// Reads a record as a journal holds it: see ``ValueType/read(_:)``.
  package func read(_ members: [JSON.Member]) throws(Mismatch) -> Root { try make(try type.read(members)) }

  func decode(admitted value: Value) throws(Mismatch) -> Root {
    guard case .members(let members) = value else { throw Mismatch("expected a mapping, found \(value.kind)") }
    return try make(members)
  }

  /// The names of fields that do not read back what was written into them: decodes two distinct samples of every field
  /// and encodes the result. Empty for a sound declaration.
  package func swappedFields() throws(Mismatch) -> [String] {
    var swapped: Set<String> = []
    for seed in [1, 2] {
      let sample = try ValueType.record(type).admit(type.sample(seed: seed * 1000))
      let written = encode(try decode(admitted: sample))
      for field in type.fields where written[field.name] != sample[field.name] { swapped.insert(field.name) }
    }
    return swapped.sorted()
  }
}

extension Record where Root == NoFields {
  /// A record without fields, for modules that take or give nothing.
  package static var empty: Self { Record { NoFields() } }
}

/// The value of a record without fields.
package struct NoFields: Hashable, Sendable {
  package init() {}
}
