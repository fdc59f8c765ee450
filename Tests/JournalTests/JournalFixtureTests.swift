import Foundation
import TestSupport
import Testing

@testable import Journal
@testable import Schema

/// Journals as the first release writes them, and one from before it.
@Suite struct JournalFixtureTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

  private static func read(_ name: String) throws -> [RecordedEvent] {
    let bytes = try Array(Data(contentsOf: folder.appending(path: name)))
    return try JournalContent(bytes: bytes, in: RunFolder(folder.path)).events
  }

  @Test(
    "Every kept journal is read and verified, and no event of it is unknown",
    arguments: ["v2/run.jsonl", "v2/kinds.jsonl"])
  func reads(name: String) throws {
    for recorded in try Self.read(name) {
      #expect(Event.kind(named: recorded.event.type) != nil)
      #expect(recorded.unread.isEmpty)
    }
  }

  @Test("A kept run says what it said when it was written")
  func meaning() throws {
    let events = try Self.read("v2/run.jsonl").map(\.event)
    #expect(events.dropFirst().map(\.fields) == SampleRun.events.map(\.fields))
    guard case .runStarted(let started) = events.first else {
      Issue.record("no first event")
      return
    }
    #expect(started.number == 1 && started.runbook == "daily-health" && started.sources.count == 2)
    #expect(events.last == SampleRun.end)
  }

  @Test("A journal of an unreleased version is refused by that name")
  func unreleased() throws {
    let error = #expect(throws: JournalError.self) { try Self.read("v1/run.jsonl") }
    #expect(error?.code == .unreleased && error?.line == 1)
    #expect(error?.message.contains("version 1, which an unreleased version of runbook wrote") == true)
  }

  @Test("Every kind of event that this version writes is kept in a journal")
  func everyKind() throws {
    #expect(Set(try Self.read("v2/kinds.jsonl").map(\.event.type)) == Set(Event.kinds.map(\.type)))
  }
}
