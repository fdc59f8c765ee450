import FoundationEssentials
import Testing

@testable import Schema

@Suite struct JSONFuzzTests {
  private static let seconds = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"].flatMap { Int($0) } ?? 0

  private func repeating(_ count: Int, _ body: (inout SystemRandomNumberGenerator) throws -> Void) throws {
    let end = ContinuousClock.now + .seconds(Self.seconds)
    var random = SystemRandomNumberGenerator()
    var done = 0
    while done < count || ContinuousClock.now < end {
      try body(&random)
      done += 1
    }
  }

  private func document(_ random: inout SystemRandomNumberGenerator, depth: Int = 0) -> JSON {
    switch Int.random(in: 0..<(depth < 4 ? 8 : 6), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2: return .int(Int64(truncatingIfNeeded: random.next() as UInt64) >> Int64.random(in: 0..<64, using: &random))
    case 3: return .double(number(&random))
    case 4, 5: return .string(text(&random))
    case 6:
      return .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in document(&random, depth: depth + 1) })
    default:
      var names: Set<String> = []
      let members = (0..<Int.random(in: 0..<5, using: &random)).map { _ in
        JSON.Member(text(&random), document(&random, depth: depth + 1))
      }
      return .object(members.filter { names.insert($0.name).inserted })
    }
  }

  private func number(_ random: inout SystemRandomNumberGenerator) -> Double {
    let number = Double(bitPattern: random.next())
    return number.isFinite ? number : 0.5
  }

  private func text(_ random: inout SystemRandomNumberGenerator) -> String {
    let scalars = (0..<Int.random(in: 0..<8, using: &random)).compactMap { _ in
      Unicode.Scalar(UInt32.random(in: 0..<(Bool.random(using: &random) ? 0x80 : 0x11_0000), using: &random))
    }
    return String(String.UnicodeScalarView(scalars))
  }

  @Test("Every document reads back as it was written, in both layouts")
  func roundTrip() throws {
    try repeating(2000) { (random: inout SystemRandomNumberGenerator) throws in
      let json = document(&random)
      #expect(try JSON(parsing: json.text()) == json)
      #expect(try JSON(parsing: json.text(.indented)) == json)
    }
  }

  @Test("A damaged document is read or refused, and what is read can be written")
  func mutations() throws {
    try repeating(5000) { (random: inout SystemRandomNumberGenerator) throws in
      var bytes = Array(document(&random).text().utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = .random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(Array("{}[]\",:\\u0e-+.tfn".utf8).randomElement(using: &random) ?? 0, at: place)
        }
      }
      if let json = try? JSON(parsing: bytes) { #expect((try? JSON(parsing: json.text())) == json) }
    }
  }

  @Test("64 KiB of noise are refused")
  func noise() throws {
    try repeating(20) { (random: inout SystemRandomNumberGenerator) throws in
      let bytes = (0..<65_536).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(throws: JSONError.self) { try JSON(parsing: [0x22] + bytes) }
    }
  }
}
