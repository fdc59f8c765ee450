import Archive
import Files
import Foundation
import Glibc
import Processes
import TestSupport
import Testing

@testable import Vault

@Suite("Putting a restored tree in its place")
struct StagedTreeTests {
  private static func restore(
    _ backup: HandMadeBackup, to path: String, replacing: Bool = false, root: [[UInt8]] = []
  ) throws -> String? {
    let tree = try StagedTree(at: path, isReplacing: replacing, root: root)
    let reading = ArchiveReading(
      manifest: backup.manifest(), hostDigest: nil, limit: 64 << 20, allowsOutwardLinks: false, progress: { _ in })
    _ = try reading.read(from: stream(backup.tar()), into: tree)
    return try tree.putInPlace(keeping: "target.before")
  }

  private static let backup = HandMadeBackup([("files/a", "new"), ("files/d/b", "new")])

  @Test("A place that is empty or not there is taken, and keeps its mode; a new one is private")
  func empty() throws {
    let folder = try TemporaryFolder()
    #expect(try Self.restore(Self.backup, to: "\(folder.path)/target") == nil)
    #expect(folder.mode("target") == 0o700)
    try FileManager.default.createDirectory(atPath: "\(folder.path)/second", withIntermediateDirectories: false)
    #expect(chmod("\(folder.path)/second", 0o2775) == 0)
    #expect(try Self.restore(Self.backup, to: "\(folder.path)/second") == nil)
    #expect(folder.mode("second") == 0o2775)
    #expect(folder.read("second/files/d/b") == "new")
    #expect(folder.names() == ["second", "target"])
  }

  @Test("A populated place is refused, unless it is to be replaced; then the old tree is kept, and each of several")
  func populated() throws {
    let folder = try TemporaryFolder()
    try folder.write("old", to: "target/x")
    let error = #expect(throws: RestoreError.self) { try Self.restore(Self.backup, to: "\(folder.path)/target") }
    #expect(error?.kind == .target)
    #expect(error?.message.hasSuffix("target is not empty") == true)
    #expect(folder.names() == ["target"])
    #expect(
      try Self.restore(Self.backup, to: "\(folder.path)/target", replacing: true) == "\(folder.path)/target.before")
    #expect(folder.read("target.before/x") == "old")
    #expect(folder.read("target/files/a") == "new")
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/target/x"))
    #expect(
      try Self.restore(Self.backup, to: "\(folder.path)/target", replacing: true) == "\(folder.path)/target.before-2")
    #expect(folder.names() == ["target", "target.before", "target.before-2"])
  }

  @Test("A tree that has its place is said to have it, though the disk may not know of it yet")
  func unsynced() throws {
    let folder = try TemporaryFolder()
    try folder.write("old", to: "target/x")
    let tree = try StagedTree(at: "\(folder.path)/target", isReplacing: true)
    let reading = ArchiveReading(
      manifest: Self.backup.manifest(), hostDigest: nil, limit: 64 << 20, allowsOutwardLinks: false, progress: { _ in })
    _ = try reading.read(from: stream(Self.backup.tar()), into: tree)
    let error = #expect(throws: RestoreError.self) {
      try tree.putInPlace(
        keeping: "kept", sync: { folder throws(FileError) in throw FileError(.sync, folder.path, .system(EIO)) })
    }
    #expect(error?.isInPlace == true)
    #expect(
      error?.message.hasPrefix("the backup is in its place, and the old tree is \(folder.path)/kept, but") == true)
    #expect(folder.read("target/files/a") == "new" && folder.read("kept/x") == "old")
  }

  @Test("Files, links, the root and folders that are missing are no places")
  func noPlace() throws {
    let folder = try TemporaryFolder()
    try folder.write("x", to: "file")
    try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/link", withDestinationPath: "/tmp")
    for path in ["/", "relative", "\(folder.path)/file", "\(folder.path)/link", "\(folder.path)/..", ""] {
      let error = #expect(throws: RestoreError.self, "\(path)") {
        try StagedTree(at: path, isReplacing: true)
      }
      #expect(error?.kind == .target, "\(path)")
    }
    let missing = #expect(throws: RestoreError.self) {
      try StagedTree(at: "\(folder.path)/no/such", isReplacing: true)
    }
    #expect(missing?.message == "cannot open \(folder.path)/no: No such file or directory")
    #expect(folder.names() == ["file", "link"])
  }

  @Test("Only what lies below one folder of the backup is restored, if that is wanted")
  func root() throws {
    let folder = try TemporaryFolder()
    var backup = Self.backup
    backup.add(Array("files/d".utf8), .directory, mode: 0o711)
    let root = ["files", "d"].map { Array($0.utf8) }
    _ = try Self.restore(backup, to: "\(folder.path)/target", root: root)
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/target") == ["b"])
    #expect(folder.mode("target") == 0o711)
    // Of one file, that file.
    _ = try Self.restore(backup, to: "\(folder.path)/second", root: ["files", "a"].map { Array($0.utf8) })
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/second") == ["a"])
  }

  @Test("What a dead process left is removed by the next; what one that lives has is not, nor what is called alike")
  func leftovers() throws {
    let folder = try TemporaryFolder()
    try folder.write("half", to: ".target.123.restoring/x")
    try folder.write("mine", to: ".target.mine.restoring/x")
    let alive = try StagedTree(at: "\(folder.path)/target", isReplacing: false)
    #expect(!folder.names().contains(".target.123.restoring"))
    let second = try StagedTree(at: "\(folder.path)/target", isReplacing: false)
    #expect(folder.names().count { $0.hasSuffix(".restoring") } == 3)
    withExtendedLifetime((alive, second)) {}
  }

  @Test(
    "A full disk is said before anything is written, and if it fills up meanwhile nothing is left",
    .enabled(if: geteuid() == 0))
  func fullDisk() async throws {
    let folder = try TemporaryFolder()
    let mount = "\(folder.path)/mount"
    _ = try await shell("mkdir mount; mount -t tmpfs -o size=1m none mount", in: folder.path)
    defer { #expect(umount2(mount, CInt(MNT_DETACH)) == 0) }
    try folder.write("old", to: "mount/target/x")
    let tree = try StagedTree(at: "\(mount)/target", isReplacing: true)
    let early = #expect(throws: RestoreError.self) { try tree.requireRoom(for: 2 << 20) }
    #expect(early?.kind == .full)
    try tree.requireRoom(for: 1_000)
    var backup = HandMadeBackup()
    var random = SplitMix(state: 1)
    backup.add("files/big", (0..<(2 << 20)).map { _ in UInt8.random(in: 0...255, using: &random) })
    let late = #expect(throws: FileError.self) {
      try Self.restore(backup, to: "\(mount)/target", replacing: true)
    }
    #expect(late?.number == ENOSPC)
    withExtendedLifetime(tree) {}
    #expect(folder.read("mount/target/x") == "old")
  }

  @Test("A mount point cannot be replaced, and keeps what it holds", .enabled(if: geteuid() == 0))
  func mountPoint() async throws {
    let folder = try TemporaryFolder()
    let mount = "\(folder.path)/target"
    _ = try await shell("mkdir target; mount -t tmpfs -o size=1m none target; echo old >target/x", in: folder.path)
    defer { #expect(umount2(mount, CInt(MNT_DETACH)) == 0) }
    let error = #expect(throws: RestoreError.self) { try Self.restore(Self.backup, to: mount, replacing: true) }
    #expect(error?.advice?.contains("mount point") == true, "\(String(describing: error))")
    #expect(folder.read("target/x") == "old\n")
    #expect(folder.names() == ["target"])
  }
}
