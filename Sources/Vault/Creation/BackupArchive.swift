import Age
import Archive
import Backups
import Crypto
import FoundationEssentials
import Schema

/// Writes the archive of a set: members, encryption, digest.
struct BackupArchive {
  /// A large file is no longer what it was when it was looked at: all has to begin again.
  struct Changed: Error {
    let path: [UInt8]
  }

  /// What is to be archived under one name.
  struct Source {
    let path: [UInt8]
    var content: ReadContent
  }

  let set: BackupSet
  let host: String
  /// In the order in which they are written; digests are SHA-256.
  private(set) var members: [BackupManifest.Member]
  private(set) var missing: [BackupManifest.Missing]
  let sources: [[UInt8]: Source]
  let checkpoint: () throws(VaultError) -> Void
  /// The text that stands for a file in the redacted configuration; nil if it is none.
  let redact: (_ path: [UInt8], _ content: [UInt8]) -> String?
  /// By path.
  private(set) var redacted: [(path: [UInt8], text: String)] = []

  init(
    set: BackupSet, host: String, members: [BackupManifest.Member], missing: [BackupManifest.Missing],
    sources: [[UInt8]: Source], checkpoint: @escaping () throws(VaultError) -> Void,
    redact: @escaping (_ path: [UInt8], _ content: [UInt8]) -> String?
  ) {
    (self.set, self.host, self.members, self.missing, self.sources) = (set, host, members, missing, sources)
    (self.checkpoint, self.redact) = (checkpoint, redact)
  }

  /// Writes all of it. What was read anew is in ``members`` and ``missing`` afterwards.
  ///
  /// Throws ``Changed``, ``VaultError``, ``ArchiveError``, ``AgeError`` or what the sink throws.
  mutating func write(to sink: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
    let writer = try TarWriter(to: sink)
    var written: [BackupManifest.Member] = []
    for member in members {
      try checkpoint()
      guard case .file = member.kind, let source = sources[member.name] else {
        let tar = member.tarMember
        try writer.begin(tar)
        try writer.end(tar, written: 0)
        written.append(member)
        continue
      }
      if let bytes = source.content.bytes {
        try Self.write(bytes, as: member, to: writer)
        note(bytes, at: source.path)
        written.append(member)
      } else if source.content.size <= ReadContent.longestWhole {
        if let again = try readAgain(member, source) {
          try Self.write(again.content, as: again.member, to: writer)
          note(again.content, at: source.path)
          written.append(again.member)
        }
      } else {
        try copy(source, as: member, to: writer)
        written.append(member)
      }
    }
    members = written
    // As the next reading has them: else nothing changed, and it is committed again.
    missing.sort { $0.path.lexicographicallyPrecedes($1.path) }
    let manifest = BackupManifest(
      set: set.name, host: host, digests: .sha256, members: written, incomplete: missing)
    let text = Array(manifest.text.utf8)
    let member = BackupManifest.Member(
      name: BackupLayout.manifest, kind: .file(size: text.count, digest: ""), mode: 0o600, user: 0, group: 0,
      modified: .unixEpoch)
    try Self.write(text, as: member, to: writer)
    try writer.close()
  }

  private mutating func note(_ content: [UInt8], at path: [UInt8]) {
    if let text = redact(path, content) { redacted.append((path, text)) }
  }

  private static func write(
    _ bytes: [UInt8], as member: BackupManifest.Member, to writer: borrowing TarWriter
  ) throws {
    let tar = member.tarMember
    try writer.begin(tar)
    try bytes.withUnsafeBytes { try writer.write($0) }
    try writer.end(tar, written: bytes.count)
  }

  /// A small file of which only the digest was kept; nil, and noted, if it is gone.
  private mutating func readAgain(
    _ member: BackupManifest.Member, _ source: Source
  ) throws -> (member: BackupManifest.Member, content: [UInt8])? {
    let again: ReadContent
    do throws(ContentFailure) {
      again = try ReadContent(reading: source.path, checkpoint: checkpoint)
    } catch {
      missing.append(.init(path: source.path, reason: "while the set was read, \(error.reason)"))
      return nil
    }
    // It has become large meanwhile.
    guard let bytes = again.bytes else { throw Changed(path: source.path) }
    if !again.isConsistent { missing.append(.changed(source.path)) }
    var member = member
    member.kind = .file(size: again.size, digest: again.sha256)
    if let status = again.status { member.modified = Timestamp(status) }
    member.notes = member.notes.filter { $0 == .followed } + again.notes
    return (member, bytes)
  }

  /// A large file, which is read as it is written.
  private func copy(_ source: Source, as member: BackupManifest.Member, to writer: borrowing TarWriter) throws {
    let tar = member.tarMember
    let size = source.content.size
    let file: OpenHostFile
    do throws(ContentFailure) { file = try OpenHostFile(source.path) } catch { throw Changed(path: source.path) }
    try writer.begin(tar)
    var hash = SHA256()
    var buffer = [UInt8](repeating: 0, count: ReadContent.piece)
    var offset = 0
    while offset < size {
      try checkpoint()
      let wanted = min(buffer.count, size - offset)
      let count = try file.read(wanted, into: &buffer, at: offset)
      guard count > 0 else { throw Changed(path: source.path) }
      try buffer.withUnsafeBytes { buffer in
        let part = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        hash.update(bufferPointer: part)
        try writer.write(part)
      }
      offset += count
    }
    guard hex(hash.finalize()) == source.content.sha256 else { throw Changed(path: source.path) }
    try writer.end(tar, written: size)
  }
}

extension BackupManifest.Missing {
  static func changed(_ path: [UInt8]) -> Self {
    Self(path: path, reason: "it changed while it was read, each of \(ReadContent.tries) times")
  }
}

extension BackupManifest.Member {
  var tarMember: TarMember {
    let kind: TarMember.Kind =
      switch self.kind {
      case .file(let size, _): .file(size: size)
      case .directory: .directory
      case .symbolicLink(let target): .symbolicLink(target: target)
      }
    return TarMember(
      name: name, kind: kind, mode: mode, user: user, group: group,
      modified: (Int(modified.seconds), Int(modified.nanoseconds)))
  }
}
