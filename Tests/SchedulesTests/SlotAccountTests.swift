import Journal
import Schema
import Testing

@testable import Schedules

@Suite struct SlotAccountTests {
  private let now: Timestamp
  private let since: Timestamp

  init() throws {
    now = try #require(Timestamp("2026-11-28T12:00:00Z"))
    since = try #require(Timestamp("2026-11-26T00:00:00Z"))
  }

  private func run(_ time: String, _ end: RunOfSlot.End = .ended(.pass)) throws -> RunOfSlot {
    RunOfSlot(id: time, startedAt: try #require(Timestamp("2026-11-\(time):00Z")), end: end)
  }

  private func states(_ runs: [RunOfSlot], _ period: String = "0 6 * * * UTC") throws -> [SlotAccount.State] {
    try Period(period).account(of: runs, since: since, at: now).map(\.state)
  }

  @Test("Each slot ran, was caught up, or was missed for a reason")
  func states() throws {
    let (late, inTime) = (try run("27T09:30"), try run("28T06:01", .ended(.fail)))
    #expect(try states([inTime, late]) == [.ran(inTime), .caughtUp(late, late: .seconds(12_600)), .missed(.noRun)])
  }

  @Test("A run before the slot does not count for it: an early one is one of the slot before")
  func early() throws {
    let early = try run("28T05:59")
    #expect(try states([early]) == [.missed(.noRun), .caughtUp(early, late: .seconds(86_340)), .missed(.noRun)])
  }

  @Test("A run that did nothing because of a lock, and one that died, leave the slot missed")
  func lockedOut() throws {
    let (locked, died) = (try run("28T06:00", .lockedOut), try run("27T06:00", .died))
    #expect(try states([locked, died]) == [.missed(.lockedOut(locked)), .missed(.died(died)), .missed(.noRun)])
    let later = try run("28T07:00")
    #expect(try states([locked, later]).first == .caughtUp(later, late: .seconds(3600)))
  }

  @Test("A run whose locks could not be used, and one that was cancelled after it died, leave the slot missed")
  func didNothing() throws {
    let (unusable, cancelled) = (try run("28T06:00", .lockUnusable), try run("27T06:00", .cancelled))
    #expect(
      try states([unusable, cancelled])
        == [.missed(.lockUnusable(unusable)), .missed(.cancelled(cancelled)), .missed(.noRun)])
  }

  @Test("The present slot is due until it is late")
  func due() throws {
    #expect(try states([], "50 11 * * * UTC").first == .due)
    #expect(try states([], "30 11 * * * UTC").first == .missed(.noRun))
    #expect(try states([], "5m").first == .due)
    let going = try run("28T11:59", .goesOn)
    #expect(try states([going], "50 11 * * * UTC").first == .ran(going))
  }

  @Test("A run that is a little ahead of the clock fills the present slot; one of later fills none")
  func clockBack() throws {
    let little = try run("28T12:04")
    #expect(try states([little]) == [.caughtUp(little, late: .seconds(21_840)), .missed(.noRun), .missed(.noRun)])
    #expect(try states([run("28T12:40")]) == [.missed(.noRun), .missed(.noRun), .missed(.noRun)])
  }

  @Test("Slots before the time that is asked for are left out, and no more than the limit are looked at")
  func bounds() throws {
    #expect(try Period("1d").account(of: [], since: now, at: now).isEmpty)
    #expect(try Period("1m").account(of: [], since: since, at: now, limit: 5).count == 5)
  }
}
