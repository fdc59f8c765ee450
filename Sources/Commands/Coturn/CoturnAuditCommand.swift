package import ArgumentParser
import Coturn
import Schema
import TerminalText

extension CoturnCommand {
  /// `runbook coturn audit`.
  package struct AuditCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
      commandName: "audit",
      abstract: "Say what a turnserver.conf risks, line by line, and what to write instead.",
      discussion: """
        It reads the file as the named version of coturn does, and holds it against known mistakes: open relays, private \
        networks that clients can reach, ranges that coturn drops, weak secrets, TLS that nobody can use, options that do \
        nothing. What is right is not mentioned.

          runbook coturn audit /etc/turnserver.conf --coturn-version 4.6.1
          runbook coturn audit /etc/turnserver.conf --coturn-version "$(turnserver --version)" --format json
          ssh turn1 cat /etc/turnserver.conf | runbook coturn audit - --coturn-version 4.6.1

        What the version alone says (known vulnerabilities) stands at the end: a distribution may have mended it without \
        changing the version. It does not affect the exit code.

        Exit code 1 if something is critical or high, 0 if not, 2 if the file cannot be read.
        """)

    @Argument(
      help: ArgumentHelp("The configuration; - reads standard input.", valueName: "file"), completion: .file())
    var file: String

    @Option(
      help: ArgumentHelp("The server's version, as `turnserver --version` prints it: 4.6.1.", valueName: "version"))
    var coturnVersion: String

    @Option(help: "text or json.") var format: OutputFormat = .text

    package init() {}

    package func validate() throws {
      guard CoturnVersion(coturnVersion) == nil else { return }
      throw ValidationError("--coturn-version takes a version such as 4.6.1; found \"\(coturnVersion)\"")
    }

    package func run() throws {
      guard let version = CoturnVersion(coturnVersion) else { return }
      let audit = ConfigurationAudit(try InputReader.read(file), version)
      switch format {
      case .json: Terminal.standardOutput.write(audit.json.text(.indented) + "\n")
      case .text: Terminal.standardOutput.write(AuditText(audit, of: InputReader.name(file)).text)
      }
      if let worst = audit.worst, worst >= .high {
        throw CommandFailure(.failed, isAfterOutput: true)
      }
    }
  }
}

/// An audit as a page to read and act on.
struct AuditText {
  private let audit: ConfigurationAudit
  private let name: String

  init(_ audit: ConfigurationAudit, of name: String) {
    self.audit = audit
    self.name = name
  }

  var text: String {
    let findings = audit.findings.filter { !$0.ifNotBackported }
    let advisories = audit.findings.filter(\.ifNotBackported)
    var lines = [heading(findings)]
    for group in Self.groups(findings) { lines += ["", title(group)] + body(group[0]) + instead(group) }
    if !advisories.isEmpty {
      lines += [
        "", "What coturn \(audit.version) brings, unless your distribution mended it (its security tracker tells):",
      ]
      lines += advisories.flatMap { Self.wrapped("- " + $0.message, indent: "  ") }
    }
    return lines.map { terminalSafe($0) + "\n" }.joined()
  }

  private func heading(_ findings: [AuditFinding]) -> String {
    let counts = AuditSeverity.allCases.reversed().compactMap { severity -> String? in
      let count = findings.count { $0.severity == severity }
      return count == 0 ? nil : "\(count) \(severity.rawValue)"
    }
    let result = counts.isEmpty ? "nothing to mend" : counts.joined(separator: ", ")
    return "\(name), as coturn \(audit.version) reads it: \(result)"
  }

  /// Findings that say the same of several lines, together.
  private static func groups(_ findings: [AuditFinding]) -> [[AuditFinding]] {
    var groups: [[AuditFinding]] = []
    for finding in findings {
      if let index = groups.firstIndex(where: {
        $0[0].code == finding.code && $0[0].message == finding.message && $0[0].severity == finding.severity
      }) {
        groups[index].append(finding)
      } else {
        groups.append([finding])
      }
    }
    return groups
  }

  private func title(_ group: [AuditFinding]) -> String {
    let finding = group[0]
    let lines = group.compactMap(\.line).map(String.init)
    let place =
      lines.isEmpty
      ? "missing, or of the whole file" : "\(lines.count == 1 ? "line" : "lines") \(lines.joined(separator: ", "))"
    return "\(finding.severity.rawValue.uppercased())  \(place)  (\(finding.code.name), item \(finding.item))"
  }

  private func body(_ finding: AuditFinding) -> [String] { Self.wrapped(finding.message, indent: "  ") }

  private func instead(_ group: [AuditFinding]) -> [String] {
    group.flatMap { finding -> [String] in
      guard let instead = finding.instead else { return [] }
      let ofLine = group.count > 1 ? finding.line.map { " \($0)" } ?? "" : ""
      if instead.isEmpty { return ["  remove\(ofLine.isEmpty ? " the line" : " line\(ofLine)")"] }
      let verb = finding.line == nil ? "add  " : "write"
      return instead.split(separator: "\n").enumerated().map { index, line in
        "  \(index == 0 ? verb : "     ")\(index == 0 ? ofLine : "") \(line)"
      }
    }
  }

  private static func wrapped(_ text: String, indent: String, width: Int = 100) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, indent.count + line.count + word.count + 1 > width {
        lines.append(indent + line)
        line = ""
      }
      line += line.isEmpty ? String(word) : " \(word)"
    }
    return lines + (line.isEmpty ? [] : [indent + line])
  }
}
