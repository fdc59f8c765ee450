import Foundation
import Testing

/// The real program, killed at each of the calls with which it changes its state, or that fails there, and gone on with. What the
/// steps do is counted in a file outside of all state.
///
/// `RUNBOOK_FUZZ_SECONDS` makes it look at every call.
@Suite(.serialized) struct CrashPointFuzzTests {
  private static let isWhole = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"] != nil

  @Test(
    "Wherever the program is killed, or a line is torn, the run goes on: nothing is done twice, nothing is lost",
    arguments: [false, true])
  func killed(fails: Bool) async throws {
    let story = try await CrashStory(fails: fails)
    let points = try await story.points()
    var looked = 0
    for point in stride(from: fails ? 1 : 3, through: points, by: Self.isWhole ? 1 : points / 6) {
      try await story.check("kill", at: point)
      looked += 1
      guard Self.isWhole || point % 2 == 0 else { continue }
      try await story.check("torn", at: point, thenKilledAt: 1 + point % 17)
      looked += 1
    }
    print("calls that change the state: \(points), deaths at them: \(looked)")
  }

  @Test("A sync that fails with EIO, a disk that is full: the run stops and says so, and goes on once that is mended")
  func failing() async throws {
    let story = try await CrashStory(fails: false)
    let points = try await story.points()
    for point in stride(from: 9, through: points, by: Self.isWhole ? 1 : points / 3) {
      try await story.check("eio", at: point)
      try await story.check("full", at: point)
    }
  }

  @Test("Writes that do only half of what they were asked for lose nothing")
  func short() async throws {
    let story = try await CrashStory(fails: false)
    let output = try await story.run("short")
    #expect(output.status == 0, "\(output.stderr)")
    try await story.checkEnd("short writes")
  }
}
