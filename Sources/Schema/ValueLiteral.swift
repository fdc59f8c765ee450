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
