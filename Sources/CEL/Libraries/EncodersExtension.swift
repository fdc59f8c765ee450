/// `base64.encode` and `base64.decode` (RFC 4648 section 4; when decoding, padding may be left away, and spare bits need not
/// be zero).
enum EncodersExtension {
  static let functions: [String: [Overload]] = [
    "base64.encode": [Overload("base64_encode_bytes", [.bytes], .string, implementation: .unary(encode))],
    "base64.decode": [Overload("base64_decode_string", [.string], .bytes, implementation: .unary(decode))],
  ]

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ value: CELValue) throws(EvaluationError) -> CELValue {
    guard case .bytes(let octets) = value else { throw EvaluationError.noOverload("base64.encode", [value]) }
    var output: [UInt8] = []
    output.reserveCapacity((octets.count + 2) / 3 * 4)
    for start in stride(from: 0, to: octets.count, by: 3) {
      let group = octets[start..<Swift.min(start + 3, octets.count)]
      let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
      for index in 0..<4 {
        let digit = Int(bits >> (18 - 6 * UInt32(index)) & 0x3F)
        output.append(index <= group.count ? alphabet[digit] : UInt8(ascii: "="))
      }
    }
    return .string(String(decoding: output, as: UTF8.self))
  }

  private static func decode(_ value: CELValue) throws(EvaluationError) -> CELValue {
    guard case .string(let text) = value else { throw EvaluationError.noOverload("base64.decode", [value]) }
    var digits = ArraySlice(Array(text.utf8))
    if digits.count % 4 == 0 {
      for _ in 0..<2 where digits.last == UInt8(ascii: "=") { digits.removeLast() }
    }
    guard digits.count % 4 != 1 else { throw notBase64 }
    var output: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for digit in digits {
      guard let sextet = sextet(digit) else { throw notBase64 }
      bits = bits << 6 | sextet
      count += 6
      if count >= 8 {
        count -= 8
        output.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return .bytes(output)
  }

  private static var notBase64: EvaluationError { EvaluationError(.invalidArgument, "the text is no base64") }

  private static func sextet(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
