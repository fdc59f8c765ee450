/// The wrapper types of `google.protobuf`, whose literals are plain values.
enum WrapperTypes {
  private static let wrappers: [(name: String, type: CELType, zero: CELValue)] = [
    ("BoolValue", .bool, .bool(false)),
    ("BytesValue", .bytes, .bytes([])),
    ("DoubleValue", .double, .double(0)),
    ("FloatValue", .double, .double(0)),
    ("Int32Value", .int, .int(0)),
    ("Int64Value", .int, .int(0)),
    ("StringValue", .string, .string("")),
    ("UInt32Value", .uint, .uint(0)),
    ("UInt64Value", .uint, .uint(0)),
  ]

  /// The types that literals of the wrappers have.
  static let unwrappedTypes: [String: CELType] = {
    var types = Dictionary(
      wrappers.map { ("google.protobuf.\($0.name)", $0.type) }, uniquingKeysWith: { first, _ in first })
    types["google.protobuf.Value"] = .dyn
    return types
  }()

  static let records: [CELRecordType] =
    wrappers.map { wrapper in
      CELRecordType(
        "google.protobuf.\(wrapper.name)", fields: [.init("value", wrapper.type, isOptional: true)],
        unwrapping: { fields in unwrap(fields.first ?? nil, wrapper.name, wrapper.zero) })
    } + [value]

  private static func unwrap(_ field: CELValue?, _ name: String, _ zero: CELValue) -> CELValue {
    guard let field else { return zero }
    if name == "FloatValue", case .double(let number) = field { return .double(Double(Float(number))) }
    return field
  }

  private static let value = CELRecordType(
    "google.protobuf.Value",
    fields: [
      .init("null_value", .int, isOptional: true), .init("number_value", .double, isOptional: true),
      .init("string_value", .string, isOptional: true), .init("bool_value", .bool, isOptional: true),
      .init("struct_value", .map(.string, .dyn), isOptional: true),
      .init("list_value", .list(.dyn), isOptional: true),
    ],
    unwrapping: { fields in
      if let first = fields.first, first != nil { return .null }
      return fields.compactMap { $0 }.first ?? .null
    })
}
