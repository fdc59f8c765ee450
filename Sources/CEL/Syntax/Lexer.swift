/// Splits UTF-8 into the words of the language.
struct Lexer {
  /// What ends the text besides its end.
  enum End {
    case endOfText
    /// A `}` that closes no brace of the text itself.
    case closingBrace
  }

  let bytes: [UInt8]
  private var position: Int
  private let end: End
  private(set) var problems: [CELProblem] = []

  init(_ bytes: [UInt8], from start: Int = 0, end: End = .endOfText) {
    self.bytes = bytes
    position = Swift.min(Swift.max(0, start), bytes.count)
    self.end = end
  }

  /// All words; the last is `end`. A word that is none is `invalid`, and among the problems.
  mutating func tokens() -> [Token] {
    var tokens: [Token] = []
    tokens.reserveCapacity(Swift.min((bytes.count - position) / 3, 64) + 2)
    var openBraces = 0
    while true {
      skipBlanks()
      let start = position
      guard start < bytes.count, problems.count < CELProblem.mostReported else { break }
      let kind = next()
      if kind == .leftBrace {
        openBraces += 1
      } else if kind == .rightBrace {
        openBraces -= 1
        if openBraces < 0, end == .closingBrace {
          tokens.append(Token(kind: .end, start: start, end: start))
          return tokens
        }
      }
      tokens.append(Token(kind: kind, start: start, end: position))
    }
    tokens.append(Token(kind: .end, start: bytes.count, end: bytes.count))
    return tokens
  }

  private func peek(_ ahead: Int = 0) -> UInt8 {
    position + ahead < bytes.count ? bytes[position + ahead] : 0
  }

  private mutating func fail(_ message: String, from start: Int) -> Token.Kind {
    problems.append(CELProblem(code: .syntax, message: message, range: CELSourceRange(start, position)))
    return .invalid
  }

  private mutating func skipBlanks() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0C: position += 1
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
      default: return
      }
    }
  }

  private mutating func next() -> Token.Kind {
    let byte = bytes[position]
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): return word()
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
    case UInt8(ascii: "."):
      if peek(1).isDigit { return number() }
      return single(.dot)
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return quoted(.string, isRaw: false, prefix: 0)
    case UInt8(ascii: "`"): return quotedIdentifier()
    case UInt8(ascii: "("): return single(.leftParenthesis)
    case UInt8(ascii: ")"): return single(.rightParenthesis)
    case UInt8(ascii: "["): return single(.leftBracket)
    case UInt8(ascii: "]"): return single(.rightBracket)
    case UInt8(ascii: "{"): return single(.leftBrace)
    case UInt8(ascii: "}"): return single(.rightBrace)
    case UInt8(ascii: ","): return single(.comma)
    case UInt8(ascii: ":"): return single(.colon)
    case UInt8(ascii: "?"): return single(.question)
    case UInt8(ascii: "+"): return single(.plus)
    case UInt8(ascii: "-"): return single(.minus)
    case UInt8(ascii: "*"): return single(.star)
    case UInt8(ascii: "/"): return single(.slash)
    case UInt8(ascii: "%"): return single(.percent)
    case UInt8(ascii: "!"): return optionalEqual(.not, .notEqual)
    case UInt8(ascii: "<"): return optionalEqual(.less, .lessOrEqual)
    case UInt8(ascii: ">"): return optionalEqual(.greater, .greaterOrEqual)
    case UInt8(ascii: "="): return double(UInt8(ascii: "="), .equal, "'=' is no operator; equality is '=='")
    case UInt8(ascii: "&"): return double(UInt8(ascii: "&"), .and, "'&' is no operator; the logical one is '&&'")
    case UInt8(ascii: "|"): return double(UInt8(ascii: "|"), .or, "'|' is no operator; the logical one is '||'")
    default:
      return unexpected()
    }
  }

  /// A character that begins no word. One that cannot be told from another by its looks is named, and text in typographic quotes is one
  /// word that is none.
  private mutating func unexpected() -> Token.Kind {
    let start = position
    let first = scalar()
    guard let first else { return fail("unexpected character '\u{FFFD}'", from: start) }
    if first.opensTypographicQuote {
      let behind = position
      while position < bytes.count, bytes[position] != UInt8(ascii: "\n") {
        if scalar()?.closesTypographicQuote == true {
          return fail("these quotes (\(first.spokenName)) begin no text; a text stands in ' or \"", from: start)
        }
      }
      position = behind
    }
    let isPlain = first.properties.isAlphabetic || first.isASCII
    let name = first.isVisible ? "character '\(first)'" : ""
    let parts = isPlain ? [name] : name.isEmpty ? [first.spokenName] : [name, "(\(first.spokenName))"]
    return fail("unexpected \(parts.joined(separator: " "))", from: start)
  }

  /// Takes one character; nil if the bytes are none.
  private mutating func scalar() -> Unicode.Scalar? {
    let start = position
    position += 1
    while position < bytes.count, bytes[position] & 0xC0 == 0x80 { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self).unicodeScalars.first
  }

  private mutating func single(_ kind: Token.Kind) -> Token.Kind {
    position += 1
    return kind
  }

  private mutating func optionalEqual(_ alone: Token.Kind, _ withEqual: Token.Kind) -> Token.Kind {
    position += 1
    guard peek() == UInt8(ascii: "=") else { return alone }
    position += 1
    return withEqual
  }

  private mutating func double(_ second: UInt8, _ kind: Token.Kind, _ message: String) -> Token.Kind {
    let start = position
    position += 1
    guard peek() == second else { return fail(message, from: start) }
    position += 1
    return kind
  }

  private mutating func word() -> Token.Kind {
    let first = peek()
    let second = peek(1)
    // A prefix of a text: r"", b"", br"", in either case.
    let isQuote = { (byte: UInt8) in byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }
    let lower = first | 0x20
    if lower == UInt8(ascii: "r") || lower == UInt8(ascii: "b") {
      let kind: Token.Kind = lower == UInt8(ascii: "b") ? .bytes : .string
      if isQuote(second) { return quoted(kind, isRaw: lower == UInt8(ascii: "r"), prefix: 1) }
      if lower == UInt8(ascii: "b"), second | 0x20 == UInt8(ascii: "r"), isQuote(peek(2)) {
        return quoted(.bytes, isRaw: true, prefix: 2)
      }
    }
    let start = position
    while position < bytes.count, bytes[position].isWordPart { position += 1 }
    return Self.keyword(bytes[start..<position])
  }

  private static func keyword(_ word: ArraySlice<UInt8>) -> Token.Kind {
    guard (2...9).contains(word.count) else { return .identifier }
    switch word.first {
    case UInt8(ascii: "t"): return word.elementsEqual("true".utf8) ? .true : .identifier
    case UInt8(ascii: "n"):
      if word.elementsEqual("null".utf8) { return .null }
      return word.elementsEqual("namespace".utf8) ? .reserved : .identifier
    case UInt8(ascii: "f") where word.elementsEqual("false".utf8): return .false
    case UInt8(ascii: "i") where word.elementsEqual("in".utf8): return .in
    default: return reserved.contains(String(decoding: word, as: UTF8.self)) ? .reserved : .identifier
    }
  }

  private static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "return",
    "var", "void", "while",
  ]

  private mutating func number() -> Token.Kind {
    let start = position
    if peek() == UInt8(ascii: "0"), peek(1) | 0x20 == UInt8(ascii: "x") {
      position += 2
      let digits = position
      while peek().isHexDigit { position += 1 }
      if position == digits { return fail("a hexadecimal number needs digits", from: start) }
      return unsigned(start)
    }
    while peek().isDigit { position += 1 }
    var isDouble = false
    if peek() == UInt8(ascii: "."), peek(1).isDigit {
      isDouble = true
      position += 1
      while peek().isDigit { position += 1 }
    }
    if peek() | 0x20 == UInt8(ascii: "e") {
      let sign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-") ? 1 : 0
      guard peek(1 + sign).isDigit else {
        position += 1 + sign
        return fail("an exponent needs digits", from: start)
      }
      isDouble = true
      position += 1 + sign
      while peek().isDigit { position += 1 }
    }
    return isDouble ? endOfNumber(.double, start) : unsigned(start)
  }

  private mutating func unsigned(_ start: Int) -> Token.Kind {
    if peek() | 0x20 == UInt8(ascii: "u") {
      position += 1
      return endOfNumber(.uint, start)
    }
    return endOfNumber(.int, start)
  }

  private mutating func endOfNumber(_ kind: Token.Kind, _ start: Int) -> Token.Kind {
    guard peek().isWordPart else { return kind }
    while peek().isWordPart { position += 1 }
    return fail("'\(String(decoding: bytes[start..<position], as: UTF8.self))' is no number", from: start)
  }

  private mutating func quotedIdentifier() -> Token.Kind {
    let start = position
    position += 1
    while position < bytes.count, bytes[position].isQuotedNamePart { position += 1 }
    guard peek() == UInt8(ascii: "`"), position > start + 1 else {
      return fail(
        "a name in backquotes holds letters, digits and _ . - / and blanks, and ends with a backquote", from: start)
    }
    position += 1
    return .quotedIdentifier
  }

  private mutating func quoted(_ kind: Token.Kind, isRaw: Bool, prefix: Int) -> Token.Kind {
    let start = position
    position += prefix
    let quote = peek()
    let isTriple = peek(1) == quote && peek(2) == quote
    position += isTriple ? 3 : 1
    while position < bytes.count {
      let byte = bytes[position]
      if byte == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
        position += isTriple ? 3 : 1
        return kind
      }
      if !isTriple, byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
      // A backslash protects a quote, in raw texts it does not.
      position += byte == UInt8(ascii: "\\") && !isRaw && position + 1 < bytes.count ? 2 : 1
    }
    return fail("the text is not closed", from: start)
  }
}

extension UInt8 {
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
  var isHexDigit: Bool { hexValue != nil }
  var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
  var isWordPart: Bool { isLetter || isDigit || self == UInt8(ascii: "_") }
  var isQuotedNamePart: Bool {
    isWordPart || self == UInt8(ascii: ".") || self == UInt8(ascii: "-") || self == UInt8(ascii: "/")
      || self == UInt8(ascii: " ")
  }

  /// The value of a hexadecimal digit.
  var hexValue: UInt32? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(self - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(self - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}

extension Unicode.Scalar {
  /// True for what people see.
  fileprivate var isVisible: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .unassigned, .surrogate: false
    default: true
    }
  }

  fileprivate var opensTypographicQuote: Bool {
    [0x2018, 0x2019, 0x201A, 0x201C, 0x201D, 0x201E, 0xAB, 0x2039].contains(value)
  }

  fileprivate var closesTypographicQuote: Bool { [0x2018, 0x2019, 0x201C, 0x201D, 0xBB, 0x203A].contains(value) }

  /// `no-break space, U+00A0`.
  fileprivate var spokenName: String {
    let digits = String(value, radix: 16, uppercase: true)
    let number = "U+" + String(repeating: "0", count: Swift.max(0, 4 - digits.count)) + digits
    return properties.name.map { "\($0.lowercased()), \(number)" } ?? number
  }
}
