import Foundation
import Processes
import TestSupport
import Testing

@testable import Age

@Suite("Encryption as age has it")
struct AgeTests {
  /// Around the borders of chunks.
  static let sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]

  private static func content(_ size: Int) -> Data {
    Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
  }

  private static func encrypted(_ content: Data, to recipients: [AgeRecipient], step: Int = 7_000) throws -> Data {
    var encryption = try AgeEncryption(to: recipients)
    var file = encryption.head
    for start in stride(from: 0, to: content.count, by: step) {
      file += try content[start..<min(start + step, content.count)].withUnsafeBytes { try encryption.add($0) }
    }
    return try file + encryption.finish()
  }

  private static func decrypted(_ file: Data, _ identities: [AgeIdentity], step: Int = 5_000) throws -> Data {
    var rest = file
    var decryption = try AgeDecryption(identities: identities) { buffer in
      let part = rest.prefix(min(step, buffer.count))
      part.copyBytes(to: buffer)
      rest = rest.dropFirst(part.count)
      return part.count
    }
    var content = Data()
    while let part = try decryption.next() { content += part }
    return content
  }

  private static func age(_ arguments: [String], input: Data) async throws -> Data {
    let folder = try TemporaryFolder()
    let source = URL(filePath: "\(folder.path)/in")
    try input.write(to: source)
    let run = try await Command("age", arguments + [source.path]).run()
    try #require(run.isSuccess, "\(run.standardError.text)")
    return Data(run.standardOutput.bytes)
  }

  @Test("Debian's age opens what is encrypted here, for each of the recipients", arguments: sizes)
  func theyOpenOurs(_ size: Int) async throws {
    let identities = [AgeIdentity(), AgeIdentity()]
    let content = Self.content(size)
    let file = try Self.encrypted(content, to: identities.map(\.recipient))
    for identity in identities {
      let folder = try TemporaryFolder()
      try Data((identity.secretText + "\n").utf8).write(to: URL(filePath: "\(folder.path)/key"))
      #expect(try await Self.age(["-d", "-i", "\(folder.path)/key"], input: file) == content)
    }
  }

  @Test("What Debian's age encrypts is opened here", arguments: sizes)
  func weOpenTheirs(_ size: Int) async throws {
    let (mine, other) = (AgeIdentity(), AgeIdentity())
    let content = Self.content(size)
    let file = try await Self.age(
      ["-r", other.recipient.description, "-r", mine.recipient.description], input: content)
    #expect(try Self.decrypted(file, [mine]) == content)
    #expect(try Self.decrypted(file, [AgeIdentity(), other]) == content)
    #expect(throws: AgeError.noMatchingIdentity(recipients: 2)) { try Self.decrypted(file, [AgeIdentity()]) }
  }

  @Test("age-keygen's keys are read and written as they are")
  func keys() async throws {
    let text = try await Command("age-keygen").run().standardOutput.text
    let identity = try #require(try AgeIdentity.all(ofKeyFile: text).first)
    #expect(text.contains(identity.secretText))
    #expect(text.contains("# public key: \(identity.recipient)"))
    #expect(try AgeRecipient("\(identity.recipient)") == identity.recipient)
  }

  @Test(
    "What is no key is refused",
    arguments: [
      "", "age1", "age1qqqq", "AGE1QYZG2", "age-secret-key-1qqq", "1", "age1\u{130}",
      // One letter of a real one altered, and one in upper case.
      "age1cy0su9fwf3gf9mw868g5yut09p6nytfmmnktexz2ya5uqg9vl9sss4euqq",
      "age1cy0su9fwf3gf9mw868g5yut09p6nytfmmnktexz2ya5uqg9vl9sss4euqM",
    ])
  func notKeys(_ text: String) {
    #expect(throws: AgeError.notARecipient) { try AgeRecipient(text) }
    #expect(throws: AgeError.notAnIdentity) { try AgeIdentity(text) }
  }

  @Test("A point of small order makes no secret: it is refused in a header and as a recipient")
  func smallOrder() throws {
    for point in [UInt8(0), 1] {
      let key = [point] + [UInt8](repeating: 0, count: 31)
      #expect(throws: AgeError.notARecipient) { try AgeEncryption(to: [AgeRecipient(key: key)]) }
      // Whoever knows that the secret is zero could wrap a key of his own for anybody.
      let share = Data(key).base64EncodedString().filter { $0 != "=" }
      let identity = AgeIdentity()
      let file = try Self.encrypted(Data(), to: [identity.recipient])
      let body = file.split(separator: 0x0A)[2]
      let forged = "age-encryption.org/v1\n-> X25519 \(share)\n\(String(decoding: body, as: UTF8.self))\n--- AA\n"
      #expect(throws: AgeError.noMatchingIdentity(recipients: 1)) {
        try Self.decrypted(Data(forged.utf8), [identity])
      }
    }
  }

  @Test("One altered bit anywhere is found, in the header and in every chunk")
  func altered() throws {
    let identity = AgeIdentity()
    let content = Self.content(70_000)
    let file = try Self.encrypted(content, to: [identity.recipient])
    let headEnd = file.count - 70_000 - 2 * 16
    let places = Array(0..<headEnd) + stride(from: headEnd, to: file.count, by: 977) + [file.count - 1]
    for place in places {
      for bit in [0, 5] {
        var wrong = file
        wrong[place] ^= 1 << bit
        #expect(throws: AgeError.self, "byte \(place)") { try Self.decrypted(wrong, [identity]) }
      }
    }
  }

  @Test("A file that is cut off anywhere, or goes on behind its end, is refused", arguments: [0, 65_536, 70_000])
  func cut(_ size: Int) throws {
    let identity = AgeIdentity()
    let file = try Self.encrypted(Self.content(size), to: [identity.recipient])
    let headEnd = file.count - size - 16 * max(1, (size + 65_535) / 65_536)
    for length in Array(0...headEnd) + stride(from: headEnd, to: file.count, by: 499) + [file.count - 1] {
      #expect(throws: AgeError.self, "\(length)") { try Self.decrypted(file.prefix(length), [identity]) }
    }
    #expect(throws: AgeError.self) { try Self.decrypted(file + [0], [identity]) }
    #expect(throws: AgeError.self) { try Self.decrypted(file + Data(repeating: 7, count: 70_000), [identity]) }
  }

  @Test("Chunks that change places are refused")
  func swapped() throws {
    let identity = AgeIdentity()
    let file = try Self.encrypted(Self.content(3 * 65_536), to: [identity.recipient])
    let sealed = 65_536 + 16
    let head = file.prefix(file.count - 3 * sealed)
    let chunks = (0..<3).map { file.dropFirst(head.count + $0 * sealed).prefix(sealed) }
    #expect(throws: AgeError.alteredContent(chunk: 0)) {
      try Self.decrypted(head + chunks[1] + chunks[0] + chunks[2], [identity])
    }
    #expect(throws: AgeError.alteredContent(chunk: 1)) { try Self.decrypted(head + chunks[0] + chunks[2], [identity]) }
  }

  @Test("The armoured form and other files are no age files")
  func foreign() throws {
    #expect(throws: AgeError.notAnAgeFile) {
      try Self.decrypted(Data("-----BEGIN AGE ENCRYPTED FILE-----\n".utf8), [AgeIdentity()])
    }
    #expect(throws: AgeError.notAnAgeFile) { try Self.decrypted(Data(), [AgeIdentity()]) }
    #expect(throws: AgeError.notAnAgeFile) { try Self.decrypted(Data("age-encryption.org/v2\n".utf8), []) }
  }

  @Test("A header that never ends is given up")
  func endlessHeader() throws {
    let file = Data("age-encryption.org/v1\n".utf8) + Data(String(repeating: "-> other x\nQQ\n", count: 400_000).utf8)
    #expect(throws: AgeError.self) { try Self.decrypted(file, [AgeIdentity()], step: 1 << 20) }
  }
}
