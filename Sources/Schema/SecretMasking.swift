/// Takes the secrets that a program or a server was given out of what it answered, before that is shown or recorded:
/// ``Secret/mask`` stands in the place of each.
package struct SecretMasking: Sendable {
  /// The longest first: one may begin with another.
  private let secrets: [[UInt8]]

  package init(_ secrets: some Sequence<Secret>) {
    self.secrets = secrets.map { Array($0.revealText().utf8) }.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
  }

  /// For every secret in a value, at any depth.
  package init(secretsIn value: Value) { self.init(value.secrets) }

  package func masked(_ text: String) -> String {
    secrets.isEmpty ? text : String(decoding: masked(Array(text.utf8)), as: UTF8.self)
  }

  /// A value of this type, its texts masked. What has a syntax (an address, a URI) would lose it, and stays.
  package func masked(_ value: Value, as type: ValueType) -> Value {
    guard !secrets.isEmpty else { return value }
    return switch (type, value) {
    case (.string, .string(let text)), (.any, .string(let text)): .string(masked(text))
    case (.optional(let wrapped), _): masked(value, as: wrapped)
    case (.list(let element), .list(let values)): .list(values.map { masked($0, as: element) })
    case (.map(let element), .members(let members)):
      .members(members.map { .init(masked($0.name), masked($0.value, as: element)) })
    case (.record(let record), .members(let members)):
      .members(members.map { .init($0.name, masked($0.value, as: record[$0.name]?.type ?? .any)) })
    case (.any, .list(let values)): .list(values.map { masked($0, as: .any) })
    case (.any, .members): masked(value, as: .map(.any))
    default: value
    }
  }

  /// Bytes are compared: as characters, a secret with an accent behind it would be another text.
  ///
  /// - Parameter isCut: the end is missing, and may have been cut off inside a secret.
  package func masked(_ bytes: [UInt8], isCut: Bool = false) -> [UInt8] {
    var masked: [UInt8] = []
    masked.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let length = secrets.lazy.compactMap { Self.length(of: $0, in: bytes, at: index, isCut: isCut) }.first
      if let length {
        masked += Secret.mask.utf8
        index += length
      } else {
        masked.append(bytes[index])
        index += 1
      }
    }
    return masked
  }

  /// How many bytes are the secret's from here on; nil where it does not stand here.
  private static func length(of secret: [UInt8], in bytes: [UInt8], at index: Int, isCut: Bool) -> Int? {
    guard bytes[index] == secret[0] else { return nil }
    let length = min(secret.count, bytes.count - index)
    guard length == secret.count || isCut else { return nil }
    return bytes[index..<(index + length)].elementsEqual(secret[..<length]) ? length : nil
  }
}

extension Value {
  fileprivate var secrets: [Secret] {
    switch self {
    case .secret(let secret): [secret]
    case .list(let elements): elements.flatMap(\.secrets)
    case .members(let members): members.flatMap(\.value.secrets)
    default: []
    }
  }
}
