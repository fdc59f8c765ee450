package import ArgumentParser
import Journal
import Language
import Modules
import Schema
import Steps
import TerminalText

/// `runbook list`.
package struct ListCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the project's runbooks and checks, with what they do to the service.",
    discussion: """
        runbook list
        runbook list --format json
      """)

  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  private struct Row {
    let name: String
    let effects: [String]
    let title: String
  }

  package func run() throws {
    let project = try options.load()
    let names = project.documentNames
    let rows = names.map { name in
      // A document with problems is listed all the same; `validate` says what they are.
      guard let outline = try? project.outline(name, catalog: .standard) else {
        return Row(name: name, effects: [], title: "has problems: runbook validate")
      }
      return Row(name: name, effects: outline.effects.sorted().map(\.rawValue), title: outline.title)
    }
    switch format {
    case .json:
      let objects = rows.map { row -> JSON in
        [
          "name": .string(row.name), "effects": .array(row.effects.map(JSON.string)), "title": .string(row.title),
        ]
      }
      Terminal.standardOutput.write(JSON.array(objects).text(.indented) + "\n")
    case .text:
      Terminal.standardOutput.write(
        columns(rows.map { [$0.name, $0.effects.joined(separator: " "), terminalSafe($0.title)] }))
    }
  }
}
