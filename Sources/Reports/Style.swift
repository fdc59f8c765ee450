package import Journal
package import Schema

/// How a text report is shown.
package struct Style: Sendable {
  /// True for a terminal that shows ANSI colours, where nobody objects (`NO_COLOR`).
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

  package enum Emphasis: Hashable, Sendable {
    case outcome(Outcome)
    case bold
    case faint
  }

  /// The text in its colour (ECMA-48, SGR), or as it is where there are none. The text must be safe for a terminal already.
  func paint(_ text: String, _ emphasis: Emphasis) -> String {
    guard isColored, !text.isEmpty else { return text }
    let code =
      switch emphasis {
      case .outcome(.pass): "32"
      case .outcome(.warn): "33"
      case .outcome(.fail), .outcome(.error): "1;31"
      case .outcome(.indeterminate): "1;35"
      case .outcome(.skipped), .faint: "2"
      case .bold: "1"
      }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }
}

extension Outcome {
  /// As a report's first word: `PASS`.
  var word: String { rawValue.uppercased() }

  /// In a table: what did not pass catches the eye.
  var cell: String { self == .pass || self == .skipped ? rawValue : word }
}
