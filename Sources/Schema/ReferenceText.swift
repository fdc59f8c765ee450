import TerminalText

extension ReferencePage {
  /// The page in Markdown. Ends with a LF.
  ///
  /// - Parameter level: of its heading, from 1; its sections are a level below.
  package func markdown(level: Int = 2) -> String {
    let heading = String(repeating: "#", count: level)
    var blocks = ["\(heading) `\(name)`", summary]
    if !discussion.isEmpty { blocks.append(discussion) }
    if !facts.isEmpty { blocks.append(facts.map { "- **\($0.label)**: \($0.text)" }.joined(separator: "\n")) }
    for section in sections { blocks += ["\(heading)# \(section.title)", section.markdown] }
    for example in examples { blocks += ["\(example.title):", "```yaml\n\(example.text)\n```"] }
    return blocks.joined(separator: "\n\n") + "\n"
  }

  /// The page for a terminal, its lines at most `width` characters where words allow it. Ends with a LF.
  package func terminal(width: Int) -> String {
    var blocks = [(["\(name)"] + folded(summary, width: width, indent: 2)).joined(separator: "\n")]
    if !discussion.isEmpty {
      blocks += discussion.split(separator: "\n\n").map {
        folded(String($0).split(separator: "\n").joined(separator: " "), width: width, indent: 2).joined(
          separator: "\n")
      }
    }
    if !facts.isEmpty {
      let label = facts.map { displayWidth($0.label) }.max() ?? 0
      blocks.append(facts.map { "  \(padded($0.label, to: label))  \($0.text)" }.joined(separator: "\n"))
    }
    for section in sections { blocks.append("\(section.title)\n" + section.terminal(width: width)) }
    for example in examples {
      let lines = example.text.split(separator: "\n", omittingEmptySubsequences: false).map {
        $0.isEmpty ? "" : "  \($0)"
      }
      blocks.append(([example.title + ":"] + lines).joined(separator: "\n"))
    }
    return blocks.joined(separator: "\n\n") + "\n"
  }
}

extension ReferencePage.Section {
  fileprivate var rows: [FieldRow] { fields.rows(isGiven: isGiven) }

  fileprivate var markdown: String {
    guard !rows.isEmpty else { return "None." }
    let head =
      isGiven ? "| field | type | default | meaning |\n|---|---|---|---|" : "| field | type | meaning |\n|---|---|---|"
    let lines = rows.map { row in
      let presence = row.presence.isEmpty ? "" : row.presence == "required" ? "required" : "`\(inCell(row.presence))`"
      return "| `\(row.name)` | `\(inCell(row.type))` | \(isGiven ? "\(presence) | " : "")\(inCell(row.summary)) |"
    }
    return ([head] + lines).joined(separator: "\n")
  }

  /// A name, its type and default, and what it means, wrapped below itself.
  fileprivate func terminal(width: Int) -> String {
    guard !rows.isEmpty else { return "  none" }
    let name = rows.map { displayWidth($0.name) }.max() ?? 0
    return rows.map { row in
      let presence = row.presence.isEmpty ? "" : row.presence == "required" ? ", required" : ", default \(row.presence)"
      let text = folded(row.summary, width: width, indent: name + 4)
      return "  \(padded(row.name, to: name))  \(row.type)\(presence)\n" + text.joined(separator: "\n")
    }.joined(separator: "\n")
  }
}

/// A cell's text: a bar would end the cell.
private func inCell(_ text: String) -> String {
  text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
}

/// The words in indented lines of at most `width` columns; a longer word stands alone.
private func folded(_ text: String, width: Int, indent: Int) -> [String] {
  let words = text.split(separator: " ").joined(separator: " ")
  return wrapped(words, width: width - indent, cuttingWords: false).map { String(repeating: " ", count: indent) + $0 }
}
