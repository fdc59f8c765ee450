/// What a schedule starts: one runbook of one project.
package struct ScheduledCommand: Hashable, Sendable {
  package var runbook: String
  /// The root of the project, an absolute path.
  package var project: String
  package var period: Period
  /// The path of the executable, and its arguments.
  package var arguments: [String]
  /// The user that runs it.
  package var user: String
  /// Credentials that the runbook reads, each with the file that it comes from.
  package var credentials: [Credential]
  /// Whether the runbook may change the service or the host; if not, the rest of the file system is kept from it.
  package var mayChange: Bool
  /// Folders that it writes to.
  package var writes: [String]

  package struct Credential: Hashable, Sendable {
    package var name: String
    package var path: String

    package init(name: String, path: String) {
      self.name = name
      self.path = path
    }
  }

  package init(
    runbook: String, project: String, period: Period, arguments: [String], user: String,
    credentials: [Credential] = [], mayChange: Bool, writes: [String]
  ) {
    self.runbook = runbook
    self.project = project
    self.period = period
    self.arguments = arguments
    self.user = user
    self.credentials = credentials
    self.mayChange = mayChange
    self.writes = writes
  }

  /// The line by which a file that was made for this runbook and project is known again.
  package var mark: String { Self.mark(of: runbook, in: project) }

  package static func mark(of runbook: String, in project: String) -> String {
    "# Made by runbook schedule install: \(runbook) of \(project)"
  }

  private static let targetMark = "# Target: "

  /// The mark, and a line for each target that it is started for.
  var head: String {
    let targets = zip(arguments, arguments.dropFirst()).filter { $0.0 == "--target" }.map { Self.targetMark + $0.1 }
    return ([mark] + targets).joined(separator: "\n")
  }

  /// The selections of targets that a scheduler's file starts its runbook for.
  package static func targets(inFile text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix(targetMark) }.map { String($0.dropFirst(targetMark.count)) }
  }

  /// Why it cannot stand in a file of a scheduler; nil if it can.
  package var objection: String? {
    // Neither form has a way to write them, and both end a line there.
    let texts = arguments + [project, user] + writes + credentials.flatMap { [$0.name, $0.path] }
    return texts.first { $0.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } }
      .map { "a control character in \($0.debugDescription) cannot stand in a schedule" }
  }
}
