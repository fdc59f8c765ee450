import Archive
import Foundation
import Schema
import TestSupport
import Testing

@testable import Vault

@Suite("Hostile archives")
struct HostileArchiveTests {
  /// Reads an archive into a folder `target` of a temporary folder; gives what it was refused for.
  private static func refusal(
    of tar: [UInt8], _ manifest: BackupManifest, allowsOutwardLinks: Bool = false, in folder: TemporaryFolder
  ) throws -> ArchiveFault? {
    let reading = ArchiveReading(
      manifest: manifest, hostDigest: nil, limit: 1 << 20, allowsOutwardLinks: allowsOutwardLinks, progress: { _ in })
    let tree = try StagedTree(at: "\(folder.path)/target", isReplacing: false)
    do {
      _ = try reading.read(from: stream(tar), into: tree)
      _ = try tree.putInPlace(keeping: "kept")
      return nil
    } catch let fault as ArchiveFault { return fault }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var backup = HandMadeBackup([("files/first", "first")])
    let reason: String

    init(_ title: String, _ reason: String, _ add: (inout HandMadeBackup) -> Void) {
      testDescription = title
      self.reason = reason
      add(&backup)
    }
  }

  static let cases = [
    Case("a name with ..", "holds `..`") { $0.add("../outside", [1]) },
    Case("a name with .. in the middle", "holds `..`") { $0.add("files/a/../../../outside", [1]) },
    Case("an absolute name", "begins with a slash") { $0.add("/tmp/outside", [1]) },
    Case("a name with a line break", "control character") { $0.add("files/a\nb", [1]) },
    Case("a name with ESC", "control character") { $0.add("files/\u{1B}[2Ja", [1]) },
    Case("a name with a C1 control", "control character") { $0.add("files/\u{9B}2Ja", [1]) },
    Case("an empty part", "empty part") { $0.add("files//a", [1]) },
    Case("a part that is a dot", "empty part or a `.`") { $0.add("files/./a", [1]) },
    Case("a long part", "too long") { $0.add("files/" + String(repeating: "x", count: 256), [1]) },
    Case("many folders", "more than 128") { $0.add("files/" + String(repeating: "a/", count: 128) + "a", [1]) },
    Case("a link to an absolute path", "out of the folder") {
      $0.add(Array("files/link".utf8), .symbolicLink(target: Array("/etc/passwd".utf8)))
    },
    Case("a link that climbs too far", "could lead out") {
      $0.add(Array("files/link".utf8), .symbolicLink(target: Array("../../x".utf8)))
    },
    Case("a link through another one", "could lead out") {
      $0.add(Array("files/a/up".utf8), .symbolicLink(target: Array("..".utf8)))
      $0.add(Array("files/link".utf8), .symbolicLink(target: Array("a/up/../../x".utf8)))
    },
    Case("a member below a link", "is no folder") {
      $0.add(Array("files/link".utf8), .symbolicLink(target: Array("first".utf8)))
      $0.add("files/link/x", [1])
    },
    Case("a member below a file", "is no folder") { $0.add("files/first/x", [1]) },
    Case("a member twice", "twice") { $0.add("files/first", [1]) },
    Case("a folder in the place of a file", "twice") { $0.add(Array("files/first".utf8), .directory) },
    Case("a manifest in the middle", "names itself") { $0.add("manifest.json", [1]) },
  ]

  @Test("are refused by name, and nothing of them is left, not even what came before", arguments: cases)
  func refused(_ hostile: Case) throws {
    let folder = try TemporaryFolder()
    // The archive's own manifest names it too.
    let both = try Self.refusal(of: hostile.backup.tar(), hostile.backup.manifest(), in: folder)
    #expect(both?.kind == .hostile && both?.message.contains(hostile.reason) == true, "\(String(describing: both))")
    #expect(folder.names() == [])
    // A manifest that knows nothing of it.
    let innocent = HandMadeBackup([("files/first", "first")]).manifest()
    let alone = try Self.refusal(of: hostile.backup.tar(), innocent, in: folder)
    #expect(alone?.kind == .hostile, "\(String(describing: alone))")
    #expect(folder.names() == [])
  }

  /// A script that makes `out.tar` in a folder, and what of it is refused.
  static let foreign: [(title: String, script: String, reason: String)] = [
    ("GNU tar: ..", "echo x >../x; tar -P -cf out.tar a ../x", "holds `..`"),
    ("GNU tar: absolute", "tar -P -cf out.tar a \"$PWD/a\"", "begins with a slash"),
    ("GNU tar: a hard link", "ln a b; tar -cf out.tar a b", "a hard link"),
    ("GNU tar: a named pipe", "mkfifo f; tar -cf out.tar a f", "a named pipe"),
    ("GNU tar: a sparse file", "truncate -s 1M s; echo x >>s; tar -S -cf out.tar a s", "a sparse file"),
    (
      "GNU tar: a sparse file, pax", "truncate -s 1M s; echo x >>s; tar -S --format=pax -cf out.tar a s",
      "a sparse file"
    ),
    ("GNU tar: twice", "tar -cf out.tar a a --hard-dereference; tar -rf out.tar a", "twice"),
    ("GNU tar: ./", "tar -cf out.tar a ./a", "empty part or a `.`"),
    ("GNU tar: a line break", "touch \"$(printf 'l\\nb')\"; tar -cf out.tar a l*", "control character"),
    ("GNU tar: an outward link", "ln -s /etc/passwd l; tar -cf out.tar a l", "out of the folder"),
    (
      "GNU tar: a write through a link",
      "mkdir d; echo x >d/x; tar -cf out.tar a d/x; rm -r d; ln -s /tmp d; tar -cf l.tar a d; tar -Af l.tar out.tar; mv l.tar out.tar",
      "out of the folder"
    ),
    ("bsdtar: ..", "echo x >../x; bsdtar -P -cf out.tar a ../x", "holds `..`"),
    ("bsdtar: absolute", "bsdtar -P -cf out.tar a \"$PWD/a\"", "begins with a slash"),
    ("bsdtar: a hard link", "ln a b; bsdtar -cf out.tar a b", "a hard link"),
    ("bsdtar: a named pipe", "mkfifo f; bsdtar -cf out.tar a f", "a named pipe"),
    ("bsdtar: ESC", "touch \"$(printf 'l\\033b')\"; bsdtar -cf out.tar a l*", "control character"),
    ("GNU tar: a device", "mknod n c 1 3; tar -cf out.tar a n", "a device"),
    ("bsdtar: a device", "mknod n b 7 0; bsdtar -cf out.tar a n", "a device"),
  ]

  @Test("that other programs make are refused alike", arguments: foreign)
  func foreignMakers(title: String, script: String, reason: String) async throws {
    let made = try TemporaryFolder()
    try made.write("a", to: "in/a")
    do {
      _ = try await shell("umask 022; \(script); zstd -q out.tar", in: made.path + "/in")
    } catch let failure as ShellFailure {
      // Making a device takes a right that a container may lack.
      if title.hasSuffix("a device"), failure.text.contains("not permitted") { return }
      throw failure
    }
    let tar = Array(try Data(contentsOf: made.url.appending(path: "in/out.tar.zst")))
    // A manifest that names all that the archive holds, whatever it is.
    var backup = HandMadeBackup()
    let reader = try TarReader(from: stream(tar))
    var buffer = [UInt8](repeating: 0, count: 1 << 21)
    while let member = try reader.next() {
      var content: [UInt8] = []
      while case let count = try buffer.withUnsafeMutableBytes({ try reader.read(into: $0) }), count > 0 {
        content += buffer[..<count]
      }
      backup.members.append((member, content))
    }
    let folder = try TemporaryFolder()
    let fault = try Self.refusal(of: tar, backup.manifest(), in: folder)
    #expect(fault?.kind == .hostile && fault?.message.contains(reason) == true, "\(String(describing: fault))")
    #expect(folder.names() == [])
    let other = try Self.refusal(of: tar, HandMadeBackup([("a", "a")]).manifest(), in: folder)
    #expect(other?.kind == .hostile || other?.kind == .damaged, "\(String(describing: other))")
    #expect(folder.names() == [])
  }

  @Test(
    "Links inside are kept, also Let's Encrypt's; outward ones only if that is wanted, and nothing is written through them"
  )
  func links() throws {
    let folder = try TemporaryFolder()
    var backup = HandMadeBackup()
    backup.add("files/archive/x/cert1.pem", [1])
    backup.add(Array("files/live/x/cert.pem".utf8), .symbolicLink(target: Array("../../archive/x/cert1.pem".utf8)))
    #expect(try Self.refusal(of: backup.tar(), backup.manifest(), in: folder) == nil)
    #expect(try Data(contentsOf: folder.url.appending(path: "target/files/live/x/cert.pem")) == Data([1]))

    var outward = HandMadeBackup()
    outward.add(Array("files/link".utf8), .symbolicLink(target: Array(folder.path.utf8)))
    let second = try TemporaryFolder()
    #expect(
      try Self.refusal(of: outward.tar(), outward.manifest(), allowsOutwardLinks: true, in: second) == nil)
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: "\(second.path)/target/files/link") == folder.path)
    outward.add("files/link/through", [1])
    #expect(
      try Self.refusal(of: outward.tar(), outward.manifest(), allowsOutwardLinks: true, in: TemporaryFolder())?.kind
        == .hostile)
    #expect(folder.names() == ["target"])
  }

  @Test("A bomb is refused by what its header says, and one that hides it by what comes")
  func bomb() throws {
    let folder = try TemporaryFolder()
    var bomb = HandMadeBackup()
    bomb.add("files/zeros", [UInt8](repeating: 0, count: 8 << 20))
    let tar = try bomb.tar()
    try #require(tar.count < 2_000)
    #expect(try Self.refusal(of: tar, bomb.manifest(), in: folder)?.kind == .tooLarge)
    var small = bomb.manifest()
    small.members[0].kind = .file(size: 5, digest: "")
    #expect(try Self.refusal(of: tar, small, in: folder)?.kind == .damaged)
    var many = bomb.manifest()
    many.members.append(many.members[0])
    many.members[0].kind = .file(size: .max, digest: "")
    many.members[1].name += [1]
    #expect(try Self.refusal(of: tar, many, in: folder)?.kind == .hostile)
    #expect(folder.names() == [])
  }

  @Test("Manifests that lie are found, whatever they lie about")
  func lies() throws {
    let folder = try TemporaryFolder()
    var honest = HandMadeBackup([("files/a", "alpha"), ("files/b", "beta")])
    honest.add(Array("files/c".utf8), .symbolicLink(target: Array("a".utf8)))
    honest.add(Array("files/d".utf8), .directory)
    let digest = String(repeating: "0", count: 64)
    let lies: [@Sendable (inout BackupManifest) -> Void] = [
      { $0.members[0].kind = .file(size: 4, digest: digest) }, { $0.members[0].kind = .file(size: 6, digest: digest) },
      { $0.members[0].kind = .file(size: 5, digest: digest) }, { $0.members[0].kind = .directory },
      { $0.members[2].kind = .symbolicLink(target: Array("b".utf8)) },
      { $0.members[3].kind = .file(size: 0, digest: digest) },
      { $0.members[0].mode = 0o777 }, { $0.members[0].user = 7 }, { $0.members[0].group = 7 },
      { $0.members[0].modified = .unixEpoch }, { $0.members[0].user = -1 },
      { $0.members[0].name = Array("files/e".utf8) },
      { $0.members.removeFirst() }, { $0.members.append($0.members[0]) }, { $0.members[0].userName = "somebody" },
      { $0.members[0].notes = [.grew] }, { $0.set = "other" }, { $0.host = "other" },
      { $0.incomplete = [.init(path: [0x2F], reason: "x")] },
    ]
    for (number, lie) in lies.enumerated() {
      var outer = honest.manifest()
      lie(&outer)
      let first = try Self.refusal(of: honest.tar(), outer, in: folder)
      #expect(first != nil, "outer \(number)")
      var liar = honest
      liar.alterInner = lie
      let second = try Self.refusal(of: liar.tar(), honest.manifest(), in: folder)
      #expect(second != nil, "inner \(number)")
      #expect(folder.names() == [])
    }
    #expect(try Self.refusal(of: honest.tar(), honest.manifest(), in: folder) == nil)
  }

  @Test("What stands behind the manifest, and an archive without one, are refused")
  func manifestLast() throws {
    let folder = try TemporaryFolder()
    let honest = HandMadeBackup([("files/a", "alpha")])
    var bytes: [UInt8] = []
    let none = try TarWriter { bytes += $0 }
    try none.begin(honest.members[0].member)
    try honest.members[0].content.withUnsafeBytes { try none.write($0) }
    try none.end(honest.members[0].member, written: 5)
    try none.close()
    #expect(
      try Self.refusal(of: bytes, honest.manifest(), in: folder)?.message.contains("without its manifest") == true)
    #expect(folder.names() == [])
  }

  @Test("Names that are no text, and bits that give rights, come out as they may")
  func namesAndModes() throws {
    let folder = try TemporaryFolder()
    var backup = HandMadeBackup()
    let names: [[UInt8]] = [[0xFF, 0xFE], Array("größe–日本語".utf8), [0x67, 0x72, 0xF6], Array("a b'\"$`*".utf8)]
    backup.add(Array("files".utf8), .directory, mode: 0o2750)
    for name in names { backup.add(Array("files/".utf8) + name, .file(size: 1), [7], mode: 0o4711) }
    backup.add(Array("files/locked".utf8), .directory, mode: 0o500)
    backup.add("files/locked/x", [1], mode: 0o400)
    let tree = try StagedTree(at: "\(folder.path)/target", isReplacing: false)
    let reading = ArchiveReading(
      manifest: backup.manifest(), hostDigest: nil, limit: 1 << 20, allowsOutwardLinks: false, progress: { _ in })
    _ = try reading.read(from: stream(backup.tar()), into: tree)
    let files = Array("files".utf8)
    #expect(tree.strippedNames == [files] + names.map { files + [0x2F] + $0 })
    _ = try tree.putInPlace(keeping: "kept")
    let found = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/target/files")
    #expect(found.count == names.count + 1)
    #expect(folder.mode("target/files") == 0o750)
    #expect(folder.mode("target/files/größe–日本語") == 0o711)
    #expect(folder.mode("target/files/locked") == 0o500)
    #expect(folder.mode("target/files/locked/x") == 0o400)
    let modified = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/target/files/locked")
    #expect((modified[.modificationDate] as? Date)?.timeIntervalSince1970 == 1_650_000_000.25)
  }

  @Test("Names are shown in quotes, with what is no text escaped")
  func shown() {
    #expect(MemberName.shown(Array("größe".utf8)) == "\"größe\"")
    #expect(MemberName.shown([0x61, 0xFF, 0x0A, 0x1B]) == "\"a\\xff\\x0a\\x1b\"")
    #expect(MemberName.shown([0xC2, 0x9B]) == "\"\\xc2\\x9b\"")
  }
}
