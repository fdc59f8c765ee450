import Archive
import Crypto
import Files
import FoundationEssentials
import Schema

/// Reads a backup's archive, member by member, and holds it against its manifest. Verifying and restoring both do it with this, so
/// that what one reads the other has read.
struct ArchiveReading {
  /// What the repository says of the archive.
  let manifest: BackupManifest
  /// What stands there for a content whose SHA-256 is known; nil on a host that lacks the key.
  let hostDigest: BackupReading.HostDigest?
  /// The most that the files may have together, in bytes.
  let limit: Int
  let allowsOutwardLinks: Bool
  /// Told the bytes of content that were read so far; it may throw to end the reading.
  let progress: (Int) throws -> Void

  /// The most that the manifest in the archive may have, in bytes.
  private static let longestManifest = 64 << 20

  /// - Parameters:
  ///   - source: the decrypted archive, as it comes.
  ///   - destination: takes what is read; nil to verify only. What it took counts only once this has returned.
  /// - Returns: the manifest that is in the archive, whose digests anybody can check.
  func read(from source: @escaping TarReader.Source, into destination: StagedTree?) throws -> BackupManifest {
    let expected = try manifest.checkedMembers(limit: limit, allowsOutwardLinks: allowsOutwardLinks)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    defer { buffer.deallocate() }
    let tar = try translated { try TarReader(from: source) }
    var digests: [[UInt8]: String] = [:]
    var seen: Set<[UInt8]> = []
    var inner: [UInt8]?
    var total = 0

    while let member = try translated({ try tar.next() }) {
      let name = member.name
      if let reason = MemberName.objection(to: name) { throw ArchiveFault.hostile(name, reason) }
      if case .other(let kind) = member.kind { throw ArchiveFault.hostile(name, "it is \(kind)") }
      guard inner == nil else { throw ArchiveFault.hostile(name, "it stands behind the manifest") }
      guard seen.insert(name).inserted else { throw ArchiveFault.hostile(name, "it is in the archive twice") }

      if name == BackupLayout.manifest {
        let content = try readManifest(member, from: tar, buffer)
        inner = content
        try destination?.begin(member, owner: nil)
        try content.withUnsafeBytes { try destination?.write($0) }
        try destination?.end()
        continue
      }
      guard let known = expected[name] else {
        throw ArchiveFault.hostile(name, "the manifest does not name it")
      }
      try compare(member, with: known)
      try destination?.begin(member, owner: (known.userName, known.groupName))
      guard case .file(let size) = member.kind else {
        try destination?.end()
        continue
      }
      var hash = SHA256()
      var count = 0
      while case let part = try translated({ try tar.read(into: buffer) }), part > 0 {
        count += part
        guard count <= size else { throw ArchiveFault.damaged("\(shown(name)) is longer than its size") }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<part])
        hash.update(bufferPointer: bytes)
        try destination?.write(bytes)
        total += part
        try progress(total)
      }
      guard count == size else { throw ArchiveFault.damaged("\(shown(name)) is shorter than its size") }
      try destination?.end()
      let digest = hex(hash.finalize())
      digests[name] = digest
      try compareDigest(of: known, sha256: digest)
    }

    guard let inner else { throw ArchiveFault.damaged("the archive ends without its manifest") }
    if let missing = expected.keys.filter({ !seen.contains($0) }).min(by: { $0.lexicographicallyPrecedes($1) }) {
      throw ArchiveFault.damaged("\(shown(missing)) is in the manifest and not in the archive")
    }
    return try compared(inner, with: expected, digests)
  }

  private func readManifest(
    _ member: TarMember, from tar: borrowing TarReader, _ buffer: UnsafeMutableRawBufferPointer
  ) throws -> [UInt8] {
    guard case .file(let size) = member.kind, size <= Self.longestManifest else {
      throw ArchiveFault.hostile(member.name, "it is no file, or larger than any manifest")
    }
    var content: [UInt8] = []
    content.reserveCapacity(size)
    while case let part = try translated({ try tar.read(into: buffer) }), part > 0 {
      content += buffer[..<part]
      guard content.count <= size else { throw ArchiveFault.damaged("the manifest is longer than its size") }
    }
    guard content.count == size else { throw ArchiveFault.damaged("the manifest is shorter than its size") }
    return content
  }

  private func compare(_ member: TarMember, with known: BackupManifest.Member) throws(ArchiveFault) {
    let isSame =
      switch (member.kind, known.kind) {
      case (.file(let size), .file(let other, _)): size == other
      case (.directory, .directory): true
      case (.symbolicLink(let target), .symbolicLink(let other)): target == other
      default: false
      }
    guard isSame else {
      throw .damaged("\(shown(member.name)) has another kind, size or target than the manifest tells")
    }
    guard member.mode == known.mode, member.user == known.user, member.group == known.group,
      member.modified.seconds == known.modified.seconds, member.modified.nanoseconds == known.modified.nanoseconds
    else { throw .damaged("\(shown(member.name)) has another mode, owner or time than the manifest tells") }
  }

  private func compareDigest(of known: BackupManifest.Member, sha256: String) throws(ArchiveFault) {
    guard case .file(_, let digest) = known.kind else { return }
    let found =
      switch manifest.digests {
      case .sha256: sha256
      case .hmacSHA256: hostDigest?(sha256) ?? digest
      }
    guard found == digest else { throw .damaged("the content of \(shown(known.name)) is not what the manifest tells") }
  }

  /// Holds the manifest in the archive against the one beside it, and against what was read.
  private func compared(
    _ text: [UInt8], with expected: [[UInt8]: BackupManifest.Member], _ digests: [[UInt8]: String]
  ) throws -> BackupManifest {
    let inner: BackupManifest
    do { inner = try BackupManifest(parsing: text) } catch {
      throw ArchiveFault.damaged("the manifest in the archive: \(error.message)")
    }
    guard inner.digests == .sha256, inner.set == manifest.set, inner.host == manifest.host,
      inner.incomplete == manifest.incomplete, inner.members.count == expected.count
    else { throw ArchiveFault.damaged("the manifest in the archive is of another backup than the one beside it") }
    for member in inner.members {
      guard let outer = expected[member.name], member.isSame(as: outer) else {
        throw ArchiveFault.damaged("the two manifests tell different things of \(shown(member.name))")
      }
      if case .file(_, let digest) = member.kind, digests[member.name] != digest {
        throw ArchiveFault.damaged("the content of \(shown(member.name)) is not what the manifest tells")
      }
    }
    return inner
  }

  /// libarchive's complaints are of the archive; all else comes from its source.
  private func translated<Result: ~Copyable>(_ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as ArchiveError {
      throw ArchiveFault.damaged("the archive cannot be read: \(error.message)")
    }
  }

  private func shown(_ name: [UInt8]) -> String { MemberName.shown(name) }
}

extension BackupManifest.Member {
  /// True if both are the same but for how they tell contents apart.
  fileprivate func isSame(as other: Self) -> Bool {
    var copy = other
    if case .file(let size, let digest) = kind, case .file(size, _) = other.kind {
      copy.kind = .file(size: size, digest: digest)
    }
    return self == copy
  }
}
