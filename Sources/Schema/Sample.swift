extension RecordType {
  /// A value of the type in which fields of one type differ; different seeds give different values.
  package func sample(seed: Int) -> Value {
    .members(fields.enumerated().map { Value.Member($1.name, $1.sample(seed: seed + $0 * 7)) })
  }
}

extension FieldDeclaration {
  fileprivate func sample(seed: Int) -> Value {
    let value = type.sample(seed: seed)
    guard let bounds, !bounds.contains(value) else { return value }
    switch (bounds.minimum, bounds.maximum) {
    case (.int(let low), .int(let high)): return .int(low + Int64(seed) % (high - low + 1))
    case (.double(let low), .double(let high)): return .double(low + (high - low) * Double(seed % 997) / 997)
    case (.duration(let low), .duration(let high)): return .duration(low + (high - low) / 997 * (seed % 997))
    default: return bounds.minimum
    }
  }
}

extension ValueType {
  /// A valid value of the type; different seeds give different values, but for types with few values.
  package func sample(seed: Int) -> Value {
    switch self {
    case .bool: .bool(seed % 2 == 0)
    case .int, .byteSize, .bandwidth: .int(Int64(seed))
    case .double, .percent: .double(Double(seed) + 0.5)
    case .any, .string: .string("text \(seed)")
    case .bytes: .bytes(Array("\(seed)".utf8))
    case .timestamp: Timestamp(seconds: Int64(seed), nanoseconds: 0).map(Value.timestamp) ?? .null
    case .duration: .duration(.milliseconds(seed))
    case .host: .string("host\(seed).example")
    case .port: .int(Int64(seed % 65_535 + 1))
    case .ip: .string("192.0.2.\(seed % 256)")
    case .cidr: .string("10.\(seed / 256 % 256).\(seed % 256).0/24")
    case .path: .string("/path/\(seed)")
    case .url: .string("https://host\(seed).example/")
    case .turnURI: .string("turn:host\(seed).example")
    case .turnServer: TURNServer.recordType.sample(seed: seed)
    case .cron: .string("\(seed % 60) * * * *")
    case .enumeration(let names): .string(names[seed % names.count])
    case .list(let element): .list([element.sample(seed: seed), element.sample(seed: seed + 1)])
    case .map(let element): .members([Value.Member("key\(seed)", element.sample(seed: seed))])
    case .record(let record): record.sample(seed: seed)
    case .optional(let wrapped): wrapped.sample(seed: seed)
    case .secret(let wrapped): .secret(Secret(wrapped.sample(seed: seed)))
    }
  }
}
