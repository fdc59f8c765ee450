import Age
import Archive
package import Backups
import Git
package import Schema

/// One backup of a set: read, archived, encrypted, committed. It blocks, for as long as reading and writing take.
package struct BackupCreation {
  package struct Made: Sendable {
    /// The newest backup of the set: a new one, or that which the set was found equal to.
    package let backup: Backup
    /// False if nothing changed, so that nothing was committed.
    package let isNew: Bool
    /// Older backups of which git has lost a part. They are no longer on the branch if the backup is new.
    package let lost: [LostBackup]
  }

  private let set: BackupSet
  private let outputs: [CommandOutput]
  private let path: String
  private let ownFolders: [String]
  private let key: ContentKey
  private let host: String
  private let redact: (_ path: [UInt8], _ content: [UInt8]) -> String?
  private let now: () -> Timestamp
  private let checkpoint: () throws(VaultError) -> Void

  /// - Parameters:
  ///   - outputs: of the set's commands.
  ///   - path: of the vault, which is made if there is none. It never backs up itself.
  ///   - ownFolders: further folders of this tool itself, which are left out unless the set names them.
  ///   - redact: gives the text that stands for a file beside the archive, without its secrets; nil for a file that is no configuration.
  ///   - now: the wall clock.
  ///   - checkpoint: throws ``VaultError/Kind/interrupted`` if the work is to end. It is asked often.
  package init(
    of set: BackupSet, outputs: [CommandOutput], vault path: String, ownFolders: [String] = [], key: ContentKey,
    host: String, redact: @escaping (_ path: [UInt8], _ content: [UInt8]) -> String? = { _, _ in nil },
    now: @escaping () -> Timestamp, checkpoint: @escaping () throws(VaultError) -> Void = {}
  ) {
    (self.set, self.outputs, self.path, self.key, self.host) = (set, outputs, path, key, host)
    self.ownFolders = ownFolders
    (self.redact, self.now, self.checkpoint) = (redact, now, checkpoint)
  }

  /// How often all begins again because a large file changed.
  private static let tries = 3

  /// Makes the backup. What is missing in it is in its manifest; such a one does not count as fresh.
  package func make() throws(VaultError) -> Made {
    let recipients = Set(set.recipients)
    guard recipients.count >= max(1, set.minimumRecipients) else {
      throw VaultError(
        .tooFewRecipients,
        "the set \(set.name) has \(recipients.count) recipient\(recipients.count == 1 ? "" : "s"), and asks for at least \(max(1, set.minimumRecipients))",
        advice: recipients.isEmpty
          ? "make two keys with `runbook backup keygen FILE`, and put what it prints under `vault: recipients:` in runbook.yaml"
          : "with one key lost, nobody could read the backups: make another key with `runbook backup keygen FILE`, and put what it prints beside the first, in the recipients of the set or under `vault: recipients:` in runbook.yaml"
      )
    }
    let folder = try VaultFolder.open(path, checkpoint: checkpoint)
    let vault = try VaultRepository(opening: path)
    // The lock is held until then.
    return try withExtendedLifetime(folder) { () throws(VaultError) in try make(in: vault) }
  }

  /// The set as it is now, with nothing written: what would stand beside its archive, and its configuration without secrets, line by line.
  package func look() throws(VaultError) -> (manifest: BackupManifest, redacted: [String]) {
    let reading = try SetReading(
      set, outputs: outputs, leftOut: [], ownFolders: [path] + ownFolders, checkpoint: checkpoint)
    var redacted: [(path: [UInt8], text: String)] = []
    for member in reading.members {
      guard let source = reading.sources[member.name] else { continue }
      let bytes = source.content.bytes ?? (try? ReadContent(reading: source.path, checkpoint: checkpoint))?.bytes
      if let bytes, let text = redact(source.path, bytes) { redacted.append((source.path, text)) }
    }
    let manifest = BackupManifest(
      set: set.name, host: host, digests: .hmacSHA256, members: reading.members.map(hidden),
      incomplete: reading.missing)
    return (manifest, VaultRepository.lines(Self.text(of: redacted)))
  }

  private func make(in vault: borrowing VaultRepository) throws(VaultError) -> Made {
    try vault.refuseLocks(of: set.name)
    let head = try vault.head(of: set.name)
    if let head { try vault.refuseForeign(head, of: set.name) }
    let content = try head.map { head throws(VaultError) in try vault.content(of: set.name, at: head) }
    var kept = content?.backups ?? []
    var lost = content?.lost ?? []
    if let head, let newest = kept.first { try vault.completeTag(of: newest, at: head) }
    // What nobody can restore is no backup that anything is equal to.
    while let newest = kept.first, let error = try vault.loss(of: newest, checkpoint) {
      lost.append(LostBackup(name: newest.name, set: set.name, error: error))
      kept.removeFirst()
    }

    var leftOut: [[UInt8]] = []
    var tries: [[UInt8]: Int] = [:]
    while true {
      let started = now()
      let reading = try SetReading(
        set, outputs: outputs, leftOut: leftOut, ownFolders: [path] + ownFolders, checkpoint: checkpoint)
      if let newest = kept.first, isSame(reading, newest.manifest) {
        if newest.isComplete { try vault.record(VaultCheck(backup: newest.name, checked: started), of: set.name) }
        return Made(backup: newest, isNew: false, lost: lost)
      }
      try lost += olderLoss(among: kept, in: vault)
      kept.removeAll { backup in lost.contains { $0.name == backup.name } }
      do {
        let backup = try commit(reading, started, without: lost, to: vault, after: head)
        return Made(backup: backup, isNew: true, lost: lost)
      } catch let error as BackupArchive.Changed {
        tries[error.path, default: 0] += 1
        if tries[error.path, default: 0] >= Self.tries { leftOut.append(error.path) }
      } catch { throw Self.translated(error, vault: path) }
    }
  }

  /// What older archives are read, together, before each commit, in bytes.
  private static let mostReadAgain = 512 << 20

  /// Which of the backups behind the newest are damaged: the next commit leaves them out. The newest of them are read, as far as
  /// ``mostReadAgain`` goes.
  private func olderLoss(
    among kept: [Backup], in vault: borrowing VaultRepository
  ) throws(VaultError) -> [LostBackup] {
    var lost: [LostBackup] = []
    var size = 0
    for backup in kept.dropFirst() {
      size += backup.archiveSize
      guard size <= Self.mostReadAgain else { break }
      if let error = try vault.loss(of: backup, checkpoint) {
        lost.append(LostBackup(name: backup.name, set: set.name, error: error))
      }
    }
    return lost
  }

  private static func translated(_ error: any Error, vault path: String) -> VaultError {
    switch error {
    case let error as VaultError: error
    case let error as GitError: VaultError(error, vault: path)
    case let error as ArchiveError: VaultError(.other, "cannot \(error.operation) the archive: \(error.message)")
    case let error as ContentFailure: VaultError(.other, "a file could not be archived: \(error.reason)")
    default: VaultError(.other, "the backup failed: \(error)")
    }
  }

  /// When a file was last changed does not count: nothing of it is lost if only that is another.
  private func isSame(_ reading: SetReading, _ manifest: BackupManifest) -> Bool {
    func bare(_ member: BackupManifest.Member) -> BackupManifest.Member {
      var member = member
      (member.modified, member.notes) = (.unixEpoch, [])
      return member
    }
    return manifest.incomplete == reading.missing && Set(manifest.recipients ?? []) == Set(set.recipients)
      && manifest.members.map(bare) == reading.members.map { bare(hidden($0)) }
  }

  /// As it stands beside the archive.
  private func hidden(_ member: BackupManifest.Member) -> BackupManifest.Member {
    guard case .file(let size, let digest) = member.kind else { return member }
    var member = member
    member.kind = .file(size: size, digest: key.digest(ofSHA256: digest))
    return member
  }

  private func commit(
    _ reading: SetReading, _ started: Timestamp, without lost: [LostBackup],
    to vault: borrowing VaultRepository, after head: GitCommit?
  ) throws -> Backup {
    var archive = BackupArchive(
      set: set, host: host, members: reading.members, missing: reading.missing, sources: reading.sources,
      checkpoint: checkpoint, redact: redact)
    var (size, sha256) = (0, "")
    let blob = try vault.repository.add { sink in
      try withoutActuallyEscaping(sink) { sink in
        let encrypted = try EncryptedBlob(to: set.recipients, sink: sink)
        try archive.write { try encrypted.add($0) }
        sha256 = try encrypted.finish()
        size = encrypted.size
      }
    }
    let manifest = BackupManifest(
      set: set.name, host: host, created: started, archive: .init(size: size, sha256: sha256),
      recipients: set.recipients, digests: .hmacSHA256, members: archive.members.map(hidden),
      incomplete: archive.missing)
    try checkpoint()
    let backup = try vault.commit(
      manifest, archive: blob, redacted: Self.text(of: archive.redacted), without: lost, after: head,
      signed: signature(started))
    if backup.isComplete { try vault.record(VaultCheck(backup: backup.name, checked: started), of: set.name) }
    return backup
  }

  private func signature(_ time: Timestamp) -> GitSignature {
    let host = String(
      host.unicodeScalars.filter {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789-.".unicodeScalars.contains($0))
      })
    return GitSignature(name: "runbook", email: "runbook@\(host.isEmpty ? "localhost" : host)", time: Int(time.seconds))
  }

  private static func text(of redacted: [(path: [UInt8], text: String)]) -> [UInt8]? {
    guard !redacted.isEmpty else { return nil }
    return Array(
      redacted.map { "==> \(String(decoding: $0.path, as: UTF8.self)) <==\n\($0.text)" }.joined(separator: "\n").utf8)
  }
}
