extension RecordType {
  /// The fields whose values are plain numbers in JSON but stand for a size, a bandwidth or a percentage: the type's name
  /// (`bytesize`, `bandwidth`, `percent`) by the field's path (`rtt.p95`). Fields inside lists and maps are left out.
  package var units: [String: String] {
    var units: [String: String] = [:]
    for field in fields {
      switch field.type.unwrapped {
      case .byteSize, .bandwidth, .percent: units[field.name] = field.type.unwrapped.description
      case .record(let record): for (path, unit) in record.units { units["\(field.name).\(path)"] = unit }
      default: break
      }
    }
    return units
  }
}

extension ValueType {
  fileprivate var unwrapped: ValueType {
    if case .optional(let wrapped) = self { wrapped.unwrapped } else { self }
  }
}
