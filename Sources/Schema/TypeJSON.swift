extension ValueType {
  /// The type as journals hold it: `"duration"`, `{"list": T}`, `{"map": T}`, `{"optional": T}`, `{"secret": T}`,
  /// `{"enum": ["udp", "tcp"]}`, `{"record": [["name", T], …]}`.
  package var json: JSON {
    switch self {
    case .enumeration(let names): ["enum": .array(names.map(JSON.string))]
    case .list(let element): ["list": element.json]
    case .map(let element): ["map": element.json]
    case .optional(let wrapped): ["optional": wrapped.json]
    case .secret(let wrapped): ["secret": wrapped.json]
    case .record(let record): ["record": .array(record.fields.map { [.string($0.name), $0.type.json] })]
    default: .string(description)
    }
  }

  /// Reads a type back. A name that this version does not know is `any`: a later version may have written it.
  ///
  /// Throws for what is no type at all.
  package init(json: JSON) throws(Mismatch) {
    switch json {
    case .string(let name): self = Self.simpleByName[name] ?? .any
    case .object(let members):
      guard members.count == 1, let member = members.first else {
        throw Mismatch("expected a type, found a mapping of \(members.count) members")
      }
      self = try Self.composed(member.name, of: member.value)
    default: throw Mismatch("expected a type, found \(Value(json).kind)")
    }
  }

  private static func composed(_ name: String, of part: JSON) throws(Mismatch) -> ValueType {
    switch name {
    case "list": return .list(try ValueType(json: part))
    case "map": return .map(try ValueType(json: part))
    case "optional": return .optional(try ValueType(json: part))
    case "secret": return .secret(try ValueType(json: part))
    case "enum":
      guard let names = part.array, case let texts = names.compactMap(\.string), texts.count == names.count else {
        throw Mismatch("expected the names of an enum")
      }
      return .enumeration(texts)
    case "record":
      guard let fields = part.array else { throw Mismatch("expected the fields of a record") }
      var declarations: [FieldDeclaration] = []
      for field in fields {
        guard let pair = field.array, pair.count == 2, let name = pair[0].string else {
          throw Mismatch("expected a field's name and type")
        }
        declarations.append(FieldDeclaration(name: name, type: try ValueType(json: pair[1]), summary: ""))
      }
      return .record(RecordType(fields: declarations))
    default: return .any
    }
  }

  private static let simpleByName = Dictionary(uniqueKeysWithValues: simple.map { ($0.description, $0) })

  /// The type without what its JSON form leaves out: fallbacks, limits and summaries of fields.
  package var shape: ValueType {
    switch self {
    case .list(let element): .list(element.shape)
    case .map(let element): .map(element.shape)
    case .optional(let wrapped): .optional(wrapped.shape)
    case .secret(let wrapped): .secret(wrapped.shape)
    case .record(let record):
      .record(
        RecordType(fields: record.fields.map { FieldDeclaration(name: $0.name, type: $0.type.shape, summary: "") }))
    default: self
    }
  }

  /// A value of this type as it reads back from a journal, whether it has been through one or not: durations, timestamps
  /// and bytes from their texts, where the type declares them; text stays text wherever it does not.
  ///
  /// What is not of the type, as what a step learnt before it failed, stays as JSON has it.
  package func restored(_ value: Value) -> Value {
    switch (self, value) {
    case (.optional(let wrapped), _): wrapped.restored(value)
    case (.duration, .string(let text)), (.timestamp, .string(let text)), (.bytes, .string(let text)):
      (try? parse(text)) ?? value
    case (.duration, .duration(let time)): parseDuration(durationLiteral(time)).map(Value.duration) ?? value
    case (.timestamp, .timestamp), (.bytes, .bytes), (_, .secret): value
    case (.double, .int(let number)), (.percent, .int(let number)): .double(Double(number))
    case (.list(let element), .list(let values)): .list(values.map(element.restored))
    case (.map(let element), .members(let members)):
      .members(members.map { Value.Member($0.name, element.restored($0.value)) })
    case (.record(let record), .members(let members)): .members(members.map(record.restored))
    case (.turnServer, .members(let members)): .members(members.map(TURNServer.recordType.restored))
    case (_, .string), (_, .int), (_, .double), (_, .bool), (_, .null): value
    default: Value(value.json)
    }
  }
}

extension RecordType {
  fileprivate func restored(_ member: Value.Member) -> Value.Member {
    Value.Member(member.name, (self[member.name]?.type ?? .any).restored(member.value))
  }
}

extension FieldType where Wrapped == ValueType {
  /// A type, in its JSON form.
  package static var type: Self {
    Self(
      .any, decode: { (value) throws(Mismatch) in try ValueType(json: value.json) }, encode: { Value($0.json) })
  }
}

extension ValueType {
  /// The type of a member of a record or a map; `any` where it declares none of this name.
  package func member(_ name: String) -> ValueType {
    switch self {
    case .record(let record): record[name]?.type ?? .any
    case .turnServer: TURNServer.recordType[name]?.type ?? .any
    case .map(let element): element
    case .optional(let wrapped), .secret(let wrapped): wrapped.member(name)
    default: .any
    }
  }
}

extension ValueType {
  /// A value as it is written in a runbook where this type is due, as JSON: sizes, bandwidths, percentages and durations
  /// with their units, everything else as it is.
  package func literal(_ value: Value) -> JSON {
    switch (self, value) {
    case (.byteSize, .int(let number)): .string(byteSizeLiteral(number))
    case (.bandwidth, .int(let number)): .string(bandwidthLiteral(number))
    case (.percent, .double(let number)): .string(percentLiteral(number))
    case (.optional(let wrapped), _), (.secret(let wrapped), _): wrapped.literal(value)
    case (.list(let element), .list(let values)): .array(values.map(element.literal))
    case (.map(let element), .members(let members)):
      .object(members.map { JSON.Member($0.name, element.literal($0.value)) })
    case (.record(let record), .members(let members)): record.literal(members)
    case (.turnServer, .members(let members)): TURNServer.recordType.literal(members)
    default: value.json
    }
  }
}

extension RecordType {
  fileprivate func literal(_ members: [Value.Member]) -> JSON {
    .object(members.map { JSON.Member($0.name, self[$0.name]?.type.literal($0.value) ?? $0.value.json) })
  }
}
