/// An option of turnserver.conf in a span of versions.
package struct ConfigurationOption: Hashable, Sendable {
  /// How coturn reads the value.
  package enum Kind: Hashable, Sendable {
    /// On or off; without a value it is on, and another word ends the server.
    case flag
    /// On as soon as it is there, whatever its value.
    case presence
    /// A number, read up to the first character that is no digit.
    case number
    /// A number like that; from 4.13.0 on, anything else ends the server.
    case port
    /// An IP address, or a name that is looked up once.
    case address
    /// An address, or two with a hyphen between.
    case range
    /// A file or folder.
    case path
    /// Any other text.
    case text
    /// A text that nobody else may see.
    case secret
    /// It is accepted, and does nothing any more.
    case ignored
  }

  package let name: String
  package let kind: Kind
  /// The first version that knows it so.
  package let since: CoturnVersion
  /// The first version that does not any more; nil: all later ones do.
  package let before: CoturnVersion?

  package init(
    _ name: String, _ kind: Kind, since: CoturnVersion = .oldestKnown, before: CoturnVersion? = nil
  ) {
    self.name = name
    self.kind = kind
    self.since = since
    self.before = before
  }

  package func exists(in version: CoturnVersion) -> Bool {
    version >= since && before.map { version < $0 } ?? true
  }
}

extension ConfigurationOption {
  /// What coturn makes of the value of a switch; nil if the value ends the server.
  package static func flag(_ value: String) -> Bool? {
    switch value.utf8.first {
    case nil: return true
    case .some(let first) where "0nNfF".utf8.contains(first): return false
    case .some(let first) where "123456789yYtT".utf8.contains(first): return true
    default: break
    }
    if ["on", "ON", "On"].contains(value) { return true }
    if ["off", "OFF", "Off"].contains(value) { return false }
    return nil
  }

  /// What C's `atoi` makes of a text.
  package static func number(_ value: String) -> Int {
    var digits = value.utf8.drop { $0 == 32 || (9...13).contains($0) }
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
    var number = 0
    for digit in digits.prefix(while: { (48...57).contains($0) }).prefix(18) { number = number * 10 + Int(digit - 48) }
    return isNegative ? -number : number
  }

  /// Whether a port is written as 4.13.0 and later demand it.
  package static func isPort(_ value: String) -> Bool {
    value.isEmpty || UInt16(value) != nil
  }
}
