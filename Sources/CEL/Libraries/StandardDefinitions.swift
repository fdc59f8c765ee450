/// The functions, constants and record types that an environment starts with.
struct StandardDefinitions: Sendable {
  let libraries: Set<CELLibrary>
  private(set) var functions: [String: [Overload]] = [:]
  private(set) var constants: [String: CELValue] = [:]
  private(set) var records: [String: CELRecordType] = [:]
  let dottedRoots: Set<String>

  /// Those of all libraries.
  static let all = StandardDefinitions(Set(CELLibrary.allCases))

  init(_ libraries: Set<CELLibrary>) {
    self.libraries = libraries
    var tables = [
      TypeConversions.functions, SizeFunctions.functions, TextFunctions.functions, TimeFunctions.functions,
    ]
    var types: [CELType] = [
      .null, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .list(.dyn), .map(.dyn, .dyn),
      .type(.dyn),
    ]
    if libraries.contains(.strings) { tables += [StringExtension.functions, FormatFunction.functions] }
    if libraries.contains(.math) { tables += [MathExtension.functions, BitFunctions.functions] }
    if libraries.contains(.encoders) { tables.append(EncodersExtension.functions) }
    if libraries.contains(.lists) { tables.append(ListsExtension.functions) }
    if libraries.contains(.sets) { tables.append(SetsExtension.functions) }
    if libraries.contains(.optionals) {
      tables.append(OptionalExtension.functions)
      types.append(.optional(.dyn))
    }
    if libraries.contains(.network) {
      tables += [AddressFunctions.functions, AddressRangeFunctions.functions]
      types += [.ip, .cidr]
    }
    for table in tables {
      for (name, overloads) in table { functions[name, default: []] += overloads }
    }
    for type in types { constants[type.name] = .type(type) }
    if libraries.contains(.wrappers) {
      for record in WrapperTypes.records { records[record.name] = record }
      constants["google.protobuf.NullValue.NULL_VALUE"] = .int(0)
    }
    let names = Array(constants.keys) + Array(functions.keys)
    dottedRoots = Set(names.compactMap { name in name.firstIndex(of: ".").map { String(name[..<$0]) } })
  }
}
