/// The declaration of a record type: a name and fields, each with its type.
///
/// Field names are resolved to positions when an expression is compiled; a record is an array of values.
public final class CELRecordType: Sendable {
  /// A field of a record type.
  public struct Field: Hashable, Sendable {
    /// The name, as expressions select it.
    public let name: String
    /// The type of its value when it is there.
    public let type: CELType
    /// Whether a record may lack it; reading a field that is lacking is an error, `has` and `.?` ask for it.
    public let isOptional: Bool

    /// Declares a field.
    public init(_ name: String, _ type: CELType, isOptional: Bool = false) {
      self.name = name
      self.type = type
      self.isOptional = isOptional
    }
  }

  /// The full name; what `type(x)` gives, and what `NAME{field: value}` builds.
  public let name: String
  /// The fields, in the order in which records hold them.
  public let fields: [Field]
  private let positions: [String: Int]
  /// What `NAME{…}` gives instead of a record: set for the wrappers of the well-known types only.
  let unwrapping: (@Sendable ([CELValue?]) -> CELValue)?

  /// Declares a record type. Of two fields with one name the first counts.
  public convenience init(_ name: String, fields: [Field]) {
    self.init(name, fields: fields, unwrapping: nil)
  }

  init(_ name: String, fields: [Field], unwrapping: (@Sendable ([CELValue?]) -> CELValue)?) {
    self.name = name
    self.fields = fields
    self.positions = Dictionary(fields.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.unwrapping = unwrapping
  }

  /// The position of a field, or `nil` when there is none of that name.
  public func position(of field: String) -> Int? { positions[field] }
}

/// A value of a record type.
public final class CELRecord: Sendable {
  /// The declaration.
  public let type: CELRecordType
  /// The values, in the order of the declaration's fields; `nil` where the record lacks the field.
  public let fields: [CELValue?]

  /// A record of so many values; missing ones at the end are lacking, surplus ones are left away.
  public init(_ type: CELRecordType, fields: [CELValue?]) {
    self.type = type
    let missing = type.fields.count - fields.count
    self.fields =
      missing == 0
      ? fields : Array(fields.prefix(type.fields.count)) + Array(repeating: nil, count: Swift.max(0, missing))
  }

  /// A record by field names; names that the type does not have are left away.
  public convenience init(_ type: CELRecordType, _ values: [String: CELValue]) {
    self.init(type, fields: type.fields.map { values[$0.name] })
  }

  /// The value of a field, or `nil` when it is lacking or unknown.
  public subscript(name: String) -> CELValue? { type.position(of: name).flatMap { fields[$0] } }
}

/// A value of an opaque type: the expression language compares it and hands it to functions.
public struct OpaqueValue: Hashable, Sendable {
  private final class Storage: Sendable {
    let typeName: String
    let payload: any Hashable & Sendable

    init(typeName: String, payload: any Hashable & Sendable) {
      self.typeName = typeName
      self.payload = payload
    }
  }

  private let storage: Storage

  /// The name of its type.
  public var typeName: String { storage.typeName }
  /// What the embedder put in.
  public var payload: any Hashable & Sendable { storage.payload }

  /// A value of the opaque type `typeName`.
  public init(typeName: String, payload: any Hashable & Sendable) {
    storage = Storage(typeName: typeName, payload: payload)
  }

  /// Whether both are of one type and hold equal payloads.
  public static func == (left: Self, right: Self) -> Bool {
    left.typeName == right.typeName && AnyHashable(left.payload) == AnyHashable(right.payload)
  }

  /// Agrees with `==`.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(typeName)
    hasher.combine(AnyHashable(payload))
  }
}
