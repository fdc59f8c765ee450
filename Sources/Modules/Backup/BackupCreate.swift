import Backups
import Coturn
import FoundationEssentials
import Glibc
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
  }

  package static let declaration = ModuleDeclaration(
    "backup.create", "Back up a set of files into the vault: read, archived, encrypted, committed.",
    discussion: """
      `backups/SET.yaml` says what belongs to the set. If nothing changed since the newest backup, nothing is committed; the set
      counts as fresh all the same, and the time of the look is kept in the vault.

      It fails if something of the set is missing, cannot be read, or changed each time it was read. Such a backup is kept, its
      manifest and its tag name what is missing, and it does not count as fresh.
      """,
    effect: .record, judges: true, services: [.vault], deadline: .seconds(600),
    input: Record(Input.init, Field("set", \.set, .string, "The set: a file `backups/SET.yaml`.")),
    output: Record(
      Output.init,
      Field("backup", \.backup, .string, "The newest backup's name: a new one, or that which the set is equal to."),
      Field("created", \.created, .timestamp, "When that backup was made."),
      Field("changed", \.changed, .bool, "False if nothing changed, so that nothing was committed."),
      Field("files", \.files, .int, "How many files it has."),
      Field("size", \.size, .byteSize, "What its files have together."),
      Field("archiveSize", \.archiveSize, .byteSize, "What the encrypted archive has."),
      Field("incomplete", \.incomplete, .list(.string), "What is missing, and why.")
    ),
    examples: [.init("The configuration of coturn is backed up", with: "set: coturn-config")])

  package init() {}

  private static let namedInMessage = 3

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let settings = try context.vault()
    let set = try context.backupSet(input.set)
    var outputs: [CommandOutput] = []
    for command in set.commands {
      context.progress("running \(command.name)")
      outputs.append(try await Self.output(of: command, in: context))
    }
    context.progress("reading the set \(set.name)")
    let made = try await Self.make(set, outputs, settings)
    let manifest = made.backup.manifest
    let missing = manifest.incomplete.map(\.text)
    let output = Output(
      backup: made.backup.name, created: made.backup.created, changed: made.isNew, files: manifest.fileCount,
      size: manifest.contentSize, archiveSize: made.backup.archiveSize, incomplete: missing)
    guard missing.isEmpty else {
      let others = missing.count - Self.namedInMessage
      let named =
        missing.prefix(Self.namedInMessage).joined(separator: "; ") + (others > 0 ? "; and \(others) more" : "")
      return .failed(
        output,
        Finding(
          "backup.incomplete", "the backup \(made.backup.name) of the set \(set.name) is incomplete: \(named)",
          advice:
            "What is there is kept, and does not count as fresh. If something is not meant to be in the set, change `backups/\(set.name).yaml`."
        ))
    }
    return .done(output)
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
      if Task.isCancelled { throw VaultError(.interrupted, "the backup was interrupted").stepError }
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

  private static func make(
    _ set: BackupSet, _ outputs: [CommandOutput], _ settings: VaultSettings
  ) async throws(StepError) -> BackupCreation.Made {
    let isCancelled = CancellationMark()
    let result: Result<BackupCreation.Made, VaultError> = await withTaskCancellationHandler {
      await onBlockingThread { () -> Result<BackupCreation.Made, VaultError> in
        do throws(VaultError) {
          return .success(try made(set, outputs, settings, isCancelled))
        } catch { return .failure(error) }
      }
    } onCancel: {
      isCancelled.set()
    }
    do throws(VaultError) { return try result.get() } catch { throw error.stepError }
  }

  private static func made(
    _ set: BackupSet, _ outputs: [CommandOutput], _ settings: VaultSettings, _ isCancelled: CancellationMark
  ) throws(VaultError) -> BackupCreation.Made {
    let key = try ContentKey(file: settings.keyFile)
    let creation = BackupCreation(
      of: set, outputs: outputs, vault: settings.path, key: key, host: hostName,
      redact: { path, content in
        guard path.suffix(configurationName.count).elementsEqual(configurationName) else { return nil }
        return RedactedConfiguration.text(of: content) { "‹hmac:\(key.digest(of: Array($0.utf8)).prefix(16))›" }
      },
      now: {
        Timestamp(seconds: Int64(Date().timeIntervalSince1970), nanoseconds: 0) ?? .unixEpoch
      },
      checkpoint: { () throws(VaultError) in
        if isCancelled.isSet { throw VaultError(.interrupted, "the backup was interrupted before it was committed") }
      })
    return try creation.make()
  }

  private static let configurationName = Array("turnserver.conf".utf8)

  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
