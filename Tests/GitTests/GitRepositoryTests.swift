import Foundation
import Git
import Glibc
import Processes
import TestSupport
import Testing

@Suite("A repository")
struct GitRepositoryTests {
  private static let signature = GitSignature(name: "runbook", email: "runbook@host.example", time: 1_700_000_000)

  private static func git(_ folder: TemporaryFolder, _ arguments: String...) async throws -> String {
    let run = try await Command("git", ["-C", "\(folder.path)/vault"] + arguments).run()
    try #require(run.isSuccess, "\(run.standardError.text)")
    return run.standardOutput.text
  }

  private static func add(_ text: String, to repository: borrowing GitRepository) throws -> GitID {
    try repository.add { write in
      for byte in Array(text.utf8) { try withUnsafeBytes(of: byte) { try write($0) } }
    }
  }

  private static func commit(
    _ text: String, to repository: borrowing GitRepository, after parent: GitCommit?
  ) throws -> GitID {
    let file = GitFile(name: "content", id: try add(text, to: repository))
    return try repository.commit(
      [file], to: "coturn-config", after: parent, message: "Back up\n\nset: coturn-config\n", by: signature)
  }

  private static func made() throws -> (TemporaryFolder, String) {
    let folder = try TemporaryFolder()
    try GitRepository.create(at: "\(folder.path)/vault")
    return (folder, "\(folder.path)/vault")
  }

  @Test("takes commits on branches and annotated tags that git finds sound, and gives them back")
  func roundTrip() async throws {
    let (folder, path) = try Self.made()
    #expect(folder.mode("vault") == 0o700)
    let repository = try GitRepository(path: path)
    #expect(try repository.head(of: "coturn-config") == nil)
    #expect(try repository.commits(of: "coturn-config") == [])
    let first = try Self.commit("one", to: repository, after: nil)
    let second = try Self.commit("two", to: repository, after: try repository.head(of: "coturn-config"))
    try repository.tag("coturn-config/1", at: first, message: "the first\n", by: Self.signature)

    let commits = try repository.commits(of: "coturn-config")
    #expect(commits.map(\.id) == [second, first])
    #expect(commits.last?.author == Self.signature)
    #expect(commits.first?.message == "Back up\n\nset: coturn-config\n")
    let files = try repository.files(of: try #require(commits.first))
    #expect(files.map(\.name) == ["content"])
    #expect(try repository.content(of: try #require(files.first)) == Array("two".utf8))

    #expect(try await Self.git(folder, "show", "coturn-config:content") == "two")
    #expect(try await Self.git(folder, "cat-file", "-t", "coturn-config/1") == "tag\n")
    #expect(
      try await Self.git(folder, "log", "-1", "--format=%an %ae %at %s", "coturn-config/1")
        == "runbook runbook@host.example 1700000000 Back up\n")
    _ = try await Self.git(folder, "fsck", "--full", "--strict")
  }

  @Test("keeps what it was given although a filter of its attributes would alter it")
  func filters() async throws {
    let (folder, path) = try Self.made()
    _ = try await Self.git(folder, "config", "filter.upper.clean", "tr a-z A-Z")
    _ = try await Self.git(folder, "config", "core.autocrlf", "input")
    try folder.write("* filter=upper text\n", to: "vault/info/attributes")
    let repository = try GitRepository(path: path)
    _ = try Self.commit("a\r\nb", to: repository, after: nil)
    #expect(try await Self.git(folder, "show", "coturn-config:content") == "a\r\nb")
  }

  @Test("refuses a commit on a branch that has moved, or that came to be, meanwhile")
  func moved() throws {
    let (_folder, path) = try Self.made()
    defer { withExtendedLifetime(_folder) {} }
    let repository = try GitRepository(path: path)
    _ = try Self.commit("one", to: repository, after: nil)
    let first = try #require(try repository.head(of: "coturn-config"))
    let other = try GitRepository(path: path)
    _ = try Self.commit("two", to: other, after: first)
    for parent in [first, nil] {
      let error = #expect(throws: GitError.self) { try Self.commit("three", to: repository, after: parent) }
      #expect(error?.reason == .changedMeanwhile)
    }
    #expect(try repository.commits(of: "coturn-config").count == 2)
    try repository.tag("t", at: first.id, message: "", by: Self.signature)
    let error = #expect(throws: GitError.self) {
      try repository.tag("t", at: first.id, message: "", by: Self.signature)
    }
    #expect(error?.reason == .changedMeanwhile)
  }

  @Test("names the lock that is in the way, and leaves it")
  func locked() throws {
    let (folder, path) = try Self.made()
    let repository = try GitRepository(path: path)
    _ = try Self.commit("one", to: repository, after: nil)
    try folder.write("", to: "vault/refs/heads/coturn-config.lock")
    let parent = try repository.head(of: "coturn-config")
    let error = #expect(throws: GitError.self) { try Self.commit("two", to: repository, after: parent) }
    #expect(error?.reason == .locked)
    #expect(repository.lockFiles(branch: "coturn-config") == ["\(path)/refs/heads/coturn-config.lock"])
  }

  @Test("is not searched for in parents, and what is none is told apart from one of another user")
  func notThere() throws {
    let (folder, path) = try Self.made()
    try #require(mkdir("\(path)/inner", 0o700) == 0)
    for place in ["\(path)/inner", "\(folder.path)/missing", folder.path] {
      let error = #expect(throws: GitError.self) { _ = try GitRepository(path: place) }
      #expect(error?.reason == .notARepository, "\(place)")
    }
    let error = #expect(throws: GitError.self) { try GitRepository.create(at: path) }
    #expect(error?.reason == .changedMeanwhile)
  }

  @Test("of another user is refused by name", .enabled(if: geteuid() == 0, "only root can give a folder away"))
  func foreignOwner() async throws {
    let (_folder, path) = try Self.made()
    defer { withExtendedLifetime(_folder) {} }
    #expect(try await Command("chown", ["-R", "nobody", path]).run().isSuccess)
    let error = #expect(throws: GitError.self) { _ = try GitRepository(path: path) }
    #expect(error?.reason == .foreignOwner, "\(String(describing: error))")
  }

  @Test("A content that cannot be read to its end leaves nothing that is referred to")
  func writeFails() async throws {
    struct Failure: Error {}
    let (folder, path) = try Self.made()
    let repository = try GitRepository(path: path)
    #expect(throws: Failure.self) { try repository.add { _ in throw Failure() } }
    #expect(try await Self.git(folder, "fsck", "--full", "--strict", "--unreachable") == "")
  }

  /// Of several buffers of libgit2's.
  private static let hardlyCompressible: String = {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    var bytes: [UInt8] = []
    while bytes.count < 60_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      bytes.append(UInt8(33 + (state >> 33) % 90))
    }
    return String(decoding: bytes, as: UTF8.self)
  }()

  @Test(
    "A damaged file is an error when it is read, whichever of its bytes was altered", .timeLimit(.minutes(1)),
    arguments: [String(repeating: "content ", count: 1000), hardlyCompressible])
  func damaged(content: String) async throws {
    let (_folder, path) = try Self.made()
    defer { withExtendedLifetime(_folder) {} }
    let repository = try GitRepository(path: path)
    _ = try Self.commit(content, to: repository, after: nil)
    let commit = try #require(try repository.head(of: "coturn-config"))
    let file = try #require(try repository.files(of: commit).first)
    let object = "\(path)/objects/\("\(file.id)".prefix(2))/\("\(file.id)".dropFirst(2))"
    chmod(object, 0o600)
    let sound = try Data(contentsOf: URL(filePath: object))
    for position in stride(from: 0, to: sound.count, by: max(1, sound.count / 50)) {
      var altered = sound
      altered[position] ^= 0x55
      try altered.write(to: URL(filePath: object))
      // A repository that is open keeps what it has read.
      let fresh = try GitRepository(path: path)
      #expect(throws: GitError.self, "at \(position)") { try fresh.content(of: file) }
    }
  }

  @Test(
    "An object that is cut off is an error, and nobody waits for its end, whether it is a file, a tree, a commit or a tag",
    .timeLimit(.minutes(1)), arguments: ["file", "tree", "commit", "tag"])
  func cutOff(kind: String) async throws {
    let (_folder, path) = try Self.made()
    defer { withExtendedLifetime(_folder) {} }
    let repository = try GitRepository(path: path)
    _ = try Self.commit(Self.hardlyCompressible, to: repository, after: nil)
    let commit = try #require(try repository.head(of: "coturn-config"))
    let file = try #require(try repository.files(of: commit).first)
    try repository.tag("t", at: commit.id, message: "m\n", by: Self.signature)
    let tag = try #require(try repository.id(of: "refs/tags/t"))
    let id = ["file": file.id, "tree": commit.tree, "commit": commit.id, "tag": tag][kind]
    let name = try #require(id).description
    let object = "\(path)/objects/\(name.prefix(2))/\(name.dropFirst(2))"
    chmod(object, 0o600)
    let sound = try Data(contentsOf: URL(filePath: object))
    for length in [0, 1, sound.count / 3, sound.count - 1] {
      try sound.prefix(length).write(to: URL(filePath: object))
      let fresh = try GitRepository(path: path)
      #expect(Self.reasonNotToRead(kind, file, commit, in: fresh) == .damaged, "\(length) bytes")
    }
    try (sound + Data([0])).write(to: URL(filePath: object))
    #expect(Self.reasonNotToRead(kind, file, commit, in: try GitRepository(path: path)) == .damaged)
  }

  private static func reasonNotToRead(
    _ kind: String, _ file: GitFile, _ commit: GitCommit, in repository: borrowing GitRepository
  ) -> GitError.Reason? {
    do throws(GitError) {
      switch kind {
      case "file":
        do throws(GitError) { _ = try repository.content(of: file) } catch {
          _ = try repository.reader(of: file)
          return nil
        }
      case "tree": _ = try repository.files(of: commit)
      case "commit": _ = try repository.head(of: "coturn-config")
      default: _ = try repository.commit(taggedAs: "t")
      }
    } catch { return error.reason }
    return nil
  }

  @Test("An object that is gone is damage, and not something that never was")
  func gone() throws {
    let (_folder, path) = try Self.made()
    defer { withExtendedLifetime(_folder) {} }
    let repository = try GitRepository(path: path)
    _ = try Self.commit("one", to: repository, after: nil)
    let commit = try #require(try repository.head(of: "coturn-config"))
    let file = try #require(try repository.files(of: commit).first)
    #expect(try repository.holds(file))
    let name = file.id.description
    #expect(unlink("\(path)/objects/\(name.prefix(2))/\(name.dropFirst(2))") == 0)
    let fresh = try GitRepository(path: path)
    #expect(try !fresh.holds(file))
    #expect(#expect(throws: GitError.self) { _ = try fresh.content(of: file) }?.reason == .damaged)
    #expect(#expect(throws: GitError.self) { _ = try fresh.reader(of: file) }?.reason == .damaged)
  }
}
