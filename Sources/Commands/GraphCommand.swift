package import ArgumentParser
import Language
import Modules
import Schema
import Steps

/// `runbook graph`.
package struct GraphCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "graph",
    abstract: "Draw a runbook or check: its steps, conditions, and what a failure stops.",
    discussion: """
      The picture is a flowchart of Mermaid, which GitHub, GitLab and many wikis draw where it stands between ```mermaid and \
      ```. Steps with a thick frame run whatever the others come to; those with a dashed one are diagnostics, which never \
      count. The steps of checks stand inside of the steps that use them.

        runbook graph daily-health > daily-health.mmd
        runbook graph checks/turn-relay --format json
      """)

  @Argument(help: "The runbook's name, or checks/NAME.", completion: ProjectCompletion.documents)
  var name: String

  package enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
    case mermaid
    case json
  }

  @Option(help: "mermaid or json.") var format: Format = .mermaid
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() throws {
    let project = try options.load()
    let outline: Outline
    do { outline = try project.outline(name, catalog: .standard) } catch {
      throw Diagnostics(root: project.root).failure(error.all)
    }
    let graph = RunGraph(outline)
    switch format {
    case .mermaid: Terminal.standardOutput.write(MermaidText(graph).text)
    case .json: Terminal.standardOutput.write(graph.json.text(.indented) + "\n")
    }
  }
}
