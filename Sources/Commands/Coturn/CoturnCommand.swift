package import ArgumentParser

/// `runbook coturn`.
package struct CoturnCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "coturn",
    abstract: "Read what coturn writes, and say what it means.",
    subcommands: [LogCommand.self])

  package init() {}
}
