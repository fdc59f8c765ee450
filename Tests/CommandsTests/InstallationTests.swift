import Foundation
import Processes
import Schema
import Testing

/// What `scripts/install` puts in place besides the executable.
@Suite struct InstallationTests {
  /// Installs what is beside the tests.
  private func install(into project: CommandLineProject) async throws -> String {
    let prefix = "\(project.root)/prefix"
    var command = Command(
      "scripts/install", [prefix, URL(filePath: CommandLineProject.executable).deletingLastPathComponent().path])
    command.directory = CommandLineProject.repositoryURL.path
    let installed = project.output(of: try await command.run())
    try #require(installed.status == 0, "\(installed.stderr)")
    return prefix
  }

  @Test("The manual page is in good form and names every command and option, variable, exit code and file")
  func manual() async throws {
    let project = try CommandLineProject()
    let page = try await install(into: project) + "/share/man/man1/runbook.1"
    let lint = try await Command("mandoc", ["-T", "lint", "-W", "style", page]).run()
    #expect(lint.ending == .exited(0), "\(lint.standardOutput.text)")
    let rendered = try await Command("mandoc", ["-T", "ascii", "-O", "width=1000", page]).run()
    // Bold and underlined characters are struck over.
    let text = rendered.standardOutput.text.replacing(/.\u{8}/, with: "")
    let common = try section("COMMON OPTIONS", of: text)
    for command in try await declaredCommands(project) {
      let section = try section(command.path, of: text)
      for name in command.options {
        #expect(section.contains(name) || common.contains(name), "\(command.path) \(name)")
      }
    }
    for name in try environmentNames() { #expect(text.contains(name), "\(name)") }
    for part in ["128+n", "runbook.yaml", "checks/NAME.yaml", "/var/lib/runbook", "Default: 50."] {
      #expect(text.contains(part), "\(part)")
    }
  }

  @Test("Of a pair of flags the page tells what each does; each common option stands once; help names the page")
  func manualEntries() async throws {
    let project = try CommandLineProject()
    let page = try await project.runbook("manual").stdout
    #expect(
      page.contains("\\fB\\-\\-no\\-keep\\-failed\\fR\nThe opposite of \\fB\\-\\-keep\\-failed\\fR.\n"), "\(page)")
    let common = try #require(page.split(separator: ".SH \"COMMON OPTIONS\"").last?.split(separator: ".SH").first)
    let terms = common.split(separator: ".TP\n").dropFirst().compactMap { $0.split(separator: "\n").first }
    #expect(terms.count > 3 && Set(terms).count == terms.count, "\(terms)")
    #expect(try await project.runbook("--help").stdout.contains("\n  manual "))
  }

  /// What stands below the heading that begins so, the heading included. The text of a section is indented further than
  /// its heading.
  private func section(_ heading: String, of page: String) throws -> Substring {
    let headings = page.matches(of: /(^|\n) {0,3}(?=\S)/).map(\.range.upperBound)
    let index = try #require(headings.firstIndex { page[$0...].hasPrefix(heading) }, "\(heading)")
    return page[headings[index]..<(headings[(index + 1)...].first ?? page.endIndex)]
  }

  private struct DeclaredCommand {
    let path: String
    let options: [String]
    let isGroup: Bool
    /// What its help says, and the help of the groups that it is in.
    let help: String
  }

  @Test("Every command's help shows how it is typed")
  func examples() async throws {
    for command in try await declaredCommands(try CommandLineProject()) where !command.isGroup {
      #expect(command.help.contains("  \(command.path)"), "\(command.path) has no example in its help")
    }
  }

  private func declaredCommands(_ project: CommandLineProject) async throws -> [DeclaredCommand] {
    func declared(_ json: JSON, below parent: [String], _ outerHelp: String) -> [DeclaredCommand] {
      let path = parent + [json["commandName"]?.string ?? ""]
      let help = outerHelp + (json["discussion"]?.string ?? "")
      let inner = (json["subcommands"]?.array ?? []).filter {
        $0["shouldDisplay"] != false && $0["commandName"] != "help"
      }
      var commands = [
        DeclaredCommand(
          path: path.joined(separator: " "), options: longNames(json), isGroup: !inner.isEmpty, help: help)
      ]
      for command in inner { commands += declared(command, below: path, help) }
      return commands
    }
    let root = try #require(try await project.runbook("--experimental-dump-help").json["command"])
    let commands = declared(root, below: [], "").dropFirst()
    try #require(commands.count > 10)
    return Array(commands)
  }

  private func longNames(_ command: JSON) -> [String] {
    var options: [String] = []
    for argument in command["arguments"]?.array ?? [] {
      for name in argument["names"]?.array ?? [] where name["kind"] == "long" {
        options.append("--\(name["name"]?.string ?? "")")
      }
    }
    return options
  }

  /// The names of the environment that the sources ask for.
  private func environmentNames() throws -> Set<String> {
    let sources = CommandLineProject.repositoryURL.appending(path: "Sources")
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    var names: Set<String> = []
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift", !file.path.contains("/Sources/Lab/") else { continue }
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /"((RUNBOOK|TURN|NO_COLOR)[A-Z_]*)"/) { names.insert(String(match.1)) }
    }
    try #require(names.isSuperset(of: ["RUNBOOK_PROJECT", "RUNBOOK_STATE", "TURN_CREDENTIAL", "NO_COLOR"]))
    return names
  }

  @Test(
    "bash completes names from the project",
    arguments: [
      ("run dai", ["daily-health"]), ("run checks/t", ["checks/turn-relay"]), ("run daily-health --only m", ["memory"]),
      ("run daily-health --target o", ["oslo"]), ("run daily-health --lab --target lab-", ["lab-rest"]),
      ("show daily-health --format j", ["json"]), ("modules turn.rel", ["turn.relay"]), ("report la", ["last"]),
      ("history checks/tu", ["checks/turn-relay"]), ("ini", ["init"]), ("probe stu", ["stun", "stun.behaviour"]),
      ("probe turn --target o", ["oslo"]), ("probe turn --lab --target lab-", ["lab-rest"]),
      ("report last --format h", ["html"]), ("run daily-health --format na", ["nagios"]),
      ("run daily-health --report ju", ["junit="]), ("probe turn -p pack", ["packets="]),
      ("probe turn.pool -p w", ["working="]),
    ])
  func bash(line: String, expected: [String]) async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        frankfurt: {server: "turn:127.0.0.1:1"}
        oslo: {server: "turn:127.0.0.1:2"}

      """)
    if line.hasPrefix("report") { try await project.runbook("run", "checks/disk-space") }
    let offered = try await completions(of: line, in: project)
    #expect(Set(offered).isSuperset(of: expected), "\(offered)")
    let prefix = line.split(separator: " ").last ?? ""
    #expect(offered.allSatisfy { $0.hasPrefix(prefix) }, "\(offered)")
  }

  @Test("What a shell would expand is not offered, and nothing of it is run", arguments: ["run ", "run --target "])
  func hostileProject(line: String) async throws {
    let project = try CommandLineProject()
    try project.write("runbooks/$(touch ran).yaml", project.read("runbooks/daily-health.yaml"))
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        oslo: {server: "turn:127.0.0.1:2", labels: {region: "$(touch ran)", tier: "`touch ran`", zone: north}}

      """)
    let offered = try await completions(of: line, in: project)
    #expect(offered.contains(line == "run " ? "daily-health" : "zone=north"), "\(offered)")
    #expect(!offered.contains { $0.contains("touch") }, "\(offered)")
    #expect(!project.exists("ran"))
  }

  @Test("A project that cannot be read completes nothing, and says nothing into the line")
  func brokenProject() async throws {
    let project = try CommandLineProject()
    try project.write("runbook.yaml", "project: [\n")
    #expect(try await completions(of: "run dai", in: project) == [])
  }

  /// What bash offers for the last word of a line, by the script that is installed.
  private func completions(of line: String, in project: CommandLineProject) async throws -> [String] {
    try project.write(
      "complete.bash",
      """
      source <(runbook --generate-completion-script bash)
      COMP_LINE="runbook $1"
      COMP_POINT=${#COMP_LINE}
      read -ra COMP_WORDS <<<"$COMP_LINE"
      [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=("")
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      [[ $(complete -p runbook) =~ -F\\ ([^ ]+) ]] || exit 9
      "${BASH_REMATCH[1]}" runbook "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"

      """)
    let folder = URL(filePath: CommandLineProject.executable).deletingLastPathComponent().path
    var command = Command("bash", ["--norc", "complete.bash", line])
    command.directory = project.root
    command.environment = ["PATH": "\(folder):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"]
    let output = project.output(of: try await command.run())
    try #require(output.status == 0, "\(output.stderr)")
    #expect(output.stderr.isEmpty, "\(output.stderr)")
    return output.stdout.split(whereSeparator: \.isWhitespace).map(String.init)
  }
}
