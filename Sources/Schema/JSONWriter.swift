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
  package func text(_ layout: Layout = .compact) -> String {
    var writer = JSONWriter(indented: layout == .indented)
    writer.write(self, depth: 0)
    return String(decoding: writer.bytes, as: UTF8.self)
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
    bytes.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": append("\\\"")
      case "\\": append("\\\\")
      case "\n": append("\\n")
      case "\r": append("\\r")
      case "\t": append("\\t")
      case _ where isHostile(scalar):
        let digits = String(scalar.value, radix: 16)
        append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
      default: bytes.append(contentsOf: scalar.utf8)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// True for what a terminal would obey instead of showing it: control characters, the C1 set among them, and those that
  /// turn the direction of writing or break a line (Unicode UAX #9 and #14).
  private func isHostile(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
