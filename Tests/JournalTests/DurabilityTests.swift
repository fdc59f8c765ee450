import Testing

@testable import Journal
@testable import Schema

@Suite struct DurabilityTests {
  @Test(
    "Intent and result are on the disk before a step that does more than observe goes on",
    arguments: [(Effect.observe, false), (.record, true), (.notify, true), (.change, true)])
  func stepEvents(effect: Effect, expected: Bool) {
    #expect(SampleRun.intent("a").mustBeDurable(effect: effect) == expected)
    #expect(SampleRun.result("a", output: .null).mustBeDurable(effect: effect) == expected)
  }

  @Test("A step whose effect is not known counts as acting")
  func unknownEffect() {
    #expect(SampleRun.intent("a").mustBeDurable(effect: nil))
  }

  @Test("The run's own ends are on the disk, whatever it does")
  func ends() {
    #expect(Event.runStarted(SampleRun.started).mustBeDurable(effect: .observe))
    #expect(SampleRun.end.mustBeDurable(effect: .observe))
    #expect(Event.journalRecovered(JournalRecovered(file: "x", bytes: 1)).mustBeDurable(effect: nil))
  }

  @Test("What can be told from other events waits for nothing")
  func others() {
    #expect(!SampleRun.step("a", effect: .change).mustBeDurable(effect: .change))
    #expect(!SampleRun.finished("a").mustBeDurable(effect: .change))
  }
}
