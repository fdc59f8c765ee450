package import Journal
package import Schema
package import TerminalText

/// How a text report is shown.
package struct Style: Sendable {
  /// True for a terminal that shows ANSI colours, if nobody objects (`NO_COLOR`).
  package var isColored: Bool
  /// Columns; lines are kept within it, down to 40.
  package var width: Int
  /// Seconds that local time is ahead of UTC at a moment.
  package var offset: @Sendable (Timestamp) -> Int

  package init(
    isColored: Bool = false, width: Int = 100, offset: @escaping @Sendable (Timestamp) -> Int = localOffset(at:)
  ) {
    self.isColored = isColored
    self.width = max(40, width)
    self.offset = offset
  }

  /// The text in its colour, or as it is if there are none. The text must be safe for a terminal already.
  func paint(_ text: String, _ ink: Ink) -> String { isColored ? ink.paint(text) : text }
}

extension Ink {
  /// What did not pass catches the eye.
  package static func outcome(_ outcome: Outcome) -> Ink {
    switch outcome {
    case .pass: .green
    case .warn: .yellow
    case .fail, .error: .boldRed
    case .indeterminate: .boldMagenta
    case .skipped: .faint
    }
  }
}

extension TextTable {
  /// The header and a line for each row.
  package func lines(_ style: Style) -> [String] { lines(width: style.width, isColored: style.isColored) }
}

extension Outcome {
  /// As a report's first word: `PASS`.
  var word: String { rawValue.uppercased() }

  /// In a table: what did not pass catches the eye.
  var cell: String { self == .pass || self == .skipped ? rawValue : word }
}
