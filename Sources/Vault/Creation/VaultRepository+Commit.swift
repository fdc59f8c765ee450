import Files
import Git
import Glibc
import Schema
import TerminalText

extension VaultRepository {
  /// Throws ``VaultError/Kind/locked`` if a lock file of git is in the way. It is never removed: only its owner knows whether it is in use.
  borrowing func refuseLocks(of set: String) throws(VaultError) {
    guard let lock = repository.lockFiles(branch: BackupLayout.branch(of: set)).first else { return }
    var status = stat()
    guard lstat(lock, &status) == 0 else { return }
    var accounts = Accounts()
    let owner = accounts.user(status.st_uid) ?? "user \(status.st_uid)"
    let age = max(0, time(nil) - status.st_mtim.tv_sec)
    throw VaultError(
      .locked, "the lock \(lock) is in the way: it is \(Self.ageText(age)) old and belongs to \(owner)",
      advice: "if no git is at work in the vault, a git that died left it: remove the file")
  }

  private static func ageText(_ seconds: Int) -> String {
    switch seconds {
    case ..<120: "\(seconds) s"
    case ..<7200: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) days"
    }
  }

  /// Throws ``VaultError/Kind/foreignCommit`` if the newest commit was made by something else: nothing is built on what is not known.
  borrowing func refuseForeign(_ head: GitCommit, of set: String) throws(VaultError) {
    guard CommitTrailers(head.message)["Backup-Set"] != set else { return }
    let branch = BackupLayout.branch(of: set)
    throw VaultError(
      .foreignCommit,
      "the newest commit of the branch \(branch), \(head.id), was not made by runbook but by \(head.author.name) <\(head.author.email)>: \(head.message.prefix { $0 != "\n" })",
      advice:
        "look at it with `git log \(branch)` in the vault; to go on from before it: git branch -f \(branch) \(head.id)~"
    )
  }

  /// Tags the newest backup if a crash kept it from being tagged.
  borrowing func completeTag(of backup: Backup, at head: GitCommit) throws(VaultError) {
    guard CommitTrailers(head.message)["Backup-Name"] == backup.name else { return }
    let tag = BackupLayout.tag(of: backup.name, in: backup.set, isComplete: backup.isComplete)
    try git { () throws(GitError) in
      if try repository.commit(taggedAs: tag) == nil {
        try repository.tag(tag, at: head.id, message: head.message, by: head.author)
      }
    }
  }

  /// Why a backup cannot be restored; nil if its archive is what its manifest tells. Nothing is decrypted.
  borrowing func loss(
    of backup: Backup, _ checkpoint: () throws(VaultError) -> Void
  ) throws(VaultError) -> VaultError? {
    do {
      try checkArchive(of: backup) { _ in try checkpoint() }
      return nil
    } catch let error as VaultError {
      guard error.kind == .damaged else { throw error }
      return error
    } catch let fault as ArchiveFault {
      return .damaged("the backup \(backup.name) of the set \(backup.set): \(fault.message)")
    } catch { throw VaultError(.other, "the backup \(backup.name) cannot be read: \(error)") }
  }

  /// Makes a backup of what was put into the repository: a commit on the set's branch, and a tag.
  ///
  /// - Parameter lost: backups that the commit no longer has, since git would refuse a file whose content is not there.
  borrowing func commit(
    _ manifest: BackupManifest, archive: GitID, redacted: [UInt8]?, without lost: [LostBackup] = [],
    after head: GitCommit?, signed: GitSignature
  ) throws(VaultError) -> Backup {
    let set = manifest.set
    let name = try freeName(at: manifest.created ?? .unixEpoch, in: set)
    let message = Self.message(for: manifest, name, without: lost)
    let gone = Set(lost.flatMap { [BackupLayout.archive(of: $0.name), BackupLayout.manifest(of: $0.name)] })
    let manifestID = try add(Array(manifest.text.utf8))
    let redactedID = try redacted.map { content throws(VaultError) in try add(content) }
    let file = GitFile(name: BackupLayout.archive(of: name), id: archive)
    return try git { () throws(GitError) in
      var files = try head.map { head throws(GitError) in try repository.files(of: head) } ?? []
      files.removeAll { $0.name == BackupLayout.redacted || gone.contains($0.name) }
      files += [file, GitFile(name: BackupLayout.manifest(of: name), id: manifestID)]
      if let redactedID { files.append(GitFile(name: BackupLayout.redacted, id: redactedID)) }
      let commit = try repository.commit(
        files, to: BackupLayout.branch(of: set), after: head, message: message, by: signed)
      let tag = BackupLayout.tag(of: name, in: set, isComplete: manifest.incomplete.isEmpty)
      try repository.tag(tag, at: commit, message: message, by: signed)
      return Backup(name: name, set: set, manifest: manifest, archive: file)
    }
  }

  borrowing func add(_ content: [UInt8]) throws(VaultError) -> GitID {
    do { return try repository.add { sink in try content.withUnsafeBytes { try sink($0) } } } catch let error
      as GitError
    {
      throw VaultError(error, vault: path)
    } catch { throw VaultError(.other, "\(error)") }
  }

  /// `20261128T154725Z`, or with a number behind it if there was one in that second.
  private borrowing func freeName(at time: Timestamp, in set: String) throws(VaultError) -> String {
    let second = Timestamp(seconds: time.seconds, nanoseconds: 0) ?? .unixEpoch
    let plain = second.description.filter { $0 != "-" && $0 != ":" }
    let tags = Set(
      try git { () throws(GitError) in
        try repository.tags(startingWith: BackupLayout.tag(of: plain, in: set, isComplete: true))
      })
    var (name, number) = (plain, 2)
    while [true, false].contains(where: { tags.contains(BackupLayout.tag(of: name, in: set, isComplete: $0)) }) {
      name = "\(plain)-\(number)"
      number += 1
    }
    return name
  }

  private static func message(
    for manifest: BackupManifest, _ name: String, without lost: [LostBackup]
  ) -> String {
    let count = manifest.fileCount
    var text =
      "\(manifest.set): \(count) \(count == 1 ? "file" : "files"), \(sizeText(manifest.contentSize))"
    if !manifest.incomplete.isEmpty { text += ", incomplete" }
    var lines = [
      "Backup-Set: \(manifest.set)", "Backup-Name: \(name)",
      "Backup-Created: \((manifest.created ?? .unixEpoch).description)", "Backup-Host: \(manifest.host)",
    ]
    if let archive = manifest.archive { lines.append("Backup-Archive-SHA256: \(archive.sha256)") }
    lines += manifest.incomplete.map { "Backup-Incomplete: \($0.text)" }
    lines += lost.map { "Backup-Lost: \($0.name): \($0.error.message)" }
    return text + "\n\n" + lines.map(terminalSafe).joined(separator: "\n") + "\n"
  }
}

extension BackupManifest.Missing {
  /// In one line: `/etc/gone: it does not exist`.
  package var text: String {
    if path.isEmpty { return "the set: \(reason)" }
    // A line break in a name must not begin a line of the commit's message.
    let isPlain = String(validating: path, as: UTF8.self).map {
      !$0.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
    return "\(isPlain == true ? String(decoding: path, as: UTF8.self) : MemberName.shown(path)): \(reason)"
  }
}

/// The lines `Key: value` at the end of a commit's message.
struct CommitTrailers {
  private let lines: [(key: Substring, value: Substring)]

  init(_ message: String) {
    lines = message.split(separator: "\n").compactMap { line in
      guard let colon = line.firstRange(of: ": ") else { return nil }
      return (line[..<colon.lowerBound], line[colon.upperBound...])
    }
  }

  /// The first of a key.
  subscript(_ key: String) -> String? { lines.first { $0.key == key }.map { String($0.value) } }
}
