import Foundation
import TestSupport
import Testing

@testable import Files

/// Open files: what is refused, what errors say, and calls that are interrupted.
@Suite struct FileTests {
  let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  private func path(_ name: String) -> String { temporary.path + "/" + name }

  @Test("An error names the operation, the path and the system's words")
  func words() {
    let error = #expect(throws: FileError.self) { _ = try File(opening: path("none"), O_RDONLY) }
    #expect(error?.message == "cannot open \(path("none")): No such file or directory")
    #expect(error?.isMissing == true)
    let create = #expect(throws: FileError.self) { _ = try File(creating: path("no/a"), O_WRONLY, Permissions(0o600)) }
    #expect(create?.message == "cannot create \(path("no/a")): No such file or directory")
    let full = #expect(throws: FileError.self) { try File(opening: "/dev/full", O_WRONLY).write([1]) }
    #expect(full?.message == "cannot write to /dev/full: No space left on device")
    let closed = #expect(throws: FileError.self) { try writeAll([1], to: -1, "standard output") }
    #expect(closed?.message == "cannot write to standard output: Bad file descriptor")
  }

  @Test("A link is followed only if that is wanted")
  func links() throws {
    try temporary.write("x", to: "a")
    try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: "a")
    let error = #expect(throws: FileError.self) { _ = try File(reading: path("link")) }
    #expect(error?.number == ELOOP)
    #expect(try File.read(path("link"), limit: 10, followingLinks: true).bytes == [0x78])
    let made = #expect(throws: FileError.self) { _ = try File.openOrCreate(path("link"), O_RDWR, Permissions(0o600)) }
    #expect(made?.number == ELOOP)
  }

  @Test("What is no regular file is refused, and keeps nobody waiting")
  func notRegular() throws {
    #expect(mkfifo(path("pipe"), 0o600) == 0)
    for name in ["pipe", "."] {
      let error = #expect(throws: FileError.self) { _ = try File(reading: path(name)) }
      #expect(error?.cause == .notRegular)
    }
    let device = #expect(throws: FileError.self) { _ = try File(reading: "/dev/zero") }
    #expect(device?.message == "cannot read /dev/zero: it is no regular file")
  }

  @Test("No more is read than was allowed", arguments: [(9, false), (10, true), (11, true)])
  func bound(limit: Int, isRead: Bool) throws {
    try temporary.write("0123456789", to: "a")
    if isRead {
      let content = try File.read(path("a"), limit: limit)
      #expect(content.bytes == Array("0123456789".utf8) && content.metadata.size == 10)
    } else {
      let error = #expect(throws: FileError.self) { try File.read(path("a"), limit: limit) }
      #expect(error?.cause == .tooLarge(size: 10, limit: limit))
      #expect(error?.reason == "it has 10 bytes; at most 9 are read")
    }
  }

  @Test("Files of the kernel are read whole, within the bound, though they have no size")
  func kernelFiles() throws {
    #expect(try File.read("/proc/self/status", limit: 1 << 20).bytes.starts(with: Array("Name:".utf8)))
    let error = #expect(throws: FileError.self) { try File.read("/proc/self/status", limit: 10) }
    #expect(error?.cause == .tooLarge(size: nil, limit: 10))
  }

  @Test("A part is read from any place, and what is behind the end is nothing")
  func parts() throws {
    try temporary.write("0123456789", to: "a")
    let file = try File(reading: path("a"))
    #expect(try file.read(from: 3, limit: 4) == Array("3456".utf8))
    #expect(try file.read(from: 8) == Array("89".utf8))
    #expect(try file.read(from: 11).isEmpty)
  }

  @Test("A long write that signals interrupt all the time loses nothing")
  func interrupted() throws {
    let count = 3_000_000
    // The reader is slow, so that the pipe is full and each write waits to be interrupted.
    let read = try shell(
      """
      "$1" copy \(count) | python3 -c '
      import sys, time
      total = 0
      while True:
        piece = sys.stdin.buffer.raw.read(16384)
        if not piece: break
        total += len(piece)
        if total % 524288 < 16384: time.sleep(0.005)
      print(total)'
      """, try Probe.path())
    #expect(read == "\(count)")
  }

  @Test(
    "A call that a signal interrupts is made again",
    .enabled(if: (try? shell("strace -f -o /dev/null true")) != nil, "strace is missing, or may not trace here"),
    arguments: ["fsync", "write"])
  func again(call: String) throws {
    let said = try shell(
      """
      strace -f -qq -o "$3" -e trace=\(call) -e inject=\(call):error=EINTR:when=1..2 "$1" write "$2"
      """, try Probe.path(), path("a"), path("trace"))
    #expect(said == "done" && temporary.read("a") == "whole")
    #expect(temporary.read("trace").contains("EINTR"))
  }
}
