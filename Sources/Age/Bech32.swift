/// Bech32 (BIP 173), in which age writes its keys; its limit of 90 characters does not hold there.
enum Bech32 {
  private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

  /// The polynomial's remainder over values of five bits: 1 if prefix and data belong to their checksum.
  private static func checksum(_ values: some Sequence<UInt8>) -> UInt32 {
    let generator: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
    return values.reduce(UInt32(1)) { sum, value in
      let top = sum >> 25
      let next = (sum & 0x1ff_ffff) << 5 ^ UInt32(value)
      return (0..<5).reduce(next) { (top >> $1) & 1 == 1 ? $0 ^ generator[$1] : $0 }
    }
  }

  private static func expanded(_ prefix: some Collection<UInt8>) -> [UInt8] {
    prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 }
  }

  /// Bits in groups of `from` as bits in groups of `to`; nil if what is left over is not zero or too long.
  private static func regrouped(_ values: some Sequence<UInt8>, from: Int, to: Int, padded: Bool) -> [UInt8]? {
    var result: [UInt8] = []
    var bits = 0
    var held = 0
    for value in values {
      held = held << from | Int(value)
      bits += from
      while bits >= to {
        bits -= to
        result.append(UInt8(held >> bits & (1 << to - 1)))
      }
      held &= 1 << bits - 1
    }
    if padded {
      if bits > 0 { result.append(UInt8(held << (to - bits))) }
    } else if bits >= from || held != 0 {
      return nil
    }
    return result
  }

  /// - Parameter prefix: in lower case.
  static func encode(_ prefix: String, _ data: [UInt8]) -> String {
    let values = regrouped(data, from: 8, to: 5, padded: true) ?? []
    let remainder = checksum(expanded(Array(prefix.utf8)) + values + [0, 0, 0, 0, 0, 0]) ^ 1
    let check = (0..<6).map { UInt8(remainder >> (5 * (5 - $0)) & 31) }
    return prefix + "1" + String(decoding: (values + check).map { alphabet[Int($0)] }, as: UTF8.self)
  }

  /// The data behind the prefix; nil if the text has another prefix, mixed case, or a wrong checksum.
  static func decode(_ text: some StringProtocol, prefix: String) -> [UInt8]? {
    let lower = text.lowercased()
    guard text == lower || text == text.uppercased(), lower.utf8.allSatisfy({ (33...126).contains($0) }),
      let separator = lower.lastIndex(of: "1"), lower[..<separator] == prefix
    else { return nil }
    let values = lower[separator...].dropFirst().utf8.compactMap { byte in
      alphabet.firstIndex(of: byte).map { UInt8($0) }
    }
    guard values.count == lower[separator...].utf8.count - 1, values.count >= 6,
      checksum(expanded(Array(prefix.utf8)) + values) == 1
    else { return nil }
    return regrouped(values.dropLast(6), from: 5, to: 8, padded: false)
  }
}
