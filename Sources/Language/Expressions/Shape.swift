internal import CEL
internal import Schema

/// How values of a declared type appear in expressions: their CEL type, and the way there and back.
indirect enum Shape: Sendable {
  /// What has no declared type.
  case any
  case scalar(CELType)
  case ip
  case cidr
  case list(Shape)
  case map(Shape)
  case record(CELRecordType, [Shape])
  case optional(Shape)
  case secret(Shape)

  var type: CELType {
    switch self {
    case .any: .dyn
    case .scalar(let type): type
    case .ip: .ip
    case .cidr: .cidr
    case .list(let element): .list(element.type)
    case .map(let element): .map(.string, element.type)
    case .record(let record, _): .record(record.name)
    case .optional(let wrapped): .optional(wrapped.type)
    case .secret(let wrapped): wrapped.type
    }
  }
}

/// Makes shapes of types, each record type once.
struct ShapeMaker: Sendable {
  /// In the order in which they were made.
  private(set) var records: [CELRecordType] = []
  private var made: [Key: Shape] = [:]
  private(set) var declarations: [String: Schema.RecordType] = [:]

  private struct Key: Hashable {
    var name: String
    var type: Schema.RecordType
  }

  /// - Parameter name: what messages call a record: "turn.relay output". The name is one that no expression can spell.
  mutating func shape(of type: ValueType, named name: String) -> Shape {
    switch type {
    case .any: .any
    case .bool: .scalar(.bool)
    case .int, .byteSize, .bandwidth, .port: .scalar(.int)
    case .double, .percent: .scalar(.double)
    case .string, .host, .path, .url, .turnURI, .cron, .enumeration: .scalar(.string)
    case .bytes: .scalar(.bytes)
    case .timestamp: .scalar(.timestamp)
    case .duration: .scalar(.duration)
    case .ip: .ip
    case .cidr: .cidr
    case .list(let element): .list(shape(of: element, named: name))
    case .map(let element): .map(shape(of: element, named: name))
    case .optional(let wrapped): .optional(shape(of: wrapped, named: name))
    case .secret(let wrapped): .secret(shape(of: wrapped, named: name))
    case .turnServer: record(TURNServer.recordType, named: "a turn-server")
    case .record(let record): self.record(record, named: name)
    }
  }

  /// A record whose optional fields may be lacking: `has(…)` and `.?` ask for them.
  mutating func record(_ type: Schema.RecordType, named name: String) -> Shape {
    if let known = made[Key(name: name, type: type)] { return known }
    var fields: [CELRecordType.Field] = []
    var shapes: [Shape] = []
    for field in type.fields {
      let isOptional = if case .optional = field.type { true } else { false }
      let wrapped = if case .optional(let wrapped) = field.type { wrapped } else { field.type }
      let shape = shape(of: wrapped, named: "\(name)'s \(field.name)")
      fields.append(.init(field.name, shape.type, isOptional: isOptional))
      shapes.append(shape)
    }
    // Two records that are called alike are told apart by a number.
    let unique = declarations[name] == nil ? name : "\(name) (\(records.count))"
    let record = CELRecordType(unique, fields: fields)
    declarations[unique] = type
    records.append(record)
    let shape = Shape.record(record, shapes)
    made[Key(name: name, type: type)] = shape
    return shape
  }
}
