extension CELValue {
  /// Reads JSON (RFC 8259): objects become maps, whole numbers without fraction and exponent become `int` as far as they fit, all
  /// other numbers `double`.
  ///
  /// - Throws: ``EvaluationError/Code/invalidArgument`` with the offset in octets, if the text is not JSON, holds a number that no `double`
  ///   can hold, or is nested deeper than 100 levels; ``EvaluationError/Code/duplicateKey`` if an object has a member twice.
  public init(json text: String) throws(EvaluationError) {
    var reader = JSONReader(Array(text.utf8))
    self = try reader.document()
  }
}

/// Reads one JSON text.
private struct JSONReader {
  private let bytes: [UInt8]
  private var position = 0

  private static let greatestDepth = 100

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func failure(_ expected: String) -> EvaluationError {
    let found = next == nil ? "its end" : "something else"
    return EvaluationError(
      .invalidArgument, "the JSON text has \(found) at offset \(position), where \(expected) is due")
  }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  mutating func document() throws(EvaluationError) -> CELValue {
    let value = try value(depth: 0)
    skipBlanks()
    guard next == nil else { throw failure("the end") }
    return value
  }

  private mutating func value(depth: Int) throws(EvaluationError) -> CELValue {
    guard depth <= Self.greatestDepth else {
      throw EvaluationError(.invalidArgument, "the JSON text is nested deeper than \(Self.greatestDepth) levels")
    }
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(_ word: StaticString, _ value: CELValue) throws(EvaluationError) -> CELValue {
    let octets = word.withUTF8Buffer { Array($0) }
    guard bytes[position...].starts(with: octets) else { throw failure("a value") }
    position += octets.count
    return value
  }

  private mutating func array(depth: Int) throws(EvaluationError) -> CELValue {
    position += 1
    var values: [CELValue] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return .list(values) }
    while true {
      values.append(try value(depth: depth + 1))
      skipBlanks()
      if take(UInt8(ascii: "]")) { return .list(values) }
      guard take(UInt8(ascii: ",")) else { throw failure("\",\" or \"]\"") }
    }
  }

  private mutating func object(depth: Int) throws(EvaluationError) -> CELValue {
    position += 1
    var map = CELMap.Builder()
    skipBlanks()
    if take(UInt8(ascii: "}")) { return .map(map.build()) }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw failure("a name in quotes") }
      let name = try string()
      skipBlanks()
      guard take(UInt8(ascii: ":")) else { throw failure("\":\"") }
      guard map.insert(.string(name), try value(depth: depth + 1)) == .inserted else {
        throw EvaluationError(
          .duplicateKey, "the JSON text has the member \(TextLiteral.encode(name)) twice in one object")
      }
      skipBlanks()
      if take(UInt8(ascii: "}")) { return .map(map.build()) }
      guard take(UInt8(ascii: ",")) else { throw failure("\",\" or \"}\"") }
    }
  }

  // MARK: Numbers

  private mutating func digits() throws(EvaluationError) {
    let start = position
    while let byte = next, isDigit(byte) { position += 1 }
    if position == start { throw failure("a digit") }
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private mutating func number() throws(EvaluationError) -> CELValue {
    let start = position
    var isWhole = true
    _ = take(UInt8(ascii: "-"))
    guard let first = next, isDigit(first) else { throw failure("a value") }
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) {
      isWhole = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let whole = Int64(text) { return .int(whole) }
    guard let number = Double(text), number.isFinite else {
      throw EvaluationError(
        .invalidArgument, "the number at offset \(start) of the JSON text is too large for a double")
    }
    return .double(number)
  }

  // MARK: Texts

  private mutating func string() throws(EvaluationError) -> String {
    position += 1
    var octets: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: octets, as: UTF8.self)
      case UInt8(ascii: "\\"): octets += Array(String(try escaped()).utf8)
      case 0..<0x20: throw failure("a control character as \\u and its number")
      default:
        octets.append(byte)
        position += 1
      }
    }
    throw failure("a closing quote")
  }

  private mutating func escaped() throws(EvaluationError) -> Unicode.Scalar {
    position += 1
    guard let byte = next else { throw failure("an escape") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try scalar()
    default:
      position -= 1
      throw failure("an escape")
    }
  }

  /// A scalar from one `\u`, or from a pair of surrogates.
  private mutating func scalar() throws(EvaluationError) -> Unicode.Scalar {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
      throw failure("a pair of surrogates")
    }
    let second = try codeUnit()
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw failure("a pair of surrogates") }
    return scalar
  }

  private mutating func codeUnit() throws(EvaluationError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw failure("a hexadecimal digit")
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }
}
