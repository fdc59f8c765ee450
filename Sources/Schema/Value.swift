/// A value of the runbook language. Text-like types (host, path, ip, URL, …) are `string`, sizes and bandwidths `int`,
/// percentages `double`; what a string stands for is said by the ``ValueType`` beside it.
@usableFromInline
package enum Value: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  case timestamp(Timestamp)
  case duration(Duration)
  case list([Value])
  /// A record or a map, its members in the order in which they are shown.
  case members([Member])
  indirect case secret(Secret)

  @usableFromInline
  package struct Member: Hashable, Sendable {
    @usableFromInline package let name: String
    @usableFromInline package let value: Value

    @usableFromInline package init(_ name: String, _ value: Value) {
      self.name = name
      self.value = value
    }
  }

  /// The value of the member with this name; nil if there is none.
  package subscript(_ name: String) -> Value? {
    guard case .members(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }
}

/// Something that is used but never shown. Its description, its mirror and its JSON form are ``Secret/mask``.
@usableFromInline
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// What stands in the place of a secret wherever one would be shown.
  package static let mask = "‹secret›"

  private let value: Value

  package init(_ value: Value) { self.value = value }

  /// A secret text.
  package init(_ text: String) { self.value = .string(text) }

  /// The value itself, for the one place that needs it.
  package func reveal() -> Value { value }

  /// The clear form as text.
  package func revealText() -> String { value.plainText }

  @usableFromInline package var description: String { Self.mask }
  @usableFromInline package var debugDescription: String { Self.mask }
  @usableFromInline package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Value {
  /// The form that journals and reports hold: durations and timestamps as their literals, bytes in base64, secrets masked.
  package var json: JSON {
    switch self {
    case .null: .null
    case .bool(let flag): .bool(flag)
    case .int(let number): .int(number)
    case .double(let number): .double(number)
    case .string(let text): .string(text)
    case .bytes(let bytes): .string(base64(bytes))
    case .timestamp(let moment): .string(moment.description)
    case .duration(let time): .string(durationLiteral(time))
    case .list(let elements): .array(elements.map(\.json))
    case .members(let members): .object(members.map { JSON.Member($0.name, $0.value.json) })
    case .secret: .string(Secret.mask)
    }
  }

  /// True if a secret lies in the value, at any depth.
  package var holdsSecret: Bool {
    switch self {
    case .secret: true
    case .list(let elements): elements.contains(where: \.holdsSecret)
    case .members(let members): members.contains { $0.value.holdsSecret }
    default: false
    }
  }
}

extension Value {
  /// The value as part of a text: text as it is, everything else in its JSON form. A secret is masked.
  package var plainText: String {
    if case .string(let text) = json { text } else { json.text() }
  }
}
