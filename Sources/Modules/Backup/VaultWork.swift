import Age
import Backups
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
    case let error as VaultError: StepError(error)
    case is Interrupted:
      StepError(.interrupted, Finding("backup.interrupted", "the work was stopped before its end"))
    default:
      .broken(
        "backup.failed", "the vault cannot be read: \(String(describing: error))",
        advice: "Check that the vault is a bare git repository that this user may read: git -C VAULT fsck.")
    }
  }

  /// The most that the files of one backup of a set may have together: what a step says, or else what the set may have, but never less
  /// than is usual.
  static func limit(_ given: Int?, of set: String?, in context: StepContext) -> Int {
    let sets = context.services.vault?.sets ?? [:]
    let largest = set.map { sets[$0]?.maxSize ?? 0 } ?? sets.values.map(\.maxSize).max() ?? 0
    return given ?? max(BackupSet.usualMaxSize, largest)
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

  /// What is to be told of a set of which git has lost a part; nil if it has all.
  static func loss(of set: String, in vault: borrowing VaultRepository) throws(VaultError) -> Finding? {
    loss(try vault.content(of: set).lost, of: set)
  }

  /// - Parameter good: the newest backup that is whole, if it was looked for.
  static func loss(_ lost: [LostBackup], of set: String, good: Backup? = nil) -> Finding? {
    guard let first = lost.first else { return nil }
    let next: Sentence? = good.map { goodBackup($0) }
    return Finding(
      "backup.damaged",
      "git has lost a part of \(String(lost.count)) \(lost.count == 1 ? "backup" : "backups") of the set \(set), such as \(first.name): \(first.error.message)",
      advice: next
        ?? "Look at the disk. Another copy of the vault may still have them: `runbook backup verify` tells.")
  }

  private static func goodBackup(_ backup: Backup) -> Sentence {
    "The newest good backup is \(backup.name): `runbook backup restore \(backup.set) --backup \(backup.name)` with `--to` and `--identity`. Make a new one with `backup.create`, and look at the disk."
  }

  /// Does it. If the backup turns out to be damaged, the newest one that is whole is named.
  ///
  /// - Parameter name: of the backup that is read; nil for the newest complete one.
  static func namingGoodBackup<Result>(
    besides name: String?, of set: String, in vault: borrowing VaultRepository, _ checkpoint: () throws -> Void,
    _ work: () throws -> Result
  ) throws -> Result {
    do { return try work() } catch {
      let isDamage =
        (error as? ArchiveFault)?.kind == .damaged || (error as? VaultError)?.kind == .damaged
      guard isDamage else { throw error }
      let left = try name ?? vault.backups(of: set).first { $0.isComplete }?.name
      let good = try newestWhole(of: set, besides: left, in: vault, checkpoint).backup
      let found = translated(error)
      guard let good else {
        throw StepError(
          found.kind,
          Finding(
            found.finding.code, found.finding.sentence,
            advice:
              "No other backup of the set \(set) is whole in this vault. Look for a copy of the vault elsewhere: `runbook backup verify --vault COPY`."
          ))
      }
      throw StepError(
        found.kind, Finding(found.finding.code, found.finding.sentence, advice: goodBackup(good)))
    }
  }

  /// As `VaultRepository.newestWhole` does, with the checkpoint of a step.
  static func newestWhole(
    of set: String, besides left: String? = nil, in vault: borrowing VaultRepository, _ checkpoint: () throws -> Void
  ) throws(VaultError) -> (backup: Backup?, damaged: [LostBackup]) {
    try vault.newestWhole(of: set, besides: left) { () throws(VaultError) in
      do { try checkpoint() } catch { throw VaultError(.interrupted, "the work was stopped before its end") }
    }
  }

  /// A backup by name, or the newest that is complete.
  static func choose(_ name: String?, of set: String, in vault: borrowing VaultRepository) throws -> Backup {
    if let name { return try vault.backup(name, of: set) }
    let content = try vault.content(of: set)
    let all = content.backups
    if let newest = all.first(where: \.isComplete) { return newest }
    if let lost = content.lost.first { throw lost.error }
    if let newest = all.first {
      throw StepError.failed(
        "backup.incomplete",
        "the vault has no complete backup of the set \(set); the newest, \(newest.name), lacks \(String(newest.manifest.incomplete.count)) \(newest.manifest.incomplete.count == 1 ? "thing" : "things")",
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

  init(_ error: VaultError) {
    let code =
      switch error.kind {
      case .missing: "backup.noVault"
      case .foreignOwner: "backup.foreignOwner"
      case .locked: "backup.locked"
      case .busy: "backup.busy"
      case .foreignCommit: "backup.foreignCommit"
      case .unknownBackup: "backup.notFound"
      case .damaged: "backup.damaged"
      case .full: "backup.noSpace"
      case .tooLarge: "backup.tooLarge"
      case .tooFewRecipients: "backup.tooFewRecipients"
      case .interrupted: "backup.interrupted"
      case .other: "backup.failed"
      }
    let kind: Kind =
      switch error.kind {
      case .missing, .foreignOwner: .notStarted
      case .unknownBackup, .tooLarge, .tooFewRecipients, .foreignCommit, .damaged: .failed
      case .interrupted: .interrupted
      default: .broken
      }
    let advice = error.advice.map { $0.prefix(1).uppercased() + $0.dropFirst() }
    self.init(kind, Finding(code, "\(error.message)", advice: advice.map { "\($0)" }))
  }
}
