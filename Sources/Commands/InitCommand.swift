package import ArgumentParser
import TerminalText

/// `runbook init`.
package struct InitCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Start a project that works at once: runbooks, their checks, and a place for credentials.",
    discussion: """
      It writes runbook.yaml, the runbooks and checks of a template, an .env for you to fill in, readable by you alone, and a \
      .gitignore that leaves secrets and runs out. It never writes over a file.

      Templates: `coturn` is for one server: the runbooks and checks that ship with runbook. `fleet` is for several: the same, \
      with targets that have labels. `minimal` is for those who write their own: one runbook with one step, and nothing else.

        runbook init ops
        runbook init --template fleet ops
        runbook init --template minimal .
      """)

  @Option(help: "minimal, coturn or fleet.") var template: ProjectTemplate = .coturn

  @Argument(
    help: ArgumentHelp(
      "The project's folder, made if it is not there; the current folder, if none is given.", valueName: "dir"),
    completion: .directory)
  var folder: String?

  package init() {}

  package func run() throws {
    let files = try FirstProject(folder: folder ?? ".", template: template).write()
    var text = "A new project\(folder.map { " in \(terminalSafe($0))" } ?? ""):\n"
    for file in files { text += "  \(file.path)\n" }
    text += "\nNext, without a server of your own, and then with \(template.servers):\n"
    if let folder { text += "  cd \(terminalSafe(shellQuoted(folder)))\n" }
    text += """
        runbook run \(template.runbook) --lab
        runbook doctor
        runbook run \(template.runbook)\(template == .fleet ? " --target all" : "")

      """
    Terminal.standardOutput.write(text)
  }
}

extension ProjectTemplate {
  /// What the first runs are to be about.
  fileprivate var servers: String {
    self == .fleet ? "those that you name in runbook.yaml" : "the one that you name in .env"
  }
}
