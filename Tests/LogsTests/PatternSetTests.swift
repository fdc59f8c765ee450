import TestSupport
import Testing

@testable import Logs

/// Words find the lines that the expression finds, only faster.
@Suite struct PatternSetTests {
  private struct Block {
    let bytes: [UInt8]
    /// Where each line begins and ends, without its line feed.
    var lines: [Range<Int>] = []

    init(_ bytes: [UInt8]) {
      self.bytes = bytes
      var start = 0
      for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
        lines.append(start..<start + line.count)
        start += line.count + 1
      }
    }

    /// The numbers of the lines that a set finds.
    func found(by set: PatternSet) -> [Int] {
      bytes.withUnsafeBytes { bytes in
        var found: [Int] = []
        var place = 0
        while place < bytes.count, let candidate = set.nextCandidate(in: bytes, from: place),
          let number = lines.lastIndex(where: { $0.lowerBound <= candidate })
        {
          if set.mayMatch(UnsafeRawBufferPointer(rebasing: bytes[lines[number]])) { found.append(number) }
          place = lines[number].upperBound + 1
        }
        return found
      }
    }
  }

  private static let sources = [
    "ERROR", "(?i)warn(ing)?", "a[bc]d|efg", "user \\w+ failed", "[0-9]+ messages? (?:lost|dropped)", "caf\u{E9}",
    "x.*yz?z",
    "(abc)+", "fo{2,3}bar", "Straße|STRASSE", "\\babc\\b", "end$", "\\x{ff}abc", "(?i)k\u{E9}y", "tab\\tstop",
  ]

  private static let parts = [
    "ERROR", "error", "WARN", "Warning", "abd", "acd", "efg", "user bob failed", "user  failed", "3 messages lost",
    "1 message dropped",
    "café", "xyz", "x yyz", "abcabc", "foobar", "fooobar", "fobar", "Straße", "STRASSE", " abc ", "end", "\u{FF}abc",
    "KÉY", "tab\tstop",
    "\n", "\n", "\n", " ", "m", "e", "-", "0123456789abcdef",
  ]

  @Test("Words find the same lines as the expression alone", arguments: 0..<60)
  func sameLines(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    for _ in 0..<10 {
      let sources = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        Self.sources[Int.random(in: 0..<Self.sources.count, using: &random)]
      }
      var text: [UInt8] = []
      for _ in 0..<Int.random(in: 0...200, using: &random) {
        text += Array(Self.parts[Int.random(in: 0..<Self.parts.count, using: &random)].utf8)
        if Int.random(in: 0..<20, using: &random) == 0 { text.append(UInt8.random(in: 1...255, using: &random)) }
      }
      let block = Block(text)
      let plain = block.found(by: try PatternSet(sources, usesWords: false))
      #expect(
        block.found(by: try PatternSet(sources)) == plain, "\(sources) in \(String(decoding: text, as: UTF8.self))")
    }
  }

  @Test("Anchored patterns too find lines by their words, and patterns without words look at every line")
  func findsLines() throws {
    #expect(try PatternSet(["^ERROR", "abc"]).findsLines)
    #expect(try !PatternSet(["^E", "abc"]).findsLines)
    #expect(try PatternSet(["[0-9]+", "abc"]).findsLines)
    #expect(Block(Array("nothing\nan abc\n7\n".utf8)).found(by: try PatternSet(["[0-9]+", "abc"])) == [1, 2])
  }

  @Test("Words are found at every place of a text, and in no other")
  func everyPlace() throws {
    let set = try PatternSet(["needle"])
    for length in 0...70 {
      for place in 0...length {
        var text = [UInt8](repeating: UInt8(ascii: "e"), count: length)
        text.insert(contentsOf: "nEEdle".utf8, at: place)
        #expect(text.withUnsafeBytes { set.nextCandidate(in: $0, from: 0) } == place)
        #expect(text.withUnsafeBytes { set.nextCandidate(in: $0, from: place + 1) } == nil)
        #expect(text.dropLast(length - place + 1).withUnsafeBytes { set.nextCandidate(in: $0, from: 0) } == nil)
      }
    }
  }
}
