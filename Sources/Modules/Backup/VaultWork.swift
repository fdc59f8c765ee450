import Age
import Files
import Glibc
import Journal
import Processes
import Schema
import Steps
import Vault

/// Work on a vault, which blocks.
enum VaultWork {
  private struct Interrupted: Error {}

  /// Does it on a thread of its own. Whatever it throws comes out as a step's error.
  ///
  /// - Parameter body: calls its argument often, which throws once the task is cancelled.
  static func run<Result: Sendable>(
    _ body: @escaping @Sendable (_ checkpoint: () throws -> Void) throws -> Result
  ) async throws(StepError) -> Result {
    let isCancelled = CancellationMark()
    let result: Swift.Result<Result, StepError> = await withTaskCancellationHandler {
      do {
        let value = try await onBlockingThread {
          try body { if isCancelled.isSet { throw Interrupted() } }
        }
        return .success(value)
      } catch {
        return .failure(translated(error))
      }
    } onCancel: {
      isCancelled.set()
    }
    return try result.get()
  }

  static func translated(_ error: any Error) -> StepError {
    switch error {
    case let error as StepError: error
    case let fault as ArchiveFault:
      fault.kind == .wrongIdentity ? StepError(.broken, Finding(fault)) : StepError(.failed, Finding(fault))
    case let error as RestoreError: StepError(error)
    case let error as VaultError: StepError(reading: error)
    case is Interrupted:
      StepError(.interrupted, Finding("backup.interrupted", "the work was stopped before its end"))
    default:
      .broken(
        "backup.failed", "the vault cannot be read: \(String(describing: error))",
        advice: "Check that the vault is a bare git repository that this user may read: git -C VAULT fsck.")
    }
  }

  /// The identities of a key file, or the one identity.
  static func identities(_ secret: Secret?) throws(StepError) -> [AgeIdentity]? {
    guard let secret else { return nil }
    do throws(AgeError) {
      let found = try AgeIdentity.all(ofKeyFile: secret.revealText())
      if !found.isEmpty { return found }
    } catch {}
    throw .notStarted(
      "backup.identityInvalid", "the identity is not an age identity",
      advice: "Give the content of the file that `runbook backup keygen` or `age-keygen` wrote: AGE-SECRET-KEY-1….")
  }

  /// A backup by name, or the newest that is complete.
  static func choose(_ name: String?, of set: String, in vault: borrowing VaultRepository) throws -> Backup {
    if let name { return try vault.backup(name, of: set) }
    let all = try vault.backups(of: set)
    if let newest = all.first(where: \.isComplete) { return newest }
    if let newest = all.first {
      throw StepError.failed(
        "backup.incomplete",
        "the vault has no complete backup of the set \(set); the newest, \(newest.name), lacks \(newest.manifest.incomplete.count) things",
        advice: "Name it as `backup` if what it has is enough.")
    }
    throw StepError.failed(
      "backup.none", "the vault has no backup of the set \(set)", advice: "`runbook backup list` tells what it has.")
  }

  /// 64 hex digits in a file that only its owner may read: what stands for contents beside the archive is made with it.
  static func hostDigest(_ keyFile: String?) throws(StepError) -> BackupReading.HostDigest? {
    guard let keyFile else { return nil }
    do throws(FileError) {
      // Whoever only reads makes no key.
      guard try FileMetadata.of(keyFile, followingLinks: true) != nil else {
        throw FileError(.open, keyFile, .system(ENOENT))
      }
    } catch {
      throw .notStarted(
        "backup.keyUnreadable", "\(error.message)",
        advice:
          "Check `keyFile` of the vault in runbook.yaml, and that this user may read it. `backup.create` makes the file when it first runs."
      )
    }
    do throws(VaultError) {
      let key = try ContentKey(file: keyFile)
      return { key.digest(ofSHA256: $0) }
    } catch {
      throw .notStarted("backup.keyUnreadable", "\(error.message)", advice: error.advice.map { "\($0)" })
    }
  }
}

extension Finding {
  init(_ fault: ArchiveFault) {
    let advice: Sentence? = fault.advice.map { "\($0)" }
    switch fault.kind {
    case .hostile: self = Finding("backup.hostile", "\(fault.message)", advice: advice)
    case .damaged:
      self = Finding(
        "backup.damaged", "\(fault.message)",
        advice: "Look whether another backup, or a copy of the vault elsewhere, is whole: `runbook backup verify`.")
    case .wrongIdentity: self = Finding("backup.wrongIdentity", "\(fault.message)", advice: advice)
    case .tooLarge: self = Finding("backup.tooLarge", "\(fault.message)", advice: advice)
    }
  }
}

extension StepError {
  /// What was there is as it was.
  init(_ error: RestoreError) {
    let advice: Sentence? = error.advice.map { "\($0)" }
    switch error.kind {
    case .target: self = .notStarted("backup.targetRefused", "\(error.message)", advice: advice)
    case .full: self = .broken("backup.noSpace", "\(error.message)", advice: advice)
    case .system: self = .broken("backup.restoreFailed", "\(error.message)", advice: advice)
    }
  }

  init(reading error: VaultError) {
    let advice: Sentence? = error.advice.map { "\($0)" }
    switch error.kind {
    case .missing: self = .notStarted("backup.noVault", "\(error.message)", advice: advice)
    case .foreignOwner: self = .notStarted("backup.foreignOwner", "\(error.message)", advice: advice)
    case .unknownBackup: self = .failed("backup.notFound", "\(error.message)", advice: advice)
    case .damaged: self = .failed("backup.damaged", "\(error.message)", advice: advice)
    default: self = .broken("backup.failed", "\(error.message)", advice: advice)
    }
  }
}
