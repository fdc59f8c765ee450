/// The type of a value of the runbook language: of a parameter, of a module's field, of an expression's result.
package indirect enum ValueType: Hashable, Sendable {
  /// A value whose type is not declared; `dyn` in expressions.
  case any
  case bool
  case int
  case double
  case string
  case bytes
  case timestamp
  case duration
  /// A number of bytes, `64MiB`; an int in expressions.
  case byteSize
  /// Bits per second, `800Mbps`; an int in expressions.
  case bandwidth
  /// `95%`; the double 95.0 in expressions.
  case percent
  /// A host name or an IP address.
  case host
  /// 1 to 65535.
  case port
  case ip
  case cidr
  /// A path of the file system.
  case path
  case url
  /// A `stun:`, `stuns:`, `turn:` or `turns:` URI (RFC 7064, RFC 7065).
  case turnURI
  /// A server under test with its credentials: ``TURNServer``.
  case turnServer
  /// Five fields of a cron schedule.
  case cron
  case enumeration([String])
  case list(ValueType)
  /// Text keys to values of one type.
  case map(ValueType)
  case record(RecordType)
  case optional(ValueType)
  /// A value that is never written anywhere in clear text.
  case secret(ValueType)

  /// True for types whose values carry, at any depth, something that must not be shown.
  package var holdsSecret: Bool {
    switch self {
    case .secret: true
    case .turnServer: true
    case .list(let element), .map(let element), .optional(let element): element.holdsSecret
    case .record(let record): record.fields.contains { $0.type.holdsSecret }
    default: false
    }
  }
}

/// The fields of a record, in the order in which they are shown.
@usableFromInline
package struct RecordType: Hashable, Sendable {
  package var fields: [FieldDeclaration]

  @usableFromInline
  package init(fields: [FieldDeclaration]) { self.fields = fields }

  package subscript(_ name: String) -> FieldDeclaration? { fields.first { $0.name == name } }
}

/// What is known of one field before anything runs: the source of checks, JSON Schema and reference text.
@usableFromInline
package struct FieldDeclaration: Hashable, Sendable {
  @usableFromInline package var name: String
  package var type: ValueType
  /// What stands for the field if it is not given; nil if it must be given (or, in an output, always is).
  package var fallback: Value?
  /// The smallest and the largest value allowed, both included.
  package var bounds: Bounds?
  /// For lists: whether one without elements is refused.
  package var mustHoldSomething: Bool
  /// Of a long list of records, people are shown those that have this value in the field; nil: all.
  package var foremost: Value?
  /// One line for people, with a capital letter and a full stop.
  package var summary: String

  package init(
    name: String, type: ValueType, fallback: Value? = nil, bounds: Bounds? = nil, mustHoldSomething: Bool = false,
    foremost: Value? = nil, summary: String
  ) {
    self.name = name
    self.type = type
    self.fallback = fallback
    self.bounds = bounds
    self.mustHoldSomething = mustHoldSomething
    self.foremost = foremost
    self.summary = summary
  }

  package var isRequired: Bool { fallback == nil }
}

/// The limits of an ordered value, both included.
package struct Bounds: Hashable, Sendable {
  package var minimum: Value
  package var maximum: Value

  package init(minimum: Value, maximum: Value) {
    self.minimum = minimum
    self.maximum = maximum
  }

  /// True for a value inside the limits, and for one of a type that has no order.
  package func contains(_ value: Value) -> Bool {
    switch (minimum, value, maximum) {
    case (.int(let low), .int(let number), .int(let high)): (low...high).contains(number)
    case (.double(let low), .double(let number), .double(let high)): (low...high).contains(number)
    case (.duration(let low), .duration(let time), .duration(let high)): (low...high).contains(time)
    default: true
    }
  }
}

extension ValueType: CustomStringConvertible {
  /// As it is written in a runbook: `list<duration>`, `enum(udp, tcp)`.
  package var description: String {
    switch self {
    case .any: "any"
    case .bool: "bool"
    case .int: "int"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "timestamp"
    case .duration: "duration"
    case .byteSize: "bytesize"
    case .bandwidth: "bandwidth"
    case .percent: "percent"
    case .host: "host"
    case .port: "port"
    case .ip: "ip"
    case .cidr: "cidr"
    case .path: "path"
    case .url: "url"
    case .turnURI: "turn-uri"
    case .turnServer: "turn-server"
    case .cron: "cron"
    case .enumeration(let names): "enum(\(names.joined(separator: ", ")))"
    case .list(let element): "list<\(element)>"
    case .map(let element): "map<\(element)>"
    case .record(let record):
      "record{" + record.fields.map { "\($0.name): \($0.type)" }.joined(separator: ", ") + "}"
    case .optional(let wrapped): "optional<\(wrapped)>"
    case .secret(let wrapped): "secret<\(wrapped)>"
    }
  }

  /// The types without parameters, by their names.
  package static let simple: [ValueType] = [
    .any, .bool, .int, .double, .string, .bytes, .timestamp, .duration, .byteSize, .bandwidth, .percent, .host, .port,
    .ip,
    .cidr, .path, .url, .turnURI, .turnServer, .cron,
  ]
}
