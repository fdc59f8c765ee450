import TestSupport
import Testing

@testable import Engine

@Suite struct AgendaTests {
  @Test("What is due first comes first, and of what is due at the same time what was put in first", arguments: 1...20)
  func order(seed: UInt64) {
    var numbers = SplitMix(state: seed)
    var agenda = Agenda<Int>()
    var expected: [(due: Duration, item: Int)] = []
    for item in 0..<200 {
      let due = Duration.seconds(Int.random(in: 0...9, using: &numbers))
      _ = agenda.add(item, due: due)
      expected.append((due, item))
      expected.sort { ($0.due, $0.item) < ($1.due, $1.item) }
      guard numbers.oneIn(3) else { continue }
      #expect(agenda.first?.item == expected.removeFirst().item)
      agenda.removeFirst()
    }
    while let entry = agenda.first {
      #expect(entry.item == expected.removeFirst().item)
      agenda.removeFirst()
    }
    #expect(expected.isEmpty)
  }
}
