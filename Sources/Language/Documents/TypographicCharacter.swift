/// Characters that word processors and web pages put in place of those of a keyboard: a reader sees what is meant, and neither
/// YAML nor an expression does.
extension Unicode.Scalar {
  /// A blank, or nothing at all, to a reader: a no-break space, a zero width space.
  var isForeignBlank: Bool {
    guard value > 0x7F else { return false }
    return properties.isWhitespace || [0x200B, 0x200C, 0x200D, 0x2060].contains(value)
  }

  /// One of `“ ” „ ‘ ’ ‚ « » ‹ ›`.
  var isTypographicQuote: Bool {
    switch value {
    case 0x2018...0x201F, 0xAB, 0xBB, 0x2039, 0x203A: true
    default: false
    }
  }

  /// A dash or a minus sign that is no hyphen.
  var isTypographicDash: Bool {
    switch value {
    case 0x2010...0x2015, 0x2212: true
    default: false
    }
  }

  /// `no-break space (U+00A0)`.
  var spokenName: String {
    let digits = String(value, radix: 16, uppercase: true)
    let number = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    return properties.name.map { "\($0.lowercased()) (\(number))" } ?? number
  }
}

/// The text without the typographic quotes around it; nil if it is not quoted so.
func withoutTypographicQuotes(_ text: String) -> String? {
  let scalars = text.unicodeScalars
  guard scalars.count > 2, scalars.first?.isTypographicQuote == true, scalars.last?.isTypographicQuote == true else {
    return nil
  }
  let inner = scalars.dropFirst().dropLast()
  return inner.contains(where: \.isTypographicQuote) ? nil : String(String.UnicodeScalarView(inner))
}
