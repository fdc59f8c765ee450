package import ArgumentParser
import Schema

/// `runbook backup diff`.
package struct BackupDiffCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Tell what changed from one backup of a set to another, or on this host since.",
    discussion: """
      Without names it compares the newest two. Nothing is decrypted and no key is needed: of a secret that changed it shows \
      that, and not what it was or is. With --live it compares the newest backup, or --from, with what this host has now; \
      it reads the set as a backup does, its commands included, and writes nothing.

        runbook backup diff coturn-config
        runbook backup diff coturn-config --live
        runbook backup diff coturn-config --from 20261028T040000Z --to 20261128T040000Z --format json
      """)

  @Argument(help: "The set.") var set: String
  @Option(help: ArgumentHelp("The older backup.", valueName: "name")) var from: String?
  @Option(help: ArgumentHelp("The newer backup.", valueName: "name")) var to: String?
  @Flag(help: "Compare with what this host has now.") var live = false
  @OptionGroup var step: BackupStepOptions

  package init() {}

  package func validate() throws {
    if live, to != nil { throw ValidationError("--live and --to both say what to compare with: give one of them") }
  }

  package func run() async throws {
    try await step.run(
      "backup.diff",
      [
        .init("set", .string(set)), from.map { .init("from", .string($0)) }, to.map { .init("to", .string($0)) },
        .init("live", .bool(live)),
      ])
  }
}
