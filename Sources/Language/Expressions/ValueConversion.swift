internal import CEL
internal import Schema

extension Shape {
  /// The value as expressions see it.
  ///
  /// - Parameter revealing: whether secrets are given in clear, which is right only if the result becomes a secret
  ///   again. Otherwise they are opaque: even an expression that slipped through the checks can do nothing with one.
  func expressionValue(_ value: Value, revealing: Bool) throws(EvaluationError) -> CELValue {
    switch (self, value) {
    case (.secret(let wrapped), .secret(let secret)):
      guard revealing else { return .opaque(OpaqueValue(typeName: opaqueSecret, payload: secret)) }
      return try wrapped.expressionValue(secret.reveal(), revealing: true)
    case (.optional, .null): return .none
    case (.optional(let wrapped), _): return .some(try wrapped.expressionValue(value, revealing: revealing))
    case (.ip, .string(let text)):
      guard let address = CELIPAddress(text) else {
        throw EvaluationError(.invalidArgument, "\(text) is no IP address")
      }
      return .ip(address)
    case (.cidr, .string(let text)):
      guard let range = CELAddressRange(text) else {
        throw EvaluationError(.invalidArgument, "\(text) is no address range")
      }
      return .cidr(range)
    case (.list(let element), .list(let values)):
      var result: [CELValue] = []
      for value in values { result.append(try element.expressionValue(value, revealing: revealing)) }
      return .list(result)
    case (.map(let element), .members(let members)):
      return try Self.map(members) { (value: Value) throws(EvaluationError) -> CELValue in
        try element.expressionValue(value, revealing: revealing)
      }
    case (.record(let type, let shapes), .members(let members)):
      var byName: [String: Value] = [:]
      for member in members { byName[member.name] = member.value }
      var fields: [CELValue?] = []
      for (field, shape) in zip(type.fields, shapes) {
        guard let value = byName[field.name], value != .null else {
          fields.append(nil)
          continue
        }
        fields.append(try shape.expressionValue(value, revealing: revealing))
      }
      return .record(CELRecord(type, fields: fields))
    default: return try Self.undeclared(value)
    }
  }

  private static func map(_ members: [Value.Member], _ convert: (Value) throws(EvaluationError) -> CELValue)
    throws(EvaluationError) -> CELValue
  {
    var entries: [(String, CELValue)] = []
    for member in members { entries.append((member.name, try convert(member.value))) }
    return .map(CELMap(entries))
  }

  private static func undeclared(_ value: Value) throws(EvaluationError) -> CELValue {
    switch value {
    case .null: return .null
    case .bool(let flag): return .bool(flag)
    case .int(let number): return .int(number)
    case .double(let number): return .double(number)
    case .string(let text): return .string(text)
    case .bytes(let bytes): return .bytes(bytes)
    case .timestamp(let moment):
      guard let moment = CELTimestamp(seconds: moment.seconds, nanoseconds: moment.nanoseconds) else {
        throw EvaluationError(.overflow, "the timestamp lies outside the years 1 to 9999")
      }
      return .timestamp(moment)
    case .duration(let time):
      let (seconds, attoseconds) = time.components
      guard let time = CELDuration(seconds: seconds, nanoseconds: Int32(attoseconds / 1_000_000_000)) else {
        throw EvaluationError(.overflow, "the duration exceeds 292 years")
      }
      return .duration(time)
    case .list(let values):
      var result: [CELValue] = []
      for value in values { result.append(try undeclared(value)) }
      return .list(result)
    case .members(let members): return try map(members, undeclared)
    case .secret(let secret): return .opaque(OpaqueValue(typeName: opaqueSecret, payload: secret))
    }
  }
}

private let opaqueSecret = "a secret"

/// How much of what an expression gave is taken as a value: one value can hold another many times, and is written out
/// each time.
struct ValueBudget {
  static let mostValues = 1_000_000
  static let mostOctets = 128 << 20

  private var values = 0
  private var octets = 0

  /// Counts a value, and the octets of its text.
  mutating func take(_ size: Int = 0) throws(EvaluationError) {
    values += 1
    octets += size
    guard values <= Self.mostValues else {
      throw EvaluationError(.limitExceeded, "the value has more than \(Self.mostValues) parts")
    }
    guard octets <= Self.mostOctets else {
      throw EvaluationError(.limitExceeded, "the value holds more than \(Self.mostOctets >> 20) MiB of text")
    }
  }
}

extension Value {
  /// What an expression gave, as a value of the runbook language.
  ///
  /// - Throws: `limitExceeded` if it is larger than ``ValueBudget`` allows; `invalidArgument` or `overflow` where the
  ///   runbook language has no such value.
  init(_ value: CELValue) throws(EvaluationError) {
    var budget = ValueBudget()
    try self.init(value, &budget)
  }

  /// The same, as one of several values that share a budget.
  init(_ value: CELValue, _ budget: inout ValueBudget) throws(EvaluationError) {
    try budget.take(value.textSize)
    switch value {
    case .null: self = .null
    case .bool(let flag): self = .bool(flag)
    case .int(let number): self = .int(number)
    case .uint(let number):
      guard let number = Int64(exactly: number) else {
        throw EvaluationError(.overflow, "the number \(number) exceeds 64 bits with a sign")
      }
      self = .int(number)
    case .double(let number): self = .double(number)
    case .string(let text): self = .string(text)
    case .bytes(let bytes): self = .bytes(bytes)
    case .timestamp(let moment):
      self = Timestamp(seconds: moment.seconds, nanoseconds: moment.nanoseconds).map(Value.timestamp) ?? .null
    case .duration(let time): self = .duration(.nanoseconds(time.nanoseconds))
    case .list(let values):
      var result: [Value] = []
      for value in values { result.append(try Value(value, &budget)) }
      self = .list(result)
    case .map(let map):
      var members: [Member] = []
      for (key, value) in zip(map.keys, map.values) {
        guard case .string(let name) = key else {
          throw EvaluationError(.invalidArgument, "a map whose keys are no texts is no value of a runbook")
        }
        try budget.take(name.utf8.count)
        members.append(Member(name, try Value(value, &budget)))
      }
      self = .members(members)
    case .optional(let optional):
      if let value = optional.value { try self.init(value, &budget) } else { self = .null }
    case .record(let record):
      var members: [Member] = []
      for (field, value) in zip(record.type.fields, record.fields) {
        if let value { members.append(Member(field.name, try Value(value, &budget))) }
      }
      self = .members(members)
    case .opaque(let opaque):
      switch opaque.payload {
      case let secret as Secret: self = .secret(secret)
      case let address as CELIPAddress: self = .string(address.description)
      case let range as CELAddressRange: self = .string(range.description)
      default: throw EvaluationError(.invalidArgument, "a value of type \(value.type) is no value of a runbook")
      }
    case .type(let type): self = .string(type.name)
    }
  }
}

extension CELValue {
  /// The octets that a text or bytes hold.
  var textSize: Int {
    switch self {
    case .string(let text): text.utf8.count
    case .bytes(let octets): octets.count
    default: 0
    }
  }
}
