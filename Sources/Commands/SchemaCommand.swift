package import ArgumentParser
import Language
import Modules
import Schema
import Steps

/// `runbook schema`.
package struct SchemaCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the JSON Schema of runbooks, checks and runbook.yaml, for editors.",
    discussion: """
        runbook schema > .runbook-schema.json

      Editors that know the YAML language server take it from a comment on a file's first line:

        # yaml-language-server: $schema=../.runbook-schema.json
      """)

  package init() {}

  package func run() throws {
    Terminal.standardOutput.write(documentSchema(catalog: .standard).text(.indented) + "\n")
  }
}
