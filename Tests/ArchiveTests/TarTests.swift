import Archive
import Foundation
import Processes
import TestSupport
import Testing

@Suite("Tar archives")
struct TarTests {
  private struct SinkFailure: Error {}

  private static func file(_ name: String, _ size: Int, mode: UInt32 = 0o640) -> TarMember {
    TarMember(
      name: Array(name.utf8), kind: .file(size: size), mode: mode, user: 12, group: 34,
      modified: (1_700_000_000, 123_456_789))
  }

  private static func written(_ members: [(TarMember, [UInt8])]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let tar = try TarWriter { bytes += $0 }
    for (member, content) in members {
      try tar.begin(member)
      for start in stride(from: 0, to: content.count, by: 100_000) {
        try content[start..<min(start + 100_000, content.count)].withUnsafeBytes { try tar.write($0) }
      }
      try tar.end(member, written: content.count)
    }
    try tar.close()
    return bytes
  }

  private static func read(_ bytes: [UInt8]) throws -> [(TarMember, [UInt8])] {
    var rest = bytes[...]
    let tar = try TarReader { buffer in
      let part = rest.prefix(min(buffer.count, 3_000))
      buffer.copyBytes(from: part)
      rest = rest.dropFirst(part.count)
      return part.count
    }
    var found: [(TarMember, [UInt8])] = []
    while let member = try tar.next() {
      var content: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 10_000)
      while case let count = try buffer.withUnsafeMutableBytes({ try tar.read(into: $0) }), count > 0 {
        content += buffer[..<count]
      }
      found.append((member, content))
    }
    return found
  }

  /// Names that tar programs stumble over: long, not ASCII, not UTF-8, with a line break.
  private static let members: [(TarMember, [UInt8])] = [
    (
      TarMember(
        name: Array("etc".utf8), kind: .directory, mode: 0o755, user: 0, group: 0, modified: (1_600_000_000, 0)), []
    ),
    (file("etc/turnserver.conf", 5), Array("hello".utf8)),
    (file("etc/empty", 0), []),
    (file(String(repeating: "long/", count: 60) + "name", 300_000), [UInt8](repeating: 7, count: 300_000)),
    (file("größe–日本語", 3), [1, 2, 3]),
    (file("line\nbreak", 1), [9]),
    (
      TarMember(
        name: [0x61, 0xFF, 0xFE, 0x62], kind: .file(size: 1), mode: 0o600, user: 3_000_000, group: 4_000_000,
        modified: (1, 0)), [4]
    ),
    (
      TarMember(
        name: Array("link".utf8), kind: .symbolicLink(target: Array("etc/empty".utf8)), mode: 0o777, user: 0, group: 0,
        modified: (5, 0)), []
    ),
  ]

  @Test("are read as they were written, names that are no text too")
  func roundTrip() throws {
    let found = try Self.read(Self.written(Self.members))
    #expect(found.map(\.0) == Self.members.map(\.0))
    #expect(found.map(\.1) == Self.members.map(\.1))
  }

  @Test("of the same members are the same, byte by byte")
  func deterministic() throws {
    #expect(try Self.written(Self.members) == Self.written(Self.members))
  }

  @Test("are read by GNU tar and zstd, with modes, owners and times")
  func foreignReader() async throws {
    let folder = try TemporaryFolder()
    try Data(Self.written(Self.members)).write(to: URL(filePath: "\(folder.path)/a.tar.zst"))
    let run = try await Command(
      "sh",
      [
        "-c",
        "cd '\(folder.path)' && mkdir out && zstd -dc a.tar.zst | tar -x -C out && find out -printf '%m %U %T@ %s %P\\n'",
      ]
    ).run()
    #expect(run.isSuccess, "\(run.standardError.text)")
    #expect(run.standardOutput.text.contains("640 12 1700000000.1234567890 5 etc/turnserver.conf\n"))
    #expect(run.standardOutput.text.contains("größe–日本語"))
    #expect(run.standardOutput.bytes.firstRange(of: [0x61, 0xFF, 0xFE, 0x62]) != nil)
  }

  @Test("A content that is shorter or longer than its member said is an error")
  func wrongSize() throws {
    let member = Self.file("a", 3)
    let tar = try TarWriter { _ in }
    try tar.begin(member)
    try [UInt8(1), 2].withUnsafeBytes { try tar.write($0) }
    #expect(throws: ArchiveError.self) { try tar.end(member, written: 2) }
    let second = try TarWriter { _ in }
    try second.begin(member)
    #expect(throws: ArchiveError.self) { try [UInt8](repeating: 1, count: 4).withUnsafeBytes { try second.write($0) } }
  }

  @Test("What goes wrong where an archive is written or read comes out as it is")
  func sinkFails() throws {
    #expect(throws: SinkFailure.self) {
      let tar = try TarWriter { _ in throw SinkFailure() }
      try tar.begin(Self.file("a", 0))
      try tar.close()
    }
    #expect(throws: SinkFailure.self) { try TarReader { _ in throw SinkFailure() }.next() }
  }

  @Test("An archive that is cut off anywhere is an error, and so is one that is none")
  func cut() throws {
    let bytes = try Self.written(Self.members)
    for length in stride(from: 0, to: bytes.count - 1, by: 41) {
      #expect(throws: (any Error).self, "\(length)") { try Self.read(Array(bytes[..<length])) }
    }
    #expect(throws: ArchiveError.self) { try Self.read(Array("no archive".utf8)) }
  }

  @Test("Members that are neither files nor folders are told by their kind")
  func kinds() async throws {
    let folder = try TemporaryFolder()
    let run = try await Command(
      "sh",
      [
        "-c",
        """
        cd '\(folder.path)' && mkdir d && cd d && echo x >a && ln a b && mkfifo f && mknod n c 1 3 && ln -s a s && \
        truncate -s 1M h && echo x >>h && tar -S -cf - . | zstd -q >../t
        """,
      ]
    ).run()
    try #require(run.isSuccess, "\(run.standardError.text)")
    let bytes = try Data(contentsOf: URL(filePath: "\(folder.path)/t"))
    var kinds: [String: TarMember.Kind] = [:]
    for (member, _) in try Self.read(Array(bytes)) { kinds[String(decoding: member.name, as: UTF8.self)] = member.kind }
    #expect(kinds["./f"] == .other("a named pipe"))
    #expect(kinds["./n"] == .other("a device"))
    #expect(kinds["./s"] == .symbolicLink(target: [0x61]))
    #expect(kinds["./h"] == .other("a sparse file"))
    #expect([kinds["./a"], kinds["./b"]].contains(.other("a hard link")))
  }
}
