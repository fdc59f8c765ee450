package import ArgumentParser
import Schema

/// `runbook backup verify`.
package struct BackupVerifyCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Find out whether backups can be restored, without restoring them.",
    discussion: """
      It reads what a restore reads, by the same code: from git, through the decryption, every file held against the \
      manifest. One altered byte fails it. Without --identity the content stays unread, and it says so: only git, the \
      manifests and the digests of the archives are checked then.

        runbook backup verify --identity operations.key
        runbook backup verify coturn-config --identity operations.key --budget 200MiB
        runbook backup verify coturn-config --backup 20261128T154725Z --identity - <operations.key

      It does what the step `backup.verify` does: `runbook modules backup.verify` tells more. Exit code 0 if all that was \
      read is whole, 1 if something is not, 2 if nothing was begun, 3 if it could not be found out.
      """)

  @Argument(help: "Only this set.") var set: String?
  @Option(help: ArgumentHelp("Only this backup of the set, by its name.", valueName: "name")) var backup: String?
  @Option(
    name: [.short, .long],
    help: ArgumentHelp("The key file that decrypts; - reads standard input.", valueName: "file"), completion: .file())
  var identity: String?
  @Option(
    help: ArgumentHelp("Read no more than this, what was not read for longest first.", valueName: "size"))
  var budget: String?
  @Option(
    help: ArgumentHelp(
      "The most that the files of one backup may have together; else 256MiB, or what the set may have.",
      valueName: "size"))
  var limit: String?
  @Option(help: ArgumentHelp("The host's key, to check the manifests beside the archives too.", valueName: "file"))
  var keyFile: String?
  @OptionGroup var step: BackupStepOptions

  package init() {}

  package func validate() throws {
    if backup != nil, set == nil { throw ValidationError("--backup needs the set before it") }
    if let budget, parseByteSize(budget) == nil {
      throw ValidationError("--budget takes a size with its unit, such as 200MiB; found \"\(budget)\"")
    }
    if let limit, parseByteSize(limit) == nil {
      throw ValidationError("--limit takes a size with its unit, such as 1GiB; found \"\(limit)\"")
    }
  }

  package func run() async throws {
    try await step.run(
      "backup.verify",
      [
        set.map { .init("set", .string($0)) }, backup.map { .init("backup", .string($0)) },
        try step.identity(identity), budget.flatMap { parseByteSize($0) }.map { .init("budget", .int($0)) },
        limit.flatMap { parseByteSize($0) }.map { .init("limit", .int($0)) },
        keyFile.map { .init("keyFile", .string(step.absolute($0))) },
      ])
  }
}
