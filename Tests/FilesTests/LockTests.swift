import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct LockTests {
  let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  private var path: String { temporary.path + "/lock" }

  @Test("Of two processes one has a file's lock, and its death gives it to the other")
  func processes() throws {
    let file = try File.openOrCreate(path, O_RDWR, Permissions(0o600))
    let probe = try Probe("lock", path)
    #expect(try probe.line() == "locked")
    #expect(try !file.tryLock())
    #expect(try file.isLockedByOther())
    probe.kill()
    #expect(try file.tryLock())
    #expect(try !file.isLockedByOther())
  }

  @Test("Who waits for the lock gets it when its holder dies")
  func waiting() async throws {
    let probe = try Probe("lock", path)
    #expect(try probe.line() == "locked")
    let path = path
    let waiter = try Probe("lock", path)
    // It is known to wait by what the kernel says of the lock.
    let inode = try #require(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int)
    try await eventually {
      try shell("cat /proc/locks").split(separator: "\n").contains { $0.contains("->") && $0.contains(":\(inode) ") }
    }
    probe.kill()
    #expect(try waiter.line() == "locked")
  }

  private func eventually(_ condition: () throws -> Bool) async throws {
    let limit = ContinuousClock.now + .seconds(10)
    while try !condition() {
      try #require(ContinuousClock.now < limit)
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  @Test("Two open files of one process have one lock between them")
  func oneProcess() throws {
    let one = try File.openOrCreate(path, O_RDWR, Permissions(0o600))
    #expect(try one.tryLock())
    do {
      let other = try File(opening: path, O_RDWR)
      #expect(try !other.tryLock())
      one.unlock()
      #expect(try other.tryLock())
      #expect(try !one.tryLock())
    }
    // Closed, and with it given back.
    #expect(try one.tryLock())
  }

  @Test("The lock of a folder is given back by its holder's death too")
  func folder() throws {
    let folder = try Folder(temporary.path)
    let probe = try Probe("lock-folder", temporary.path)
    #expect(try probe.line() == "locked")
    #expect(try !folder.tryLock())
    probe.kill()
    #expect(try folder.tryLock())
    #expect(temporary.names().isEmpty)
  }

  @Test("A lock that cannot be had is an error, and not a lock that somebody else has")
  func refused() throws {
    try temporary.write("", to: "lock")
    let reading = try File(opening: path, O_RDONLY)
    let error = #expect(throws: FileError.self) { try reading.tryLock() }
    #expect(error?.message == "cannot lock \(path): Bad file descriptor")
  }
}
