import Journal
import Schema
import TerminalText

extension RunReport.Step {
  /// The last lines of what a program wrote, for a step that put out `stderr` and `stdout`: where they are short the cause
  /// stands in them.
  var programOutput: [LabelledText] {
    let written = ["stderr", "stdout"].compactMap { name -> (name: String, lines: [Substring])? in
      guard case .string(let text)? = output[name] else { return nil }
      let lines = String(decoding: text.utf8.suffix(Self.consideredBytes), as: UTF8.self)
        .split { $0 == "\n" || $0 == "\r\n" }
      return lines.isEmpty ? nil : (name, lines)
    }
    return written.flatMap { name, lines in
      let shown = lines.suffix(Self.shownLines / written.count)
      let cut = shown.count < lines.count ? ["…"] : []
      return (cut + shown.map { shortened(terminalSafe(String($0)), to: Self.lineLength) }).enumerated().map {
        LabelledText(label: $0 == 0 ? name : "", text: $1)
      }
    }
  }

  /// Of both outputs together.
  private static let shownLines = 10
  private static let lineLength = 300
  /// More than the lines that are shown can fill.
  private static let consideredBytes = 32_768
}
