import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import Vault

@Suite("A file that changes while it is read")
struct ReadContentTests {
  private static let sizes = [100, 3 << 20]

  private static func file(_ size: Int) throws -> (TemporaryFolder, [UInt8]) {
    let folder = try TemporaryFolder()
    try folder.write(String(repeating: "x", count: size), to: "f")
    return (folder, Array("\(folder.path)/f".utf8))
  }

  private static func append(_ text: String, to path: [UInt8]) {
    let file = fopen(String(decoding: path, as: UTF8.self), "a")
    fputs(text, file)
    fclose(file)
  }

  @Test("and only grows is whole as it was, and it is noted", arguments: sizes)
  func grows(size: Int) throws {
    let (folder, path) = try Self.file(size)
    let content = try ReadContent(reading: path, checkpoint: {}, betweenLooks: { Self.append("more", to: path) })
    #expect(content.isConsistent)
    #expect(content.notes == [.grew])
    #expect(content.size == size)
    _ = folder
  }

  @Test("once is read again, and then as it is now", arguments: sizes)
  func changesOnce(size: Int) throws {
    let (folder, path) = try Self.file(size)
    var looks = 0
    let content = try ReadContent(
      reading: path, checkpoint: {},
      betweenLooks: {
        looks += 1
        if looks == 1 { try? folder.write(String(repeating: "y", count: size + 1), to: "f") }
      })
    #expect(looks == 2)
    #expect(content.isConsistent)
    #expect(content.size == size + 1)
  }

  @Test("each time is told so", arguments: sizes)
  func changesAlways(size: Int) throws {
    let (folder, path) = try Self.file(size)
    var looks = 0
    let content = try ReadContent(
      reading: path, checkpoint: {},
      betweenLooks: {
        looks += 1
        try? folder.write(String(repeating: looks % 2 == 0 ? "a" : "b", count: size - looks), to: "f")
      })
    #expect(looks == ReadContent.tries)
    #expect(!content.isConsistent)
  }

  @Test("and vanishes, or becomes a pipe, is told as that; nothing waits", arguments: [false, true])
  func vanishes(isPipe: Bool) throws {
    let (folder, path) = try Self.file(100)
    let name = String(decoding: path, as: UTF8.self)
    let error = #expect(throws: ContentFailure.self) {
      try ReadContent(
        reading: path, checkpoint: {},
        betweenLooks: {
          // What is open changes, so that it is read again.
          try? folder.write("z", to: "f")
          unlink(name)
          if isPipe { mkfifo(name, 0o600) }
        })
    }
    #expect(error?.reason == (isPipe ? "it is no regular file any more" : "it does not exist"))
  }

  @Test("tells no size and has a content, as those of /proc do: it is read to its end")
  func unsized() throws {
    let path = "/proc/self/cmdline"
    let content = try ReadContent(reading: Array(path.utf8), checkpoint: {})
    let expected = try #require(FileManager.default.contents(atPath: path))
    #expect(content.size > 0 && content.bytes == Array(expected))
    #expect(content.isConsistent)
    #expect(content.notes == [])
  }
}
