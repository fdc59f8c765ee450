import Foundation
import TestSupport
import Testing

@testable import Files

/// Files that take their place whole or not at all.
@Suite struct WholeWriteTests {
  let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  private var path: String { temporary.path + "/a" }

  private func write(_ text: String, to name: String = "a", _ permissions: Permissions = Permissions(0o600)) throws {
    try File.writeWhole(Array(text.utf8), to: "\(temporary.path)/\(name)", permissions)
  }

  @Test("A file has its bytes and its mode whatever the umask, and nothing else is left in the folder")
  func whole() throws {
    try write("one")
    #expect(temporary.read("a") == "one" && temporary.mode("a") == 0o600)
    try write("two", to: "a", Permissions(0o666))
    #expect(temporary.read("a") == "two" && temporary.mode("a") == 0o666)
    #expect(temporary.names() == ["a"])
  }

  @Test("A masked mode is what the umask leaves of it")
  func masked() throws {
    // The umask belongs to the process: it is looked at, and not changed under other tests.
    let umask = try Int(#require(UInt32(shell("umask"), radix: 8)))
    try write("x", to: "a", .masked(0o666))
    #expect(temporary.mode("a") == 0o666 & ~umask)
  }

  @Test("A link in its place is replaced, and what it led to is as it was")
  func replacedLink() throws {
    try temporary.write("far", to: "far")
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "far")
    try write("near")
    #expect(temporary.read("far") == "far" && temporary.read("a") == "near")
    #expect(try FileMetadata.of(path)?.kind == .regular)
  }

  @Test("A folder that is a link is not written to, unless that is wanted")
  func linkedFolder() throws {
    try FileManager.default.createDirectory(atPath: temporary.path + "/real", withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(atPath: temporary.path + "/link", withDestinationPath: "real")
    let error = #expect(throws: FileError.self) { try write("x", to: "link/a") }
    #expect(error?.number == ELOOP || error?.number == ENOTDIR)
    #expect(error?.path == temporary.path + "/link")
    try File.writeWhole([0x78], to: temporary.path + "/link/a", Permissions(0o600), followingLinks: true)
    #expect(temporary.read("real/a") == "x")
  }

  @Test("What is there already stays if nothing is to be replaced")
  func exclusive() throws {
    let folder = try Folder(temporary.path)
    try folder.write([0x31], to: "a", Permissions(0o600), replacing: .nothing)
    let error = #expect(throws: FileError.self) {
      try folder.write([0x32], to: "a", Permissions(0o600), replacing: .nothing)
    }
    #expect(error?.number == EEXIST)
    #expect(error?.newPath == path)
    #expect(temporary.read("a") == "1" && temporary.names() == ["a"])
  }

  @Test("What is let go of before it is in place leaves nothing")
  func abandoned() throws {
    do {
      let pending = try PendingFile("a", in: Folder(temporary.path), Permissions(0o600))
      try pending.file.write([0x31])
      #expect(temporary.names().filter(PendingFile.isAside).count == 1)
    }
    #expect(temporary.names().isEmpty)
  }

  @Test("Two writers of one file at the same time do not disturb each other")
  func twoWriters() throws {
    let folder = try Folder(temporary.path)
    let one = try PendingFile("a", in: folder, Permissions(0o600))
    let other = try PendingFile("a", in: folder, Permissions(0o600))
    try one.file.write([0x31])
    try other.file.write([0x32, 0x32])
    try one.putInPlace()
    #expect(temporary.read("a") == "1")
    try other.putInPlace()
    #expect(temporary.read("a") == "22" && temporary.names() == ["a"])
  }

  @Test("A process that is killed between writing and renaming leaves what was there, and what is known as an aside")
  func killedBefore() throws {
    try write("old")
    let probe = try Probe("begin", path)
    #expect(try probe.line() == "written")
    probe.kill()
    #expect(temporary.read("a") == "old")
    let aside = temporary.names().filter { $0 != "a" }
    #expect(aside.count == 1 && aside.allSatisfy(PendingFile.isAside))
    // It is in nobody's way.
    try write("new")
    #expect(temporary.read("a") == "new")
  }

  @Test("A process that is killed at any moment leaves one content or the other, whole")
  func killedAnywhere() throws {
    for round in 0..<12 {
      let probe = try Probe("rewrite", path)
      #expect(try probe.line() == "begun")
      // Not a wait for anything: the moment of death is what is varied.
      usleep(UInt32(round * 700))
      probe.kill()
      guard try FileMetadata.of(path) != nil else { continue }
      let bytes = try File.read(path, limit: 2 << 20).bytes
      #expect(bytes.count == 1 << 20)
      #expect(Set(bytes).count == 1)
    }
  }

  @Test(
    "On a full disk the error says so, what was there stays, and nothing is left aside",
    .enabled(if: geteuid() == 0, "mounting takes root"))
  func fullDisk() throws {
    let mount = temporary.path + "/small"
    try shell("mkdir \"$1\" && mount -t tmpfs -o size=64k none \"$1\"", mount)
    defer { _ = try? shell("umount -l \"$1\"", mount) }
    try write("old", to: "small/a")
    let error = #expect(throws: FileError.self) {
      try write(String(repeating: "x", count: 200_000), to: "small/a")
    }
    #expect(error?.operation == .write && error?.number == ENOSPC)
    #expect(error?.message.hasPrefix("cannot write to \(mount)/.") == true)
    #expect(error?.message.hasSuffix(": No space left on device") == true)
    #expect(temporary.read("small/a") == "old")
    #expect(try Folder.names(in: mount) == ["a"])
  }

  @Test(
    "What cannot be brought to the disk is not put in place",
    .enabled(if: (try? shell("strace -f -o /dev/null true")) != nil, "strace is missing, or may not trace here"))
  func failedSync() throws {
    try write("old")
    let said = try shell(
      """
      strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:error=EIO:when=1 "$1" rewrite "$2" || true
      """, try Probe.path(), path)
    #expect(said.split(separator: "\n").last?.hasPrefix("cannot bring to the disk \(temporary.path)/.") == true)
    #expect(said.hasSuffix(": Input/output error"))
    #expect(temporary.read("a") == "old" && temporary.names() == ["a"])
  }
}
