import Glibc

/// What one of the process's outputs can show.
package struct TerminalLook: Hashable, Sendable {
  /// True if a person looks at it: a terminal, and no pipe or file.
  package let isInteractive: Bool
  /// True if colours are wanted: on a terminal, unless `NO_COLOR` is set (no-color.org) or `TERM` is `dumb`.
  package let hasColor: Bool
  /// True if a line can be written anew: on a terminal whose `TERM` is not `dumb`.
  package let isRedrawable: Bool
  /// The number of columns; 80 if nobody says.
  package let width: Int

  /// - Parameter variable: the value of a variable of the environment.
  package init(of descriptor: CInt, variable: (String) -> String?) {
    isInteractive = isatty(descriptor) == 1
    isRedrawable = isInteractive && variable("TERM") != "dumb"
    hasColor = isRedrawable && (variable("NO_COLOR") ?? "").isEmpty
    var size = winsize()
    width = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// The number of columns for a page of text: the terminal's if a person looks, else 80.
  package var pageWidth: Int { isInteractive ? width : 80 }
}

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
