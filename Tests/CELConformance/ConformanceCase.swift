import CEL
import FoundationEssentials

/// One case of the suite, as its files write it.
struct ConformanceCase: Decodable, Sendable {
  struct Declaration: Decodable, Sendable {
    struct Function: Decodable, Sendable {
      let id: String
      let params: [CaseType]
      let result: CaseType
      let member: Bool
    }

    let name: String
    let type: CaseType?
    let function: [Function]?
  }

  struct Expectation: Decodable, Sendable {
    let value: CaseValue?
    let deducedType: CaseType?
    let error: [String]?
  }

  let section: String
  let name: String
  let expr: String
  let container: String?
  let disableMacros: Bool?
  let disableCheck: Bool?
  let checkOnly: Bool?
  let declarations: [Declaration]?
  let bindings: [String: CaseValue]?
  let expect: Expectation
}

/// A type as the cases write it: a name, or `{list: T}`, `{map: [K, V]}`, `{type: T}`, `{param: N}`, `{abstract: [name, …]}`.
struct CaseType: Decodable, Sendable {
  let type: CELType

  private enum Key: String, CodingKey {
    case list
    case map
    case type
    case param
    case abstract
  }

  private static let names: [String: CELType] = Dictionary(
    uniqueKeysWithValues: [
      CELType.dyn, .null, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration,
    ].map { ($0.name, $0) })

  init(from decoder: any Decoder) throws {
    if let name = try? decoder.singleValueContainer().decode(String.self) {
      type = Self.names[name] ?? .record(name)
      return
    }
    let object = try decoder.container(keyedBy: Key.self)
    if let element = try object.decodeIfPresent(CaseType.self, forKey: .list) {
      type = .list(element.type)
    } else if let pair = try object.decodeIfPresent([CaseType].self, forKey: .map) {
      type = .map(pair[0].type, pair[1].type)
    } else if let of = try object.decodeIfPresent(CaseType.self, forKey: .type) {
      type = .type(of.type)
    } else if let name = try object.decodeIfPresent(String.self, forKey: .param) {
      type = .parameter(name)
    } else {
      var parts = try object.nestedUnkeyedContainer(forKey: .abstract)
      let name = try parts.decode(String.self)
      var parameters: [CELType] = []
      while !parts.isAtEnd { parameters.append(try parts.decode(CaseType.self).type) }
      type = name == "optional_type" && parameters.count == 1 ? .optional(parameters[0]) : .opaque(name, parameters)
    }
  }
}

/// A value as the cases write it: `{type, value}`.
struct CaseValue: Decodable, Sendable {
  let value: CELValue

  private enum Key: String, CodingKey {
    case type
    case value
  }

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: Key.self)
    let type = try object.decode(String.self, forKey: .type)
    func text() throws -> String { try object.decode(String.self, forKey: .value) }
    func required<T>(_ value: T?) throws -> T {
      guard let value else {
        throw DecodingError.dataCorruptedError(forKey: .value, in: object, debugDescription: "no \(type)")
      }
      return value
    }
    switch type {
    case "null_type": value = .null
    case "bool": value = .bool(try object.decode(Bool.self, forKey: .value))
    case "int": value = .int(try required(Int64(try text())))
    case "uint": value = .uint(try required(UInt64(try text())))
    case "double": value = .double(try required(Double(try text())))
    case "string": value = .string(try text())
    case "bytes": value = .bytes([UInt8](try required(Data(base64Encoded: try text()))))
    case "list": value = .list(try object.decode([CaseValue].self, forKey: .value).map(\.value))
    case "map":
      let entries = try object.decode([[CaseValue]].self, forKey: .value).map { ($0[0].value, $0[1].value) }
      value = .map(try required(CELMap(entries: entries)))
    case "type": value = .type(.opaque(try text(), []))
    case "google.protobuf.Duration", "google.protobuf.Timestamp":
      let function = type.hasSuffix("Duration") ? "duration" : "timestamp"
      value = try CELEnvironment().compile("\(function)('\(try text())')").evaluate()
    default:
      throw DecodingError.dataCorruptedError(forKey: .type, in: object, debugDescription: "unknown type \(type)")
    }
  }
}
