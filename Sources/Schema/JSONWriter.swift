extension JSON {
  /// How the text is laid out.
  package enum Layout: Sendable {
    /// One line without spaces.
    case compact
    /// Two spaces of indentation a level, a member or element a line.
    case indented
  }

  /// The document as text. What a terminal would obey is escaped; a number that JSON cannot express (infinite, not a
  /// number) is written as the string `"inf"`, `"-inf"` or `"nan"`.
  package func text(_ layout: Layout = .compact) -> String { String(decoding: utf8(layout), as: UTF8.self) }

  /// The bytes of the same text.
  package func utf8(_ layout: Layout = .compact) -> [UInt8] {
    var writer = JSONWriter(indented: layout == .indented)
    writer.write(self, depth: 0)
    return writer.bytes
  }
}

private struct JSONWriter {
  let indented: Bool
  var bytes: [UInt8] = []

  mutating func write(_ json: JSON, depth: Int) {
    switch json {
    case .null: append("null")
    case .bool(let flag): append(flag ? "true" : "false")
    case .int(let number): append(String(number))
    case .double(let number): append(number.isFinite ? "\(number)" : "\"\(number)\"")
    case .string(let text): quote(text)
    case .array(let elements):
      list("[", "]", elements, depth) { writer, element in writer.write(element, depth: depth + 1) }
    case .object(let members):
      list("{", "}", members, depth) { writer, member in
        writer.quote(member.name)
        writer.append(writer.indented ? ": " : ":")
        writer.write(member.value, depth: depth + 1)
      }
    }
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func list<Element>(
    _ open: String, _ close: String, _ elements: [Element], _ depth: Int,
    _ body: (inout JSONWriter, Element) -> Void
  ) {
    append(open)
    for (index, element) in elements.enumerated() {
      if index > 0 { append(",") }
      breakLine(depth + 1)
      body(&self, element)
    }
    if !elements.isEmpty { breakLine(depth) }
    append(close)
  }

  private mutating func breakLine(_ depth: Int) {
    guard indented else { return }
    append("\n" + String(repeating: "  ", count: depth))
  }

  private mutating func quote(_ text: String) {
    var text = text
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8 { quote($0) }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Byte by byte, and what needs no escape in one piece: outputs of programs are megabytes.
  private mutating func quote(_ text: UnsafeBufferPointer<UInt8>) {
    var written = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
        index += 1
        continue
      }
      let (length, escape) = escape(text, at: index)
      if let escape {
        bytes.append(contentsOf: text[written..<index])
        append(escape)
        written = index + length
      }
      index += length
    }
    bytes.append(contentsOf: text[written...])
  }

  /// The length of the character that begins here, and what is written in its place; nil for itself.
  private func escape(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (length: Int, escape: String?) {
    switch text[index] {
    case UInt8(ascii: "\""): return (1, "\\\"")
    case UInt8(ascii: "\\"): return (1, "\\\\")
    case UInt8(ascii: "\n"): return (1, "\\n")
    case UInt8(ascii: "\r"): return (1, "\\r")
    case UInt8(ascii: "\t"): return (1, "\\t")
    case let byte where byte < 0x80: return (1, unicodeEscape(UInt32(byte)))
    case let byte:
      // A string's bytes are well-formed.
      let length = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
      let initial = UInt32(byte) & (0x7F >> UInt32(length))
      let scalar = text[(index + 1)..<(index + length)].reduce(initial) { $0 << 6 | UInt32($1 & 0x3F) }
      return (length, isHostile(scalar) ? unicodeEscape(scalar) : nil)
    }
  }

  private func unicodeEscape(_ scalar: UInt32) -> String {
    let digits = String(scalar, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// True for what a terminal would obey instead of showing it: control characters, the C1 set among them, and those that
  /// turn the direction of writing or break a line (Unicode UAX #9 and #14).
  private func isHostile(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
