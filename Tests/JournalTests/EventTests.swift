import TestSupport
import Testing

@testable import Journal
@testable import Schema

@Suite struct EventTests {
  @Test("Every kind of event reads back from its fields as it was written", arguments: Event.kinds.map(\.type))
  func roundTrip(type: String) throws {
    let kind = try #require(Event.kind(named: type))
    for seed in [1000, 2000] {
      let fields = sampleFields(of: kind, seed: seed)
      let event = try Event(type: type, fields: fields)
      #expect(event.type == type)
      #expect(event.fields == fields)
    }
  }

  @Test("What a server answered is read back also where it holds NUL, which no document may")
  func foreignText() throws {
    let finding = Finding("a.b", "it says \"a\0b\"", advice: "Compare a\0b.")
    let event = Event.stepResult(
      StepResultRecorded(
        path: "a", attempt: 1, outcome: .fail, output: .members([.init("software", .string("\0"))]), finding: finding,
        notStarted: false, duration: .seconds(1)))
    let line = try JSON(parsing: Array(JSON.object(event.fields).text().utf8))
    guard case .object(let fields) = line else {
      Issue.record("no record")
      return
    }
    #expect(try Event(type: event.type, fields: fields) == event)
  }

  @Test("No field of an event has the name of a part of the envelope", arguments: Event.kinds.map(\.type))
  func envelopeIsApart(type: String) throws {
    let kind = try #require(Event.kind(named: type))
    #expect(kind.fields.fields.allSatisfy { JournalLine.envelope[$0.name] == nil })
  }

  @Test("Every kind and every field is described in one sentence", arguments: Event.kinds.map(\.type))
  func summaries(type: String) throws {
    let kind = try #require(Event.kind(named: type))
    for summary in [kind.summary] + kind.fields.fields.map(\.summary) {
      #expect(summary.hasSuffix(".") && summary.first?.isLowercase == false, "\(summary)")
    }
  }

  @Test("A kind that is not known is kept with its fields")
  func unknownKind() throws {
    let fields: [JSON.Member] = [.init("moon", "full"), .init("tide", .array([1, 2]))]
    let event = try Event(type: "moon.rose", fields: fields)
    #expect(event == .unknown(type: "moon.rose", fields: .object(fields)))
    #expect(event.type == "moon.rose")
    #expect(event.fields == fields)
  }

  @Test("Members that a later version added are passed over, also inside records and lists")
  func laterMembers() throws {
    let event = try Event(
      type: "child.finished",
      fields: [
        .init("child", "X"), .init("target", "eu"), .init("outcome", "warn"), .init("mood", "fine"),
        .init("steps", [["stage": "steps", "path": "a", "title": "A", "outcome": "pass", "colour": "green"]]),
      ])
    let expected = ChildFinished(
      run: "X", target: "eu", outcome: .warn, steps: [ChildStep(path: "a", title: "A", outcome: .pass)])
    #expect(event == .childFinished(expected))
  }

  @Test("Members that came later may be missing, others may not")
  func missingMembers() throws {
    let early: [JSON.Member] = [
      .init("stage", "steps"), .init("path", "a"), .init("outcome", "pass"), .init("finding", .null),
      .init("expectations", []),
      .init("attempts", 0), .init("duration", "5ms"),
    ]
    guard case .stepFinished(let step) = try Event(type: "step.finished", fields: early) else {
      Issue.record("another kind")
      return
    }
    #expect(step.output == .null)
    #expect(throws: Mismatch(path: "duration", "required, and not given")) {
      try Event(type: "step.finished", fields: early.dropLast())
    }
  }

  @Test("Secrets are masked wherever they lie in an event")
  func secrets() {
    let event = Event.stepStarted(
      StepStarted(
        path: "a", title: "A", use: "m", effect: .observe,
        input: .members([.init("deep", .list([.secret(Secret("hunter2"))]))]), diagnostic: false))
    let text = JSON.object(event.fields).text()
    #expect(!text.contains("hunter2") && text.contains(Secret.mask))
  }
}
