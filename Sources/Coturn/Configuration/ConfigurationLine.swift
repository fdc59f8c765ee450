/// One line of turnserver.conf as coturn takes it: a name, and everything behind it as its value.
package struct ConfigurationLine: Hashable, Sendable {
  /// Where it begins in the file, from 1.
  package let number: Int
  package let name: String
  /// Up to the end of the line: a comment behind a value belongs to it. Empty if there is none.
  package let value: String
  /// Whether it is what is left of a line that is longer than coturn reads at a time.
  package let isRest: Bool
  /// Whether coturn warns that it ends in a semicolon.
  package let endsWithSemicolon: Bool
}

extension ConfigurationLine {
  /// What coturn reads of a file: at most this many bytes at a time; what is left of a longer line is a line of its own.
  private static let longest = 1023

  /// The lines that coturn of this version reads from the bytes of a file; comments and empty lines are left out.
  package static func lines(of bytes: [UInt8], _ version: CoturnVersion) -> [ConfigurationLine] {
    var lines: [ConfigurationLine] = []
    var start = 0
    var number = 1
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      var piece = start
      repeat {
        let next = min(end, piece + longest)
        if let line = line(bytes[piece..<next], number, isRest: piece > start, version) { lines.append(line) }
        piece = next
      } while piece < end
      start = end + 1
      number += 1
    }
    return lines
  }

  private static func line(
    _ text: ArraySlice<UInt8>, _ number: Int, isRest: Bool, _ version: CoturnVersion
  ) -> ConfigurationLine? {
    // A NUL ends what C looks at.
    var rest = text.prefix { $0 != 0 }.drop { $0 == blank || $0 == tab }
    guard rest.first != UInt8(ascii: "#") else { return nil }
    while let last = rest.last, isTrailing(last, version) { rest = rest.dropLast() }
    guard !rest.isEmpty else { return nil }
    let name = rest.prefix { !isSeparator($0) }
    var value = rest.dropFirst(name.count).drop(while: isSeparator)
    if value.first == UInt8(ascii: "\"") {
      value = value.dropFirst()
      while let last = value.last, last == blank || last == tab || last == UInt8(ascii: "\r") {
        value = value.dropLast()
      }
      if value.last == UInt8(ascii: "\"") { value = value.dropLast() }
    }
    return ConfigurationLine(
      number: number, name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self),
      isRest: isRest, endsWithSemicolon: rest.last == UInt8(ascii: ";"))
  }

  private static let blank = UInt8(ascii: " ")
  private static let tab = UInt8(ascii: "\t")

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == blank || byte == tab || byte == UInt8(ascii: "=")
  }

  /// Blanks at the end go from 4.5.1.2 on; before, only the end of the line itself.
  private static func isTrailing(_ byte: UInt8, _ version: CoturnVersion) -> Bool {
    byte == UInt8(ascii: "\r") || version >= CoturnVersion(4, 5, 1, 2) && (byte == blank || (9...13).contains(byte))
  }
}

extension ConfigurationLine {
  /// The value without a comment behind it: from a `#` on that begins it or stands behind a blank.
  package var valueWithoutComment: String {
    var isBehindBlank = true
    for index in value.indices {
      let character = value[index]
      if character == "#", isBehindBlank {
        return String(value[..<index]).trimmed
      }
      isBehindBlank = character == " " || character == "\t"
    }
    return value
  }

  /// Whether a `#` stands behind the value, or in its place, as if it began a comment.
  package var hasComment: Bool { valueWithoutComment != value }
}

extension StringProtocol {
  /// Without blanks and tabs around it.
  var trimmed: String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    return String(Substring(drop(while: isBlank)).reversed().drop(while: isBlank).reversed())
  }
}
