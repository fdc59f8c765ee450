import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct FolderTests {
  let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  private func path(_ name: String) -> String { temporary.path + "/" + name }

  @Test("Folders above are made too, each private, and those that are there stay as they are")
  func makeAll() throws {
    chmod(temporary.path, 0o755)
    try Folder.makeAll(path("a/b/c"), Permissions(0o700))
    for name in ["a", "a/b", "a/b/c"] { #expect(temporary.mode(name) == 0o700) }
    try Folder.makeAll(path("a/b"), Permissions(0o777))
    #expect(temporary.mode("a/b") == 0o700 && temporary.mode("") == 0o755)
  }

  @Test("A file in the place of a folder is named")
  func inTheWay() throws {
    try temporary.write("", to: "file")
    let error = #expect(throws: FileError.self) { try Folder.makeAll(path("file/a/b"), Permissions(0o700)) }
    #expect(error?.message == "cannot make the folder \(path("file/a")): Not a directory")
    let itself = #expect(throws: FileError.self) { try Folder.makeAll(path("file"), Permissions(0o700)) }
    #expect(itself?.message == "cannot make the folder \(path("file")): File exists")
  }

  @Test(
    "Names that would leave the folder are refused by every call", arguments: ["", ".", "..", "a/b", "/etc", "a\0b"])
  func names(name: String) throws {
    let folder = try Folder(temporary.path)
    func refusal(_ call: () throws -> Void) {
      let error = #expect(throws: FileError.self) { try call() }
      #expect(error?.cause == .notOneName)
    }
    refusal { _ = try folder.open(name, O_RDONLY) }
    refusal { _ = try folder.openToRead(name) }
    refusal { _ = try folder.create(name, O_WRONLY, Permissions(0o600)) }
    refusal { _ = try folder.folder(name) }
    refusal { _ = try folder.makeFolder(name, Permissions(0o700)) }
    refusal { _ = try folder.metadata(of: name) }
    refusal { try folder.remove(name) }
    refusal { try folder.rename(name, to: "x") }
    refusal { try folder.rename("x", to: name) }
    refusal { try folder.write([], to: name, Permissions(0o600)) }
  }

  @Test("An open folder stays itself when its path is given to another")
  func renamedUnderneath() throws {
    try temporary.write("mine", to: "a/file")
    let folder = try Folder(path("a"))
    try FileManager.default.moveItem(atPath: path("a"), toPath: path("b"))
    try temporary.write("other", to: "a/file")
    #expect(try folder.openToRead("file").read() == Array("mine".utf8))
    try folder.write([0x31], to: "new", Permissions(0o600))
    #expect(temporary.read("b/new") == "1" && temporary.read("a/new").isEmpty)
  }

  @Test("A tree that was built beside takes the place of the old one at one moment")
  func exchange() throws {
    try temporary.write("old", to: "target/file")
    try temporary.write("new", to: "beside/file")
    let folder = try Folder(temporary.path)
    try folder.rename("beside", to: "target", replacing: .exchanging)
    #expect(temporary.read("target/file") == "new" && temporary.read("beside/file") == "old")
    let error = #expect(throws: FileError.self) { try folder.rename("beside", to: "none", replacing: .exchanging) }
    #expect(error?.number == ENOENT)
    #expect(error?.message == "cannot rename \(path("beside")) to \(path("none")): No such file or directory")
  }

  @Test("A folder that is there is not replaced if nothing is to be")
  func renameToFree() throws {
    try temporary.write("new", to: "beside/file")
    try FileManager.default.createDirectory(atPath: path("target"), withIntermediateDirectories: false)
    let folder = try Folder(temporary.path)
    let error = #expect(throws: FileError.self) { try folder.rename("beside", to: "target", replacing: .nothing) }
    #expect(error?.number == EEXIST)
    try folder.rename("beside", to: "free", replacing: .nothing)
    #expect(temporary.read("free/file") == "new")
  }

  @Test("A tree is removed whole, and what its links lead to stays")
  func remove() throws {
    try temporary.write("x", to: "tree/a/b/c")
    try temporary.write("keep", to: "outside/file")
    for name in ["link", "a/link"] {
      try FileManager.default.createSymbolicLink(
        atPath: path("tree/\(name)"), withDestinationPath: path("outside"))
    }
    try FileManager.default.createSymbolicLink(atPath: path("tree/dangling"), withDestinationPath: "nowhere")
    try Folder.remove(path("tree"))
    #expect(temporary.names() == ["outside"] && temporary.read("outside/file") == "keep")
    let error = #expect(throws: FileError.self) { try Folder.remove(path("tree")) }
    #expect(error?.message == "cannot remove \(path("tree")): No such file or directory")
  }

  @Test("What cannot be removed is named, and all else is gone", .enabled(if: geteuid() == 0, "chattr takes root"))
  func partlyRemoved() throws {
    try temporary.write("x", to: "tree/a/one")
    try temporary.write("x", to: "tree/stuck/two")
    let mount = path("tree/stuck")
    try shell("mount -t tmpfs none \"$1\"", mount)
    defer { _ = try? shell("umount -l \"$1\"", mount) }
    let error = #expect(throws: FileError.self) { try Folder.remove(path("tree")) }
    #expect(error?.message == "cannot remove \(mount): Device or resource busy")
    #expect(try Folder.names(in: path("tree")) == ["stuck"])
  }

  @Test("Its names are all of them, however many there are")
  func manyNames() throws {
    let folder = try Folder(temporary.path)
    let names = (0..<2000).map { "file-\($0)" }
    for name in names { _ = try folder.create(name, O_WRONLY, Permissions(0o600)) }
    #expect(try Set(folder.names()) == Set(names))
    // A second time too: the first reading left no position behind.
    #expect(try folder.names().count == 2000)
    try folder.removeAll()
    #expect(try folder.names().isEmpty)
  }

  @Test("A folder that is not there has no names; one that cannot be read is no empty one")
  func unreadable() throws {
    try temporary.write("", to: "file")
    let error = #expect(throws: FileError.self) { try Folder.names(in: path("file")) }
    #expect(error?.number == ENOTDIR)
    #expect(try Folder.names(in: path("none")).isEmpty)
  }

  @Test(
    "What is made in another's folder is its owner's, unless it is to stay ours",
    .enabled(if: geteuid() == 0, "giving files away takes root"))
  func ownership() throws {
    #expect(chown(temporary.path, 4711, 4712) == 0)
    let folder = try Folder(temporary.path)
    try folder.write([], to: "file", Permissions(0o600))
    _ = try folder.makeFolder("folder", Permissions(0o700))
    try folder.write([], to: "masked", .masked(0o644))
    try Folder.makeAll(path("x/y"), Permissions(0o700))
    for name in ["file", "folder", "masked", "x", "x/y"] {
      let found = try #require(try FileMetadata.of(path(name)))
      #expect(found.owner == 4711 && found.group == 4712, "\(name)")
    }
    try folder.write([], to: "ours", Permissions(0o600, owner: .ofProcess))
    let ours = try #require(try FileMetadata.of(path("ours")))
    #expect(ours.owner == 0 && ours.group == getegid() && ours.mode == 0o600)
  }

  @Test(
    "In another's folder nothing is written, and the error says why",
    .enabled(if: geteuid() == 0, "setpriv takes root"))
  func foreignFolder() throws {
    chmod(temporary.path, 0o755)
    try FileManager.default.copyItem(atPath: Probe.path(), toPath: path("probe"))
    let said = try shell(
      """
      setpriv --reuid 4711 --regid 4712 --clear-groups "$1/probe" write "$1/a" || true
      """, temporary.path)
    #expect(said.hasPrefix("cannot create \(temporary.path)/.") && said.hasSuffix(": Permission denied"), "\(said)")
    #expect(temporary.names() == ["probe"])
  }

  @Test("A folder that passes its group on makes folders do the same")
  func setGroupID() throws {
    chmod(temporary.path, 0o2770)
    try Folder.make(path("a"), Permissions(0o750))
    #expect(try FileMetadata.of(path("a"))?.mode == 0o2750)
    try Folder(temporary.path).write([], to: "file", Permissions(0o640))
    #expect(try FileMetadata.of(path("file"))?.mode == 0o640)
  }

  @Test(
    "Paths are taken apart as the system does",
    arguments: [
      ("a", ".", "a"), ("/a", "/", "a"), ("a/b", "a", "b"), ("/a/b/", "/a", "b"), ("a//b", "a", "b"), ("/", "/", "/"),
    ])
  func paths(path: String, parent: String, name: String) {
    #expect(parentFolder(of: path) == parent && lastName(of: path) == name)
  }
}
