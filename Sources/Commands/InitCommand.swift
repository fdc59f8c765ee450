package import ArgumentParser
import Reports

/// `runbook init`.
package struct InitCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Start a project that works at once: runbooks, their checks, and a place for credentials.",
    discussion: """
      It writes runbook.yaml, the runbooks that ship with runbook and the checks that they use, an .env for you to fill in, \
      readable by you alone, and a .gitignore that leaves .env and the runs out. It never writes over a file.

        runbook init ops
      """)

  @Argument(
    help: ArgumentHelp("The project's folder, made where it is not there; else this one.", valueName: "dir"),
    completion: .directory)
  var folder: String?

  package init() {}

  package func run() throws {
    let files = try FirstProject(folder: folder ?? ".").write()
    var text = "A new project\(folder.map { " in \(terminalSafe($0))" } ?? ""):\n"
    for file in files { text += "  \(file.path)\n" }
    text += "\nNext, without a server of your own, and then with the one that you name in .env:\n"
    if let folder { text += "  cd \(terminalSafe(shellQuoted(folder)))\n" }
    text += """
        runbook run \(FirstProject.runbook) --lab
        runbook run \(FirstProject.runbook)

      """
    Terminal.standardOutput.write(text)
  }
}
