import Foundation
import Glibc
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// Files as they lie there.
@Suite struct FileModuleTests {
  private let folder: TemporaryFolder
  private let root: String

  init() throws {
    folder = try TemporaryFolder()
    root = URL(filePath: folder.path).resolvingSymlinksInPath().path
  }

  private func code(_ module: String, _ members: Value.Member...) async throws -> String? {
    do { return try await run(module, members).objection?.finding.code } catch let error as StepError {
      return error.finding.code
    }
  }

  @Test("What lies at a path is told with its kind, links followed; one that leads nowhere is not there")
  func exists() async throws {
    try folder.write("text", to: "a\nb \u{1B}[31m")
    symlink("a\nb \u{1B}[31m", "\(root)/link")
    symlink("nowhere", "\(root)/dangling")
    symlink("loop", "\(root)/loop")
    #expect(mkfifo("\(root)/pipe", 0o600) == 0)
    let link = try await run("file.exists", [.init("path", .string("\(root)/link"))])
    #expect(link.output["kind"] == .string("file") && link.output["size"] == .int(4))
    #expect(link.output["place"] == .string("\(root)/a\nb \u{1B}[31m"))
    #expect(
      try await run("file.exists", [.init("path", .string("\(root)/pipe"))]).output["kind"] == .string("pipe"))
    let dangling = try await run("file.exists", [.init("path", .string("\(root)/dangling"))])
    #expect(dangling.output["exists"] == .bool(false))
    #expect(
      dangling.objection?.finding.message
        == "there is no \(root)/dangling (it leads to \(root)/nowhere, which is not there)")
    let path = Value.Member("path", .string("\(root)/link"))
    #expect(try await code("file.exists", path, .init("kind", .string("folder"))) == "file.otherKind")
    #expect(try await code("file.exists", path, .init("absent", .bool(true))) == "file.present")
    #expect(
      try await code("file.exists", .init("path", .string("\(root)/none")), .init("absent", .bool(true))) == nil)
    #expect(try await code("file.exists", .init("path", .string("\(root)/link/below"))) == "file.missing")
    let loop = try await stepError { _ = try await run("file.exists", [.init("path", .string("\(root)/loop"))]) }
    #expect(loop.kind == .broken && loop.finding.code == "host.pathUnreadable")
  }

  @Test("A file's age is told; one from the future has none")
  func age() async throws {
    try folder.write("text", to: "backup")
    let path = Value.Member("path", .string("\(root)/backup"))
    func set(_ seconds: TimeInterval) throws {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: seconds)], ofItemAtPath: "\(root)/backup")
    }
    try set(-7200)
    guard case .duration(let age)? = try await run("file.age", [path]).output["age"] else { throw NothingThrown() }
    #expect(age >= .seconds(7200) && age < .seconds(7260))
    try set(3600)
    #expect(try await code("file.age", path) == "file.modifiedInFuture")
    try folder.write("now", to: "backup")
    #expect(try await code("file.age", path) == nil)
    #expect(try await code("file.age", .init("path", .string("\(root)/none"))) == "file.missing")
  }

  @Test("A mode is octal, however it is written", arguments: ["0644", "644", "0o644", "00644"])
  func octalModes(text: String) async throws {
    try folder.write("text", to: "file", mode: 0o644)
    let path = Value.Member("path", .string("\(root)/file"))
    #expect(try await code("file.permissions", path, .init("mode", .string(text))) == nil)
    chmod("\(root)/file", 0o755)
    let found = try await run("file.permissions", [path, .init("mode", .string(text))])
    #expect(found.objection?.finding.message == "\(root)/file has mode 0755, and should have 0644.")
    #expect(found.output["mode"] == .string("0755"))
  }

  @Test(
    "A mode that is none is refused before anything is looked at", arguments: ["0855", "rw-r--r--", "", "77777", "-1"])
  func impossibleModes(text: String) throws {
    let module = try #require(Catalog.standard["file.permissions"])
    let input = Value.members([.init("path", .string("/")), .init("mode", .string(text))])
    #expect(module.objection(input, .seconds(1))?.code == "file.modeInvalid")
  }

  @Test("Bits beyond those that may be set, another owner and another group are told at once")
  func modesAndOwners() async throws {
    try folder.write("text", to: "key", mode: 0o604)
    let path = Value.Member("path", .string("\(root)/key"))
    #expect(try await code("file.permissions", path, .init("maxMode", .string("0604"))) == nil)
    let result = try await run(
      "file.permissions",
      [path, .init("maxMode", .string("0640")), .init("owner", .string("nobody")), .init("group", .string("4711"))])
    let finding = try #require(result.objection?.finding)
    #expect(finding.code == "file.modeTooOpen" && finding.advice == "chmod 0600 \(root)/key")
    #expect(finding.message.contains("should belong to nobody.") && finding.message.contains("the group"))
    #expect(try await code("file.permissions", path, .init("owner", .string("\(geteuid())"))) == nil)
  }

  @Test("A user's access is that of the whole way, and root starts nothing that nobody may start")
  func access() async throws {
    try folder.write("text", to: "inner/file", mode: 0o644)
    let path = Value.Member("path", .string("\(root)/inner/file"))
    let user = Value.Member("user", .string("65534:65534"))
    func may(_ names: String...) -> Value.Member { .init("may", .list(names.map(Value.string))) }
    let open = try await run("file.permissions", [path, user, may("read")])
    #expect(open.objection == nil, "\(String(describing: open.objection))")
    #expect(open.output["may"] == .list([.string("read")]))
    let write = try await run("file.permissions", [path, user, may("write")])
    #expect(write.objection?.finding.message.contains("it may not write the file itself") == true)
    #expect(
      try await code("file.permissions", path, user, .init("mayNot", .list([.string("read")]))) == "file.accessOpen")
    chmod("\(root)/inner", 0o700)
    let closed = try await run("file.permissions", [path, user, may("read")])
    #expect(closed.objection?.finding.code == "file.accessDenied")
    #expect(closed.objection?.finding.message.contains("it may not enter the folder \(root)/inner (mode 0700") == true)
    let asRoot = try await run("file.permissions", [path, .init("user", .string("0"))])
    #expect(asRoot.output["may"] == .list([.string("read"), .string("write")]))
    let module = try #require(Catalog.standard["file.permissions"])
    #expect(module.objection(.members([path, may("read")]), .seconds(1))?.code == "file.noUser")
  }
}
