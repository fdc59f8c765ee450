package import ArgumentParser

/// `runbook coturn`.
package struct CoturnCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "coturn",
    abstract: "Read coturn's logs and its configuration, say what they mean, and write a hardened configuration.",
    subcommands: [LogCommand.self, AuditCommand.self, GenerateCommand.self])

  package init() {}
}
