import Reports
import Schema
import TerminalText

/// What `runbook doctor` found: one item for each thing that the runbooks need.
struct Diagnosis: Sendable {
  /// What an item is about.
  enum Subject: String, Sendable, CaseIterable {
    case tool
    case project
    case runbook
    case program
    case secret
    case sockets
    case target
    case vault
    case state
    case clock
    case terminal
  }

  enum State: String, Sendable, CaseIterable, Comparable {
    case ok
    /// Runs can be made, and somebody should know.
    case warning
    /// It could not be found out.
    case unknown
    /// Runs that need it cannot pass.
    case missing

    static func < (a: State, b: State) -> Bool { a.rank < b.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  struct Item: Hashable, Sendable {
    var subject: Subject
    /// Which one: a program's name, a target's.
    var name: String
    var state: State
    /// What was seen, as a sentence without a full stop; never a secret.
    var reason: String
    /// What to type, or to do; nil if nothing is to be done.
    var fix: String?
    /// Where the runbooks say that it is needed, as `FILE:LINE`; empty for what every run needs.
    var neededBy: [String]

    init(
      _ subject: Subject, _ name: String, _ state: State, _ reason: String, fix: String? = nil, neededBy: [String] = []
    ) {
      self.subject = subject
      self.name = name
      self.state = state
      self.reason = reason
      self.fix = fix
      self.neededBy = neededBy
    }
  }

  /// The project's folder; nil if there is none.
  var project: String?
  /// The one runbook that was looked at; nil for all of them.
  let runbook: String?
  let isOffline: Bool
  private(set) var items: [Item] = []

  init(runbook: String?, isOffline: Bool) {
    self.runbook = runbook
    self.isOffline = isOffline
    items = [HostLook.tool()]
  }

  mutating func add(_ item: Item) {
    if !items.contains(item) { items.append(item) }
  }

  /// Whether nothing is missing, and nothing unknown.
  var isSound: Bool { items.allSatisfy { $0.state <= .warning } }

  func count(_ state: State) -> Int { items.count { $0.state == state } }

  /// `runbook.doctor/1`, as `docs/doctor.md` describes it.
  var json: JSON {
    [
      "schema": "runbook.doctor/1", "version": .string(runbookVersion),
      "project": project.map(JSON.string) ?? .null, "runbook": runbook.map(JSON.string) ?? .null,
      "offline": .bool(isOffline), "sound": .bool(isSound),
      "items": .array(
        items.map { item in
          [
            "subject": .string(item.subject.rawValue), "name": .string(item.name),
            "state": .string(item.state.rawValue),
            "reason": .string(item.reason), "fix": item.fix.map(JSON.string) ?? .null,
            "neededBy": .array(item.neededBy.map(JSON.string)),
          ]
        }),
    ]
  }

  /// What is wrong first, each with its fix; then what is well, one line each.
  func text(isColored: Bool, width: Int) -> String {
    let wrong = items.filter { $0.state != .ok }.sorted { $0.state > $1.state }
    var text = wrong.map { $0.paragraph(isColored: isColored, width: width) + "\n" }.joined()
    text += columns(
      items.filter { $0.state == .ok }.map { item in
        ["ok", item.subject.rawValue, terminalSafe(item.name), terminalSafe(item.reason)]
      }, width: width)
    let counts = State.allCases.reversed().compactMap { state in
      let number = count(state)
      return number == 0 ? nil : "\(number) \(state == .warning && number > 1 ? "warnings" : state.rawValue)"
    }
    return text + "\n\(counts.joined(separator: ", "))\(isOffline ? "; --offline: no target was asked" : "")\n"
  }
}

extension Diagnosis.Item {
  fileprivate func paragraph(isColored: Bool, width: Int) -> String {
    var rows = [["  reason", terminalSafe(reason)]]
    if let fix { rows.append(["  fix", terminalSafe(fix)]) }
    if !neededBy.isEmpty {
      let shown = neededBy.prefix(3).joined(separator: ", ")
      let more = neededBy.count > 3 ? " and \(neededBy.count - 3) more" : ""
      rows.append(["  needed by", terminalSafe(shown + more)])
    }
    return "\(headline(isColored))  \(subject.rawValue) \(terminalSafe(name))\n" + columns(rows, width: width)
  }

  private func headline(_ isColored: Bool) -> String {
    let word = state.rawValue.uppercased()
    guard isColored else { return word }
    let ink: Ink = state == .missing ? .boldRed : state == .warning ? .yellow : .boldMagenta
    return ink.paint(word)
  }
}

/// A word as a shell takes it.
func shellQuoted(_ word: String) -> String {
  let isPlain = word.unicodeScalars.allSatisfy {
    $0.properties.isAlphabetic || "0123456789/._-".unicodeScalars.contains($0)
  }
  return isPlain && !word.isEmpty && !word.hasPrefix("-") ? word : "'\(word.replacing("'", with: "'\\''"))'"
}
