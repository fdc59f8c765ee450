import Archive
import Foundation
import Glibc
import Processes
import TestSupport
import Testing

@Suite struct DecompressionTests {
  /// The content of a file, as libarchive gives it.
  private func content(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let decompression = try Decompression(descriptor: descriptor)
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1000)
    while true {
      let count = try buffer.withUnsafeMutableBytes { try decompression.read(into: $0) }
      guard count > 0 else { return content }
      content += buffer[..<count]
    }
  }

  /// A file, compressed by a program of the system.
  private func packed(_ text: String, by program: String, in folder: TemporaryFolder) async throws -> String {
    try folder.write(text, to: "log")
    let result = try await Command(
      "sh", ["-c", "exec \"$0\" -c <\"$1\" >\"$1.packed\"", program, folder.path + "/log"]
    )
    .run()
    try #require(result.ending == .exited(0))
    return folder.path + "/log.packed"
  }

  private static let text = (0..<5000).map { "line \($0) of the log\n" }.joined()

  @Test(
    "What the compressors of the system write is told by its start, and read",
    arguments: zip(Compression.allCases, ["gzip", "xz", "bzip2", "zstd"]))
  func compressors(compression: Compression, program: String) async throws {
    let folder = try TemporaryFolder()
    let path = try await packed(Self.text, by: program, in: folder)
    let start = try FileHandle(forReadingFrom: URL(filePath: path)).read(upToCount: Compression.magicLength)
    #expect(Compression(magic: try #require(start)) == compression)
    #expect(try content(path) == Array(Self.text.utf8))
  }

  @Test("A file that is cut off is an error, whatever compressed it", arguments: ["gzip", "xz", "bzip2", "zstd"])
  func cutOff(program: String) async throws {
    let folder = try TemporaryFolder()
    let path = try await packed(Self.text, by: program, in: folder)
    let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    try #require(truncate(path, size / 2) == 0)
    #expect(throws: ArchiveError.self) { try content(path) }
  }

  @Test("Nothing, compressed, is nothing")
  func nothing() async throws {
    let folder = try TemporaryFolder()
    #expect(try content(try await packed("", by: "gzip", in: folder)) == [])
  }

  @Test("Two compressed files behind one another are read as one, as zcat does")
  func concatenated() async throws {
    let folder = try TemporaryFolder()
    let path = try await packed("one\n", by: "gzip", in: folder)
    let result = try await Command("sh", ["-c", "cat \"$0\" \"$0\" >\"$0.both\"", path]).run()
    try #require(result.ending == .exited(0))
    #expect(String(decoding: try content(path + ".both"), as: UTF8.self) == "one\none\n")
  }
}
