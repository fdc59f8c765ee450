import Foundation
import Glibc
import Schema
import TestSupport
import Testing

@testable import Runs

@Suite struct LockFolderTests {
  private let temporary: TemporaryFolder
  private let folder: LockFolder

  init() throws {
    temporary = try TemporaryFolder()
    folder = LockFolder(temporary.path + "/locks")
  }

  private func holder(_ run: String) throws -> LockHolder {
    LockHolder(
      run: run, runbook: "test", pid: Int(getpid()), user: "ops", since: try #require(Timestamp("2026-11-28T12:00:00Z"))
    )
  }

  private func take(_ names: Set<String>, _ run: String = "first") async throws -> LockFolder.Attempt {
    try await folder.take(names, for: try holder(run))
  }

  private func held(_ attempt: LockFolder.Attempt) throws -> HeldLocks {
    guard case .held(let locks) = attempt else {
      throw Refused(attempt: "\(attempt)")
    }
    return locks
  }

  private struct Refused: Error { let attempt: String }

  @Test("All locks are held or none, and who finds one taken is told by whom")
  func taken() async throws {
    let locks = try held(try await take(["b"]))
    guard case .taken(let name, let other) = try await take(["a", "b", "c"], "second") else {
      Issue.record("a lock was held twice")
      return
    }
    #expect(name == "b")
    #expect(other == (try holder("first")))
    // Neither of the others is left held.
    let rest = try held(try await take(["a", "c"], "third"))
    withExtendedLifetime((locks, rest)) {}
  }

  @Test("A lock is free once its holder lets go of it, and its file stays")
  func released() async throws {
    do {
      let locks = try held(try await take(["one"]))
      #expect(temporary.read("locks/one.lock").contains("\"run\":\"first\""))
      withExtendedLifetime(locks) {}
    }
    #expect(temporary.read("locks/one.lock") == "")
    let locks = try held(try await take(["one"], "second"))
    #expect(temporary.names() == ["locks"])
    #expect(temporary.mode("locks/one.lock") == 0o660)
    withExtendedLifetime(locks) {}
  }

  @Test("flock(1) takes the same lock, and its holder says nothing of itself; it dies and the lock is free")
  func script() async throws {
    let locks = try held(try await take(["script"]))
    withExtendedLifetime(locks) {}
    let path = temporary.path + "/locks/script.lock"
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/flock")
    process.arguments = ["--no-fork", path, "sleep", "600"]
    do {
      // The test's own hold ends here.
      _ = consume locks
    }
    try process.run()
    defer { if process.isRunning { process.terminate() } }
    let limit = ContinuousClock.now + .seconds(20)
    var attempt = try await take(["script"])
    while case .held = attempt {
      try #require(ContinuousClock.now < limit)
      attempt = .taken(name: "", by: nil)
      try await Task.sleep(for: .milliseconds(10))
      attempt = try await take(["script"])
    }
    guard case .taken("script", nil) = attempt else {
      Issue.record("\(attempt)")
      return
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(try await { if case .held = try await take(["script"]) { true } else { false } }())
  }

  @Test("The line of a holder that is gone names nobody")
  func stale() async throws {
    try temporary.write("", to: "locks/x.lock", mode: 0o660)
    chmod(temporary.path + "/locks", 0o700)
    let line =
      #"{"run":"old","runbook":"test","pid":4194305,"user":"ops","since":"2026-11-28T12:00:00Z"}"# + "\n"
    try temporary.write(line, to: "locks/x.lock", mode: 0o660)
    #expect(LockHolder(line: Array(line.utf8))?.isAlive == false)
    // Somebody else holds the lock who wrote nothing: the line is not his.
    let other = open(temporary.path + "/locks/x.lock", O_RDWR | O_CLOEXEC)
    #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
    guard case .taken("x", nil) = try await take(["x"], "new") else {
      Issue.record("a line that is stale names its writer")
      return
    }
    close(other)
    let locks = try held(try await take(["x"], "new"))
    #expect(temporary.read("locks/x.lock").contains("\"run\":\"new\""))
    withExtendedLifetime(locks) {}
  }

  @Test("What stands in the place of a lock and is none is refused", arguments: ["link", "pipe", "folder", "names"])
  func hostile(_ kind: String) async throws {
    try temporary.write("precious", to: "precious")
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
    chmod(folder.path, 0o700)
    let (path, precious) = (folder.path + "/x.lock", temporary.path + "/precious")
    switch kind {
    case "link": symlink(precious, path)
    case "pipe": mkfifo(path, 0o660)
    case "folder": mkdir(path, 0o770)
    default: link(precious, path)
    }
    await #expect(throws: LockFolder.Failure.self) { _ = try await take(["x"]) }
    #expect(temporary.read("precious") == "precious")
  }

  @Test("A folder in which others could take locks away is refused, and so is a link to one")
  func folders() async throws {
    mkdir(folder.path, 0o777)
    chmod(folder.path, 0o1777)
    let open = await #expect(throws: LockFolder.Failure.self) { _ = try await take(["x"]) }
    #expect(open?.message.contains("everybody may write") == true)
    chmod(folder.path, 0o770)
    _ = try held(try await take(["x"]))
    let link = LockFolder(temporary.path + "/link")
    symlink(folder.path, link.path)
    let own = try holder("first")
    await #expect(throws: LockFolder.Failure.self) { _ = try await link.take(["x"], for: own) }
  }

  @Test(
    "A folder of another user is refused", .enabled(if: geteuid() == 0, "only root can give a folder away"))
  func foreign() async throws {
    mkdir(folder.path, 0o770)
    chown(folder.path, 65534, 65534)
    let failure = await #expect(throws: LockFolder.Failure.self) { _ = try await take(["x"]) }
    #expect(failure?.message.contains("belongs to user 65534") == true)
  }

  @Test("Different names have different files, whatever they hold")
  func names() {
    let long = String(repeating: "x", count: 300)
    let names = [
      "coturn", "Coturn", "a/b", "a+2fb", "a%2Fb", "a b", "..", ".", "", "ä", "a\u{308}", long, long + "y", "-rf",
      "a\nb", "*", "con.lock",
      String(repeating: "ü", count: 200),
    ]
    let files = names.map(LockFolder.fileName(of:))
    #expect(Set(files).count == names.count)
    for file in files {
      #expect(file.hasSuffix(".lock") && file.utf8.count <= 255 && !file.contains("/"), "\(file)")
    }
  }
}
