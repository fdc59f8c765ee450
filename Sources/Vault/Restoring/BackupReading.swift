package import Age
import Archive
import Crypto
import Files
import FoundationEssentials
import Git

/// How a backup is read.
package struct BackupReading {
  /// Who reads it.
  package var identities: [AgeIdentity]
  /// Gives what the manifest beside the archive has for a content of this SHA-256.
  package typealias HostDigest = @Sendable (String) -> String
  /// Nil on a host that lacks the key. What is in the archive is held against the manifest in it all the same.
  package var hostDigest: HostDigest?
  /// The most that the files may have together, in bytes.
  package var limit: Int
  /// Whether links may lead out of the tree. Nothing is written through them in any case.
  package var allowsOutwardLinks: Bool
  /// Told the bytes of content that were read so far; it may throw to end the reading.
  package var progress: (Int) throws -> Void

  package init(
    identities: [AgeIdentity], hostDigest: HostDigest? = nil, limit: Int, allowsOutwardLinks: Bool = false,
    progress: @escaping (Int) throws -> Void = { _ in }
  ) {
    self.identities = identities
    self.hostDigest = hostDigest
    self.limit = limit
    self.allowsOutwardLinks = allowsOutwardLinks
    self.progress = progress
  }
}

extension VaultRepository {
  /// Reads a backup to its end: from git, through the decryption and the decompression, every member held against both manifests.
  ///
  /// Throws ``ArchiveFault`` if the backup is not good, ``VaultError`` if the vault cannot be read, ``RestoreError`` if the tree
  /// cannot be written, or what `progress` throws.
  /// - Parameter destination: takes what is read; it counts only once this has returned. Nil to verify only.
  /// - Returns: the manifest in the archive, whose digests anybody can check.
  package borrowing func read(
    _ backup: Backup, _ reading: BackupReading, into destination: StagedTree? = nil
  ) throws -> BackupManifest {
    try ArchiveSource(archive(of: backup), backup.manifest).readBackup(reading, into: destination)
  }

  /// Reads the encrypted archive of a backup to its end and holds it against the manifest. Nobody needs an identity for it; whether
  /// the content can be decrypted, it does not tell.
  ///
  /// Throws as ``read(_:_:into:)`` does.
  package borrowing func checkArchive(of backup: Backup, progress: (Int) throws -> Void = { _ in }) throws {
    let source = try ArchiveSource(archive(of: backup), backup.manifest)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    defer { buffer.deallocate() }
    var count = 0
    while case let part = try source.read(into: buffer), part > 0 {
      count += part
      try progress(count)
    }
    try source.checkDigest()
  }

  /// Holds the tag of a backup against the branch: both must have the same archive.
  package borrowing func checkTag(of backup: Backup) throws {
    let tag = BackupLayout.tag(of: backup.name, in: backup.set, isComplete: backup.isComplete)
    let commit = try git { () throws(GitError) in try repository.commit(taggedAs: tag) }
    guard let commit else { throw ArchiveFault.damaged("the tag \(tag) is missing") }
    guard try content(of: backup.set, at: commit).backups.contains(where: { $0 == backup }) else {
      throw ArchiveFault.damaged(
        "the tag \(tag) points to the commit \(commit.id), which does not have the backup that the branch has")
    }
  }

  /// Reads every commit of a set's branch and the list of its files; git checks them by their hashes.
  /// - Returns: how many commits there are.
  package borrowing func checkCommits(of set: String) throws(VaultError) -> Int {
    try git { () throws(GitError) in
      let commits = try repository.commits(of: BackupLayout.branch(of: set))
      for commit in commits { _ = try repository.files(of: commit) }
      return commits.count
    }
  }
}

/// An encrypted archive as it comes, its digest, and what its manifest tells of it.
final class ArchiveSource {
  private let fill: TarReader.Source
  private let manifest: BackupManifest
  private var hash = SHA256()

  /// Throws ``ArchiveFault`` if it has another size than the manifest tells.
  init(size: Int, _ manifest: BackupManifest, fill: @escaping TarReader.Source) throws(ArchiveFault) {
    guard let archive = manifest.archive else { throw .damaged("the manifest does not tell of the archive") }
    guard size == archive.size else {
      throw .damaged("the archive has \(size) bytes, and \(archive.size) by its manifest")
    }
    self.fill = fill
    self.manifest = manifest
  }

  convenience init(_ reader: consuming GitFileReader, _ manifest: BackupManifest) throws(ArchiveFault) {
    let size = reader.size
    let file = GitFileStream(reader)
    try self.init(size: size, manifest, fill: file.read)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = try fill(buffer)
    hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    return count
  }

  /// To be called once all was read.
  func checkDigest() throws(ArchiveFault) {
    guard hex(hash.finalize()) == manifest.archive?.sha256 else {
      throw .damaged("the archive is not the one whose digest the manifest tells")
    }
  }

  /// Reads all of it, as ``VaultRepository/read(_:_:into:)`` does.
  func readBackup(_ reading: BackupReading, into destination: StagedTree?) throws -> BackupManifest {
    do {
      let content = try DecryptedContent(of: self, reading.identities)
      let inner = try ArchiveReading(
        manifest: manifest, hostDigest: reading.hostDigest, limit: reading.limit,
        allowsOutwardLinks: reading.allowsOutwardLinks,
        progress: reading.progress
      ).read(from: content.read, into: destination)
      try content.skipToEnd()
      try checkDigest()
      return inner
    } catch let error as AgeError {
      throw ArchiveFault(error)
    } catch let error as FileError {
      throw RestoreError(error)
    }
  }
}

private final class GitFileStream {
  private var reader: GitFileReader

  init(_ reader: consuming GitFileReader) { self.reader = reader }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    do { return try reader.read(into: buffer) } catch {
      // The file in the repository is damaged, as far as anybody can tell here.
      throw ArchiveFault.damaged("git cannot read the archive: \(error.message)")
    }
  }
}

/// What an age file holds, as a stream.
private final class DecryptedContent {
  private var decryption: AgeDecryption
  private var pending = Data()

  init(of source: ArchiveSource, _ identities: [AgeIdentity]) throws {
    decryption = try AgeDecryption(identities: identities, from: source.read)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    if pending.isEmpty {
      guard let next = try decryption.next() else { return 0 }
      pending = next
    }
    let count = min(buffer.count, pending.count)
    pending.copyBytes(to: buffer, from: pending.startIndex..<pending.startIndex + count)
    pending = pending.dropFirst(count)
    return count
  }

  /// Only at its end is it known to be whole.
  func skipToEnd() throws {
    while try decryption.next() != nil {}
  }
}

extension ArchiveFault {
  init(_ error: AgeError) {
    switch error {
    case .noMatchingIdentity(let recipients):
      self.init(
        .wrongIdentity,
        "the archive is encrypted to \(recipients) \(recipients == 1 ? "recipient" : "recipients"), and the identity given is of none of them",
        advice:
          "Take the identity that belongs to one of the recipients of the set; `age-keygen -y FILE` prints its recipient."
      )
    case .notAnAgeFile: self = .damaged("the archive does not begin as an age file does")
    case .malformedHeader(let reason): self = .damaged("the archive's age header cannot be read: \(reason)")
    case .alteredHeader: self = .damaged("the archive's age header was altered")
    case .alteredContent(let chunk):
      self = .damaged("the archive was altered or is cut off, in its part \(chunk + 1) of 64 KiB each")
    case .notARecipient, .notAnIdentity:
      self.init(.wrongIdentity, "the identity is none that age knows", advice: "It is a line AGE-SECRET-KEY-1….")
    }
  }
}

extension VaultRepository {
  /// To how many recipients of the X25519 kind an archive is encrypted: what its own header says, not the manifest.
  package borrowing func recipientCount(of backup: Backup) throws -> Int {
    let source = try ArchiveSource(archive(of: backup), backup.manifest)
    do {
      _ = try AgeDecryption(identities: [], from: source.read)
      return 0
    } catch AgeError.noMatchingIdentity(let recipients) {
      return recipients
    } catch let error as AgeError {
      throw ArchiveFault(error)
    }
  }
}
