import Journal
import TerminalText

extension RunReport {
  /// GitHub's Markdown, for issues, chats and wikis: the verdict, what did not pass, every step in a table, where the
  /// evidence lies.
  package func markdown(_ style: Style) -> String {
    let time = duration.map { " in \(shortDuration($0))" } ?? ""
    let heading = "# \(verdict.word): \(markdownSafe(subject))\n"
    let lead = [title == runbook ? "" : "\(markdownSafe(title)).", summary.isEmpty ? "" : "\(summary)\(time)."]
      .filter { !$0.isEmpty }.joined(separator: " ")
    // What is still in place, which the problems begin with, is to be seen first.
    let (record, problems) = (incidentMarkdown(style), problemsMarkdown)
    let first = stillInPlace.isEmpty ? [record, problems] : [problems, record]
    let parts =
      [heading, lead.isEmpty ? "" : lead + "\n"] + first
      + [targetsMarkdown, stepsMarkdown, notesMarkdown, identityMarkdown(style)]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private func incidentMarkdown(_ style: Style) -> String {
    let lines = incidentLines(offset: style.offset)
    let heading = incident == nil ? "## Before and after" : "## Incident"
    return lines.isEmpty ? "" : heading + "\n\n" + lines.map(\.markdown).joined()
  }

  private var problemsMarkdown: String {
    let end = endExplanation
    var blocks = end.isEmpty ? [] : ["### \(verdict.word): the run\n\n" + end.map(\.markdown).joined()]
    for problem in notPassed {
      switch problem {
      case .step(let step):
        let title = step.title == step.id ? "" : " \(markdownSafe(step.title))"
        blocks.append(
          "### \(step.outcome.word): \(codeSpan(step.path))\(title)\n\n" + step.explanation.map(\.markdown).joined())
      case .child(let child):
        let steps = child.steps.filter { $0.outcome != .pass && $0.outcome != .skipped }.map { step in
          "- **\(step.outcome.rawValue)** \(codeSpan(step.path.description)) \(markdownSafe(step.title))\n"
            + step.explanation.map { "  " + $0.markdown }.joined()
        }
        blocks.append(
          "### \(child.verdict.word): on \(markdownSafe(child.target))\n\n" + steps.joined()
            + "- **next** \(codeSpan("runbook report \(child.run)"))\n")
      }
    }
    return blocks.isEmpty ? "" : "## What did not pass\n\n" + blocks.joined(separator: "\n")
  }

  private var targetsMarkdown: String {
    guard !children.isEmpty else { return "" }
    let rows = children.map { child in
      let bad = child.steps.filter { $0.outcome != .pass && $0.outcome != .skipped }.map {
        codeSpan($0.path.description, inTable: true)
      }
      return [
        child.verdict.cell, markdownSafe(child.target), bad.joined(separator: " "), codeSpan(child.run, inTable: true),
      ]
    }
    return "## Targets\n\n" + table(["Outcome", "Target", "Not passed", "Run"], rows)
  }

  private var stepsMarkdown: String {
    guard !steps.isEmpty else { return "" }
    let rows = steps.flatMap { $0.flattened() }.map { step, _ in
      [
        step.outcome.cell, codeSpan(step.path, inTable: true), markdownSafe(step.title),
        step.duration.map(shortDuration) ?? "",
        markdownSafe(remark(on: step)),
      ]
    }
    return "## Steps\n\n" + table(["Outcome", "Step", "Title", "Time", "Figures"], rows)
  }

  private var notesMarkdown: String { warnings.map { "> **Note:** \(markdownSafe($0))\n" }.joined(separator: "\n") }

  private func identityMarkdown(_ style: Style) -> String {
    "## Evidence\n\n" + identity(offset: style.offset).map { "- \($0.label): \(codeSpan($0.text))\n" }.joined()
  }

  /// - Parameter rows: cells that are Markdown already.
  private func table(_ header: [String], _ rows: [[String]]) -> String {
    func line(_ cells: [String]) -> String {
      "| " + cells.map { $0.isEmpty ? " " : $0 }.joined(separator: " | ") + " |\n"
    }
    return line(header) + line(header.map { _ in "---" }) + rows.map(line).joined()
  }
}

extension LabelledText {
  /// An item of a list. What was written in a runbook or by a program is code, sentences are text.
  fileprivate var markdown: String {
    let isCode = ["expected", "actual", "stderr", "stdout", ""].contains(label)
    return "- \(label.isEmpty ? "" : "**\(label)** ")\(isCode ? codeSpan(text) : markdownSafe(text))\n"
  }
}

/// A text that stands for itself in running text and in a table: nothing in it is markup, a link, or calls somebody.
func markdownSafe(_ text: String) -> String {
  var safe = ""
  for scalar in terminalSafe(text).unicodeScalars {
    switch scalar {
    case "\\", "`", "*", "_", "{", "}", "[", "]", "<", ">", "|", "~", "&", "$": safe += "\\\(scalar)"
    // What GitHub finds behind them in the rendered page would call somebody, or refer to an issue.
    case "@": safe += "@\u{200B}"
    case "#": safe += "\\#\u{200B}"
    // A reference begins no link.
    case ":": safe += "&#58;"
    default: safe.unicodeScalars.append(scalar)
    }
  }
  return safe.replacing("www.", with: "www&#46;")
}

/// A text as code, whatever it holds. In a table a bar would end the cell, and is shown without its backslash; elsewhere it
/// would be shown with it.
private func codeSpan(_ text: String, inTable: Bool = false) -> String {
  let shown = terminalSafe(text)
  let safe = inTable ? shown.replacing("|", with: "\\|") : shown
  var longest = 0
  var run = 0
  for character in safe {
    run = character == "`" ? run + 1 : 0
    longest = max(longest, run)
  }
  guard !safe.isEmpty else { return "" }
  let fence = String(repeating: "`", count: longest + 1)
  let pad = safe.hasPrefix("`") || safe.hasSuffix("`") || safe.allSatisfy { $0 == " " } ? " " : ""
  return fence + pad + safe + pad + fence
}
