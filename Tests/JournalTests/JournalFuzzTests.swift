import Foundation
import TestSupport
import Testing

@testable import Journal
@testable import Schema

@Suite struct JournalFuzzTests {
  @Test("No change of a journal's bytes passes unnoticed before its last line, or does worse than being refused")
  func mutations() async throws {
    let temporary = try TemporaryFolder()
    let folder = try await SampleRun.record(in: StateFolder(temporary.path))
    let bytes = try Array(Data(contentsOf: URL(filePath: folder.journal)))
    let whole = try RecordedRun.read(folder).events
    let seconds = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"].flatMap { Int($0) } ?? 0
    let end = ContinuousClock.now + .seconds(seconds)
    var random = SystemRandomNumberGenerator()
    var refused = 0
    var count = 0
    while count < 2000 || ContinuousClock.now < end {
      count += 1
      let mutated = mutate(bytes, &random)
      do {
        let content = try JournalContent(bytes: mutated, in: folder)
        let proven = content.events.dropLast()
        #expect(Array(proven) == Array(whole.prefix(proven.count)), "\(mutated)")
      } catch {
        refused += 1
      }
    }
    #expect(refused > count / 2)
  }

  private func mutate(_ bytes: [UInt8], _ random: inout SystemRandomNumberGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
      case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...300, using: &random)))
      default:
        let other = Int.random(in: 0..<bytes.count, using: &random)
        bytes.insert(contentsOf: bytes[min(place, other)..<max(place, other)], at: place)
      }
    }
    return bytes
  }
}
