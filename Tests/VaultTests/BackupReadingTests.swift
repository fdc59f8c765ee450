import Age
import Crypto
import Foundation
import TestSupport
import Testing

@testable import Vault

@Suite("Reading a backup")
struct BackupReadingTests {
  private static let key = SymmetricKey(size: .bits256)
  private static let identity = AgeIdentity()

  private static func backup() -> HandMadeBackup {
    var random = SplitMix(state: 5)
    var backup = HandMadeBackup([("files/etc/turnserver.conf", "listening-port=3478\n")])
    backup.add("files/etc/random", (0..<150_000).map { _ in UInt8.random(in: 0...255, using: &random) })
    return backup
  }

  private static func read(
    _ archive: [UInt8], _ manifest: BackupManifest, _ identities: [AgeIdentity], into tree: StagedTree? = nil
  ) throws -> BackupManifest {
    try ArchiveSource(size: archive.count, manifest, fill: stream(archive)).readBackup(
      BackupReading(identities: identities, hostDigest: { hostDigest($0, key) }, limit: 1 << 20), into: tree)
  }

  @Test("One flipped bit anywhere in the archive fails, whether its digest was known or not, and nothing is left")
  func flipped() throws {
    let folder = try TemporaryFolder()
    let backup = Self.backup()
    let archive = try HandMadeBackup.encrypted(backup.tar(), to: [Self.identity.recipient, AgeIdentity().recipient])
    let honest = backup.outer(of: archive, key: Self.key)
    #expect(try Self.read(archive, honest, [Self.identity]).members.count == 2)
    try #require(archive.count > 150_000)
    let places =
      Array(stride(from: 0, to: 500, by: 3)) + Array(stride(from: 500, to: archive.count, by: 3_999)) + [
        archive.count - 1
      ]
    for place in places {
      var wrong = archive
      wrong[place] ^= 1 << (place % 8)
      // Whoever writes to the vault can make the manifest tell the new digest.
      for manifest in [honest, backup.outer(of: wrong, key: Self.key)] {
        let tree = try StagedTree(at: "\(folder.path)/target", isReplacing: false)
        let fault = #expect(throws: ArchiveFault.self, "\(place)") {
          try Self.read(wrong, manifest, [Self.identity], into: tree)
        }
        #expect(fault?.kind == .damaged || fault?.kind == .wrongIdentity, "\(place)")
      }
    }
    #expect(folder.names() == [])
  }

  @Test(
    "An archive that is cut off anywhere, or goes on behind its end, fails",
    arguments: [0, 1, 150, 300, 65_900, 100_000, -100, -1, 1_000_000])
  func cut(_ place: Int) throws {
    let backup = Self.backup()
    let archive = try HandMadeBackup.encrypted(backup.tar(), to: [Self.identity.recipient])
    let wrong =
      place > archive.count ? archive + [0] : Array(archive.prefix(place < 0 ? archive.count + place : place))
    #expect(throws: ArchiveFault.self) {
      try Self.read(wrong, backup.outer(of: wrong, key: Self.key), [Self.identity])
    }
    #expect(throws: ArchiveFault.self) {
      try Self.read(wrong, backup.outer(of: archive, key: Self.key), [Self.identity])
    }
  }

  @Test("Another's identity is told as such, and none at all too")
  func wrongIdentity() throws {
    let folder = try TemporaryFolder()
    let backup = Self.backup()
    let archive = try HandMadeBackup.encrypted(backup.tar(), to: [Self.identity.recipient, AgeIdentity().recipient])
    let tree = try StagedTree(at: "\(folder.path)/target", isReplacing: false)
    for identities in [[AgeIdentity()], []] {
      let fault = #expect(throws: ArchiveFault.self) {
        try Self.read(archive, backup.outer(of: archive, key: Self.key), identities, into: tree)
      }
      #expect(fault?.kind == .wrongIdentity)
      #expect(fault?.message.contains("2 recipients") == true)
    }
  }

  @Test("Content that is not what the host wrote is found with its key, and without it by the manifest in the archive")
  func digests() throws {
    var liar = Self.backup()
    liar.alterOuter = { $0.members[0].kind = .file(size: 20, digest: String(repeating: "0", count: 64)) }
    let archive = try HandMadeBackup.encrypted(liar.tar(), to: [Self.identity.recipient])
    #expect(throws: ArchiveFault.self) {
      try Self.read(archive, liar.outer(of: archive, key: Self.key), [Self.identity])
    }
    // Without the host's key nobody can tell; the content is what the archive's own manifest says.
    let source = try ArchiveSource(
      size: archive.count, liar.outer(of: archive, key: Self.key), fill: stream(archive))
    let inner = try source.readBackup(BackupReading(identities: [Self.identity], limit: 1 << 20), into: nil)
    #expect(inner.digests == .sha256)
  }

  @Test("A limit ends the reading, and so does whoever is told of its progress")
  func limits() throws {
    struct Stopped: Error {}
    let backup = Self.backup()
    let archive = try HandMadeBackup.encrypted(backup.tar(), to: [Self.identity.recipient])
    let manifest = backup.outer(of: archive, key: Self.key)
    let fault = #expect(throws: ArchiveFault.self) {
      try ArchiveSource(size: archive.count, manifest, fill: stream(archive)).readBackup(
        BackupReading(identities: [Self.identity], limit: 1_000), into: nil)
    }
    #expect(fault?.kind == .tooLarge)
    #expect(throws: Stopped.self) {
      try ArchiveSource(size: archive.count, manifest, fill: stream(archive)).readBackup(
        BackupReading(identities: [Self.identity], limit: 1 << 20, progress: { _ in throw Stopped() }), into: nil)
    }
  }
}
