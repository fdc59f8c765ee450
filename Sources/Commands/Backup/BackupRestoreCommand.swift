package import ArgumentParser
import Schema

/// `runbook backup restore`.
package struct BackupRestoreCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Put a backup into a folder, whole or not at all.",
    discussion: """
      The backup is written beside the target and checked while it is. Only when all of it is right and on the disk does it \
      take its place, in one step; whatever happens before, the target is as it was. Without --backup it is the newest \
      complete one.

      A target that holds something is refused. --replace puts the backup in its place all the same, and keeps the old tree \
      beside it under a name that is printed: to undo the restore, move it back.

        runbook backup restore coturn-config --to /srv/restored --identity operations.key
        runbook backup restore coturn-config --only /etc/turnserver.conf --to /srv/one --identity operations.key
        runbook backup restore coturn-config --only /etc/coturn --to /etc/coturn --replace --identity operations.key

      The target has files/ with the files by their paths, commands/, and manifest.json; with --only, what that one folder \
      had, or that one file. Run it as root if owners are to be restored. docs/vault.md tells how to do the same without this tool.

      Exit code 0 if it is in its place, 1 if the backup is not whole, 2 if nothing was begun, 3 if it could not be written.
      """)

  @Argument(help: "The set.") var set: String
  @Option(help: ArgumentHelp("The folder to restore to.", valueName: "dir"), completion: .directory) var to: String
  @Option(
    name: [.short, .long],
    help: ArgumentHelp("The key file that decrypts; - reads standard input.", valueName: "file"), completion: .file())
  var identity: String
  @Option(help: ArgumentHelp("The backup's name, as `runbook backup list` prints it.", valueName: "name"))
  var backup: String?
  @Option(help: ArgumentHelp("Only what this folder of the host had, or this one file.", valueName: "path")) var only:
    String?
  @Flag(help: "Replace a target that holds something; it is kept beside.") var replace = false
  @Flag(help: "Let links lead out of the target.") var outwardLinks = false
  @Option(
    help: ArgumentHelp(
      "The most that the files may have together; else 256MiB, or what the set may have.", valueName: "size"))
  var limit: String?
  @OptionGroup var step: BackupStepOptions

  package init() {}

  package func validate() throws {
    if let limit, parseByteSize(limit) == nil {
      throw ValidationError("--limit takes a size with its unit, such as 1GiB; found \"\(limit)\"")
    }
  }

  package func run() async throws {
    try await step.run(
      "backup.restore",
      [
        .init("set", .string(set)), .init("target", .string(step.absolute(to))), try step.identity(identity),
        backup.map { .init("backup", .string($0)) }, only.map { .init("only", .string($0)) },
        .init("replace", .bool(replace)), .init("outwardLinks", .bool(outwardLinks)),
        limit.flatMap { parseByteSize($0) }.map { .init("limit", .int($0)) },
      ])
  }
}
