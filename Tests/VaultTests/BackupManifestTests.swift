import Schema
import Testing

@testable import Vault

@Suite("The manifest of a backup")
struct BackupManifestTests {
  private static func manifest() throws -> BackupManifest {
    let time = try #require(Timestamp("2026-11-28T15:47:25.25Z"))
    return BackupManifest(
      set: "coturn-config", host: "turn1", created: time, archive: .init(size: 20_480, sha256: "3f1c"),
      digests: .hmacSHA256,
      members: [
        .init(
          name: Array("files/etc/turnserver.conf".utf8), kind: .file(size: 123, digest: "9a"), mode: 0o640, user: 0,
          group: 119, userName: "root", groupName: "turnserver", modified: time, notes: [.grew, .followed]),
        .init(
          name: Array("files/etc/".utf8) + [0xFF, 0x0A], kind: .symbolicLink(target: [0xFE]), mode: 0o777, user: 1,
          group: 1, modified: .unixEpoch),
        .init(
          name: Array("files/etc/\u{1B}[2J".utf8), kind: .directory, mode: 0o1755, user: 0, group: 0, modified: time),
      ],
      incomplete: [
        .init(path: Array("/etc/gone".utf8), reason: "it does not exist"), .init(path: [0x2F, 0xFF], reason: "x"),
      ])
  }

  @Test("What is written is read back, names of every encoding included, one member a line")
  func roundTrip() throws {
    let manifest = try Self.manifest()
    let text = manifest.text
    #expect(try BackupManifest(parsing: Array(text.utf8)) == manifest)
    #expect(text.split(separator: "\n").count == 2 + 6 + (1 + 3 + 1) + (1 + 2 + 1))
    #expect(!text.contains("\u{1B}"))
  }

  @Test("A manifest that lacks something, or of a later version, is refused")
  func refused() throws {
    let text = try Self.manifest().text
    for (old, new) in [
      ("\"version\": 1", "\"version\": 2"), ("\"type\":\"file\"", "\"type\":\"device\""), ("\"set\"", "\"sett\""),
      ("\"mode\":\"0640\"", "\"mode\":\"77777\""), ("\"size\":123", "\"size\":-1"), ("\"reason\"", "\"raison\""),
    ] {
      let altered = text.replacing(old, with: new)
      try #require(altered != text, "\(old)")
      #expect(throws: VaultError.self, "\(old)") { try BackupManifest(parsing: Array(altered.utf8)) }
    }
  }

  @Test("Only what lay in the host's files has a path there")
  func paths() throws {
    let manifest = try Self.manifest()
    #expect(manifest.members[0].path == Array("/etc/turnserver.conf".utf8))
    var output = manifest.members[0]
    output.name = Array("commands/version".utf8)
    #expect(output.path == nil)
  }
}
