import Synchronization
import TestSupport

@testable import Journal
@testable import Schema

/// Events as a run of two steps records them, the second of which acts on the world.
enum SampleRun {
  static let started = RunStarted(
    runbook: "daily-health", title: "Daily health", number: 0, severity: "P2", target: TargetFacts(name: "lab"),
    parent: nil,
    params: .members([.init("region", .string("eu")), .init("password", .secret(Secret("hunter2")))]),
    paramTypes: ["region": .string, "password": .secret(.string)], tool: ToolFacts(version: "1.0.0"), host: "turn-1",
    user: "root", pid: 4711, sources: [], volatile: false)

  static let sources = [
    RunSource(path: "runbooks/daily-health.yaml", bytes: Array("title: Daily health\r\n".utf8)),
    RunSource(path: "checks/turn/relay.yaml", bytes: [0xFF, 0x00, 0x0A]),
  ]

  static func step(_ path: String, effect: Effect) -> Event {
    .stepStarted(
      StepStarted(
        path: StepPath(path), title: "Relay \(path)", use: "turn.relay", effect: effect,
        input: .members([.init("packets", .int(100)), .init("every", .duration(.milliseconds(20)))]), diagnostic: false)
    )
  }

  static func intent(_ path: String) -> Event {
    .stepIntent(StepIntent(path: StepPath(path), attempt: 1, key: sha256Hex(path.utf8)))
  }

  static func result(_ path: String, output: Value) -> Event {
    .stepResult(
      StepResultRecorded(
        path: StepPath(path), attempt: 1, outcome: .pass, output: output, finding: nil, notStarted: false,
        duration: .microseconds(4200)))
  }

  static func finished(_ path: String) -> Event {
    .stepFinished(
      StepFinished(
        path: StepPath(path), outcome: .pass, finding: nil,
        expectations: [
          JudgedExpectation(
            that: "output.loss == 0.0", verdict: .holds, severity: .fail, message: nil,
            actual: [ActualValue(expression: "output.loss", value: .double(0), type: .percent)], error: nil)
        ], attempts: 1, output: .null, duration: .milliseconds(5)))
  }

  static let end = Event.runFinished(
    RunFinished(outcome: .pass, finding: nil, signal: nil, duration: .milliseconds(12)))

  /// The end of a run that did nothing.
  static let emptyEnd = Event.runFinished(
    RunFinished(outcome: .skipped, finding: nil, signal: nil, duration: .milliseconds(12)))

  /// The end that agrees with the events before it.
  static func end(after events: some Sequence<Event>) -> Event {
    var tally = OutcomeTally()
    for event in events { _ = tally.take(event) }
    return .runFinished(
      RunFinished(outcome: tally.outcome, finding: nil, signal: nil, duration: .milliseconds(12)))
  }

  /// Everything after the first event.
  static let events: [Event] = [
    step("relay", effect: .observe), intent("relay"),
    result("relay", output: .members([.init("loss", .double(0)), .init("note", .string("zwei\nZeilen ‹ü›"))])),
    finished("relay"), step("restart", effect: .change), intent("restart"), result("restart", output: .null),
    finished("restart"), end,
  ]

  /// A clock that moves on by a millisecond with each reading.
  static func clock() -> @Sendable () -> Moment {
    let ticks = Ticks()
    return {
      let milliseconds = ticks.next()
      let wall = Timestamp(seconds: 1_795_248_000, nanoseconds: Int32(milliseconds) * 1_000_000) ?? .unixEpoch
      return Moment(wall: wall, monotonic: 5_000_000_000 + milliseconds * 1_000_000, boot: "b007")
    }
  }

  private final class Ticks: Sendable {
    private let count = Mutex<Int64>(0)
    func next() -> Int64 {
      count.withLock {
        $0 += 1
        return $0
      }
    }
  }

  static let id = "01KBHYXV80ABCDEFGHJKMNPQRS"

  /// Records the whole run.
  static func record(in state: StateFolder, id: String = id, events: [Event] = events) async throws -> RunFolder {
    let writer = try await JournalWriter.begin(started, sources: sources, id: id, in: state, clock: clock())
    for event in events { try await writer.append(event) }
    return writer.folder
  }
}
