package import ArgumentParser
import Journal
import Modules
import Schema
import Steps
import TerminalText

/// `runbook modules`.
package struct ModulesCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "modules", abstract: "Show the reference of step modules: what steps can do, with inputs and outputs.",
    discussion: """
        runbook modules
        runbook modules turn.relay
        runbook modules --format markdown > modules.md
      """)

  @Argument(help: "A module's name; all in a list, if none is given.", completion: .list(Catalog.standard.names))
  var name: String?

  package enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
    case text
    case markdown
  }

  @Option(help: "text or markdown.") var format: Format = .text

  package init() {}

  package func run() throws {
    switch (name, format) {
    case (nil, .text):
      let rows = Catalog.standard.modules.map { [$0.name, $0.effect.rawValue, $0.summary] }
      Terminal.standardOutput.write(columns(rows) + "\nOne of them in full: runbook modules NAME\n")
    case (nil, .markdown): Terminal.standardOutput.write(Catalog.standard.reference)
    case (let name?, _):
      guard let module = Catalog.standard[name] else {
        let near = nearName(to: name, among: Catalog.standard.names)
        throw CommandFailure(
          .invalid, "there is no module \"\(name)\"",
          advice: near.map { "did you mean \($0)?" } ?? "runbook modules lists them")
      }
      let terminal = Terminal.standardOutput
      terminal.write(
        format == .text ? module.page.terminal(width: min(terminal.width, 100)) : module.page.markdown())
    }
  }
}
