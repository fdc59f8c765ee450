import Reports
import TerminalText

extension Style {
  /// As a terminal can show it; plain, and 100 columns wide, where nobody looks.
  init(terminal: Terminal) {
    self.init(
      isColored: terminal.hasColor, width: terminal.isInteractive ? terminal.width : 100,
      offset: localOffset(at:))
  }

  /// For tables of which nothing may be lost; a terminal breaks their longest lines.
  static var uncut: Style { Style(isColored: Terminal.standardOutput.hasColor, width: .max) }

  /// For files.
  static var plain: Style { Style(isColored: false, width: 100, offset: localOffset(at:)) }
}
