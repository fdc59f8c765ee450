/// A colour or emphasis of a terminal (ECMA-48, SGR).
package struct Ink: Hashable, Sendable {
  private let codes: String

  private init(_ codes: String) { self.codes = codes }

  package static let bold = Ink("1")
  package static let faint = Ink("2")
  package static let red = Ink("31")
  package static let green = Ink("32")
  package static let yellow = Ink("33")
  package static let boldRed = Ink("1;31")
  package static let boldYellow = Ink("1;33")
  package static let boldMagenta = Ink("1;35")

  /// The text in this colour. It must be safe for a terminal already.
  package func paint(_ text: String) -> String { text.isEmpty ? text : "\u{1B}[\(codes)m\(text)\u{1B}[0m" }
}
