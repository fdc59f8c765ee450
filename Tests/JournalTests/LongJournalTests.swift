import Foundation
import TestSupport
import Testing

@testable import Journal
@testable import Schema

/// Journals of so many lines that several threads read them.
@Suite struct LongJournalTests {
  let temporary: TemporaryFolder
  let folder: RunFolder
  private let events: [Event]

  init() async throws {
    temporary = try TemporaryFolder()
    let steps = (0..<220).flatMap { number in
      let path = "step\(number)"
      return [
        SampleRun.step(path, effect: .observe), SampleRun.intent(path),
        SampleRun.result(path, output: .int(Int64(number))),
        SampleRun.finished(path),
      ]
    }
    events = steps + [SampleRun.end(after: steps)]
    folder = try await SampleRun.record(in: StateFolder(temporary.path), events: events)
  }

  /// Changes one line, from 1, and gives the error with which the journal is read then.
  private func error(changing number: Int, _ change: (String) -> String) throws -> JournalError? {
    var lines = temporary.read("runs/\(folder.id)/journal.jsonl").split(separator: "\n").map(String.init)
    lines[number - 1] = change(lines[number - 1])
    try temporary.write(lines.joined(separator: "\n") + "\n", to: "runs/\(folder.id)/journal.jsonl")
    return #expect(throws: JournalError.self) { try RecordedRun.read(folder) }
  }

  @Test("Its events are those that were recorded, in their order")
  func order() throws {
    let run = try RecordedRun.read(folder)
    // Not in the expectation: it would print all of them.
    let areSame = run.events.dropFirst().map(\.event.fields) == events.map(\.fields)
    #expect(areSame)
    #expect(run.events.map(\.seq) == Array(1...events.count + 1))
  }

  @Test(
    "The first line that is not what was written is named, whichever part of the journal it is in",
    arguments: [2, 300, 640, 880])
  func altered(line: Int) throws {
    // A damaged line behind it is not what is told of.
    _ = try error(changing: 881) { String($0.dropLast()) }
    let error = try error(changing: line) { $0.replacing("\"wall\":\"2026", with: "\"wall\":\"2025") }
    #expect(error?.code == .damaged && error?.line == line + 1, "\(String(describing: error))")
  }

  @Test("A line that is none, or an event that is none, is named by its own number", arguments: [2, 300, 640])
  func malformed(line: Int) throws {
    let event = try error(changing: line) { $0.replacing("\"path\":", with: "\"puth\":") }
    #expect(event?.line == line && event?.message.contains("is no valid") == true)
    let error = try error(changing: line) { String($0.dropLast()) }
    #expect(error?.code == .damaged && error?.line == line)
  }
}
