import Engine
import Journal
import Reports
import Schema
import TerminalText

/// A question that waits, as people are told of it.
struct QuestionText {
  let run: String
  let title: String
  let asked: PersonAsked
  let now: Timestamp
  let offset: (Timestamp) -> Int

  /// What is asked, who may answer, how long, and how.
  ///
  /// - Parameter width: of the terminal.
  func lines(width: Int) -> [String] {
    var lines = ["waiting for an answer: \(terminalSafe(asked.path.description))  \(terminalSafe(title))"]
    for line in asked.question.split(separator: "\n", omittingEmptySubsequences: false) {
      lines += wrapped(terminalSafe(String(line)), width: max(20, width - 2)).map { "  \($0)" }
    }
    if let approvers = asked.approvers { lines.append("  may answer: \(terminalSafe(approvers.text))") }
    if let expires = asked.expires {
      lines.append("  until \(momentText(expires, offset: offset)), \(timeLeft)")
    }
    lines.append("  answer:  \(command)")
    lines.append("  decline: runbook approve \(run) \(shellWord(asked.path.description)) --decline")
    return lines
  }

  /// `9m58s left`.
  var timeLeft: String {
    guard let expires = asked.expires else { return "" }
    let left = max(.zero, expires.duration(since: now))
    return "\(shortDuration(.seconds(left.components.seconds))) left"
  }

  /// The command that agrees; what need not be given stands in brackets.
  private var command: String {
    let fields = if case .record(let record) = asked.form { record.fields } else { [FieldDeclaration]() }
    let values = fields.map { field in
      guard case .optional(let type) = field.type else {
        return " --form \(field.name)=\(field.type.description.uppercased())"
      }
      return " [--form \(field.name)=\(type.description.uppercased())]"
    }.joined()
    return "runbook approve \(run) \(shellWord(asked.path.description))\(terminalSafe(values))"
  }
}

/// A word as a shell takes it whole.
func shellWord(_ word: String) -> String {
  let isPlain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-./:=@%+,".contains($0)) }
  return isPlain && !word.isEmpty ? word : "'\(word.replacing("'", with: "'\\''"))'"
}
