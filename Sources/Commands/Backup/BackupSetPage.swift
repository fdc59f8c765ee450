import Age
import Backups
import Reports
import Schema
import TerminalText

extension BackupSet {
  /// As `runbook show` prints it.
  func page(width: Int) -> String {
    var page = "backups/\(name)  \(terminalSafe(title))\n"
    if !doc.isEmpty { page += "\n" + wrapped(terminalSafe(doc), width: width).map { $0 + "\n" }.joined() }
    var rows = paths.map { ["path", terminalSafe($0)] }
    rows += optionalPaths.map { ["if present", terminalSafe($0)] }
    rows += excludes.map { ["without", terminalSafe($0)] }
    rows += commands.map { ["command", "\($0.name): \(terminalSafe($0.command.joined(separator: " ")))"] }
    rows += recipients.map { ["recipient", $0.description] }
    if recipients.count < minimumRecipients {
      rows.append(["recipients", "\(recipients.count), and there must be \(minimumRecipients)"])
    }
    rows += [["links", links.rawValue], ["special files", specialFiles.rawValue], ["at most", sizeText]]
    if let retention {
      let rules = [
        ("last", retention.last), ("daily", retention.daily), ("weekly", retention.weekly),
        ("monthly", retention.monthly),
      ]
      rows.append(["keep", rules.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")])
    } else {
      rows.append(["keep", "all"])
    }
    rows += expectations.files.map { ["must hold", terminalSafe($0)] }
    if let minimum = expectations.minimumSize {
      rows.append(["must have", "\(shownValue(.int(Int64(minimum)), as: .byteSize)) at least"])
    }
    if let age = expectations.notOlderThan { rows.append(["not older than", durationLiteral(age)]) }
    return page + "\n" + columns(rows, width: width)
  }

  private var sizeText: String { shownValue(.int(Int64(maxSize)), as: .byteSize) }

  /// `runbook.backup-set/1`.
  var json: JSON {
    func texts(_ texts: [String]) -> JSON { .array(texts.map(JSON.string)) }
    return [
      "schema": "runbook.backup-set/1", "name": .string(name), "title": .string(title), "doc": .string(doc),
      "paths": texts(paths), "ifPresent": texts(optionalPaths), "excludes": texts(excludes),
      "commands": .array(commands.map { ["name": .string($0.name), "command": texts($0.command)] }),
      "links": .string(links.rawValue), "specialFiles": .string(specialFiles.rawValue),
      "recipients": texts(recipients.map(\.description)), "minRecipients": .int(Int64(minimumRecipients)),
      "maxSize": .int(Int64(maxSize)),
      "keep": retention.map { retention -> JSON in
        [
          "last": .int(Int64(retention.last)), "daily": .int(Int64(retention.daily)),
          "weekly": .int(Int64(retention.weekly)), "monthly": .int(Int64(retention.monthly)),
        ]
      } ?? .null,
      "mustHold": texts(expectations.files),
      "minSize": expectations.minimumSize.map { .int(Int64($0)) } ?? .null,
      "notOlderThan": expectations.notOlderThan.map { .string(durationLiteral($0)) } ?? .null,
    ]
  }
}
