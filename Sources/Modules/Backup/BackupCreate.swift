import Backups
import Coturn
import Files
import Journal
import Processes
package import Schema
package import Steps
import Vault

/// Backs up one set.
package struct BackupCreate: StepModule {
  package struct Input: Hashable, Sendable {
    package var set: String
  }

  package struct Output: Hashable, Sendable {
    package var backup: String
    package var created: Timestamp
    package var changed: Bool
    package var files: Int
    package var size: Int
    package var archiveSize: Int
    package var incomplete: [String]
    package var lost: [String]
    package var pushed: Bool?
  }

  package static let declaration = ModuleDeclaration(
    "backup.create", "Back up a set of files into the vault: read, archived, encrypted, committed.",
    discussion: """
      `backups/SET.yaml` says what belongs to the set. If nothing changed since the newest backup, nothing is committed; the set
      counts as fresh all the same, and the time of the look is kept in the vault.

      It fails if something of the set is missing, cannot be read, or changed each time it was read. Such a backup is kept, its
      manifest and its tag name what is missing, and it does not count as fresh.

      If `vault` of `runbook.yaml` names a remote, the set's branch and tags are pushed to it, also what an earlier push left. A remote
      that has lost commits or has a history of its own, and one with a host key that is not known, fail the step; one that does not answer
      is a warning. The backup is made all the same. `backup.offsite` asks the remote what it has.
      """,
    effect: .record, judges: true, services: [.vault],
    programs: [RequiredProgram("git", package: "git", isOptional: true)], deadline: .seconds(600),
    input: Record(Input.init, Field("set", \.set, .string, "The set: a file `backups/SET.yaml`.")),
    output: Record(
      Output.init,
      Field("backup", \.backup, .string, "The newest backup's name: a new one, or that which the set is equal to."),
      Field("created", \.created, .timestamp, "When that backup was made."),
      Field("changed", \.changed, .bool, "False if nothing changed, so that nothing was committed."),
      Field("files", \.files, .int, "How many files it has."),
      Field("size", \.size, .byteSize, "What its files have together."),
      Field("archiveSize", \.archiveSize, .byteSize, "What the encrypted archive has."),
      Field("incomplete", \.incomplete, .list(.string), "What is missing, and why."),
      Field("lost", \.lost, .list(.string), "Older backups of which git has lost a part."),
      Field("pushed", \.pushed, .optional(.bool), "Whether the remote has it now; absent if the project names none.")
    ),
    examples: [.init("The configuration of coturn is backed up", with: "set: coturn-config")])

  package init() {}

  private static let namedInMessage = 3

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let settings = try context.vault()
    let set = try context.backupSet(input.set)
    let outputs = try await Self.outputs(of: set, in: context)
    context.progress("reading the set \(set.name)")
    let made = try await VaultWork.run { checkpoint in
      let key = try ContentKey(file: settings.keyFile)
      return try withoutActuallyEscaping(checkpoint) { checkpoint in
        try Self.creation(of: set, outputs, settings, key, checkpoint).make()
      }
    }
    let manifest = made.backup.manifest
    let missing = manifest.incomplete.map(\.text)
    var output = Output(
      backup: made.backup.name, created: made.backup.created, changed: made.isNew, files: manifest.fileCount,
      size: manifest.contentSize, archiveSize: made.backup.archiveSize, incomplete: missing,
      lost: made.lost.map(\.name), pushed: nil)
    var failures: [Finding] = []
    var warnings: [Finding] = []
    if !missing.isEmpty { failures.append(Self.incomplete(made.backup, missing)) }
    if let first = made.lost.first {
      warnings.append(
        Finding(
          "backup.damaged",
          "git has lost a part of \(String(made.lost.count)) older \(made.lost.count == 1 ? "backup" : "backups"), such as \(first.name): \(first.error.message)",
          advice: "Look at the disk. Another copy of the vault may still have them: `runbook backup verify` tells."))
    }
    if let remote = settings.remote {
      context.progress("pushing to \(remote.address)")
      do throws(StepError) {
        try await BackupPush.push(set.name, of: settings, to: remote, in: context)
        output.pushed = true
      } catch {
        if error.kind == .interrupted { throw error }
        output.pushed = false
        // A wrong answer fails; no answer is what `backup.offsite` is for.
        if error.kind == .failed { failures.append(error.finding) } else { warnings.append(error.finding) }
      }
    }
    if let finding = Finding.joined(failures + (failures.isEmpty ? [] : warnings)) { return .failed(output, finding) }
    return Finding.joined(warnings).map { .warned(output, $0) } ?? .done(output)
  }

  private static func incomplete(_ backup: Backup, _ missing: [String]) -> Finding {
    let others = missing.count - namedInMessage
    let named = missing.prefix(namedInMessage).joined(separator: "; ") + (others > 0 ? "; and \(others) more" : "")
    return Finding(
      "backup.incomplete", "the backup \(backup.name) of the set \(backup.set) is incomplete: \(named)",
      advice:
        "What is there is kept, and does not count as fresh. If something is not meant to be in the set, change `backups/\(backup.set).yaml`."
    )
  }

  static func outputs(of set: BackupSet, in context: StepContext) async throws(StepError) -> [CommandOutput] {
    var outputs: [CommandOutput] = []
    for command in set.commands {
      context.progress("running \(command.name)")
      outputs.append(try await output(of: command, in: context))
    }
    return outputs
  }

  private static func output(of command: CapturedCommand, in context: StepContext) async throws(StepError)
    -> CommandOutput
  {
    func failure(_ reason: String) -> CommandOutput {
      CommandOutput(name: command.name, content: .failure(.init(reason)))
    }
    guard let program = command.command.first else { return failure("it names no program") }
    var run = Command(program, Array(command.command.dropFirst()))
    run.timeout = min(command.timeout, context.remaining)
    let result: ProcessResult
    do throws(ProcessError) { result = try await run.run(in: context) } catch { return failure(error.message) }
    if result.interruption != nil {
      if Task.isCancelled { throw StepError(VaultError(.interrupted, "the backup was interrupted")) }
      return failure("it did not end in time")
    }
    if result.standardOutput.isTruncated { return failure("its output is longer than is kept") }
    return switch result.ending {
    case .exited(0): CommandOutput(name: command.name, content: .success(result.standardOutput.bytes))
    case .exited(let code): failure("it ended with exit code \(code)")
    case .signalled(let number): failure("it was ended by signal \(number)")
    case .unkillable: failure("it cannot be ended")
    }
  }

  /// A set as it is now, ready to be read.
  static func creation(
    of set: BackupSet, _ outputs: [CommandOutput], _ settings: VaultSettings, _ key: ContentKey,
    _ checkpoint: @escaping () throws -> Void = {}
  ) -> BackupCreation {
    BackupCreation(
      of: set, outputs: outputs, vault: settings.path, ownFolders: [parentFolder(of: settings.keyFile)], key: key,
      host: hostName(),
      redact: { path, content in
        guard path.suffix(configurationName.count).elementsEqual(configurationName) else { return nil }
        return RedactedConfiguration.text(of: content) { "‹hmac:\(key.digest(of: Array($0.utf8)).prefix(16))›" }
      },
      now: { Timestamp(seconds: Moment.now().wall.seconds, nanoseconds: 0) ?? .unixEpoch },
      checkpoint: { () throws(VaultError) in
        do { try checkpoint() } catch {
          throw VaultError(.interrupted, "the backup was interrupted before it was committed")
        }
      })
  }

  private static let configurationName = Array("turnserver.conf".utf8)
}
