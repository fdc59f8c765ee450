import Foundation
import Schema
import TestSupport
import Testing

@testable import Schedules

@Suite struct PeriodTests {
  private static func moment(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }

  @Test(
    "A period is a duration of whole minutes, or a cron line in UTC",
    arguments: [
      ("1d", "1d"), ("24h", "1d"), ("5m", "5m"), ("90m", "90m"), ("366d", "366d"), ("60s", "1m"),
      ("30  6 * * 1 UTC", "30 6 * * 1 UTC"), ("*/5 * * * * UTC", "*/5 * * * * UTC"),
    ])
  func read(_ text: String, _ written: String) throws {
    #expect(try Period(text).text == written)
  }

  @Test(
    "Anything else is refused with what to write",
    arguments: [
      ("30s", "whole number of minutes"), ("90s", "whole number of minutes"), ("0m", "from 1m"), ("367d", "to 366d"),
      ("daily", "neither a duration nor a cron line"), ("@daily", "neither"), ("* * * * *", "names its time zone"),
      ("0 6 * * 1 Europe/Berlin", "found the zone \"Europe/Berlin\""), ("60 6 * * 1 UTC", "no cron line"),
      ("0 6 * * mon UTC", "no cron line"), ("0 0 31 2 * UTC", "never comes"), ("", "neither"),
      ("0 6 * * 1 UTC UTC", "neither"),
    ])
  func refused(_ text: String, _ message: String) throws {
    let mistake = #expect(throws: Period.Mistake.self) { try Period(text) }
    #expect(mistake?.message.contains(message) == true, "\(mistake?.message ?? "")")
    #expect(mistake?.advice.isEmpty == false)
  }

  @Test(
    "Slots of a duration are its multiples since 1970, in UTC",
    arguments: [
      ("1d", "2026-11-28T12:34:56Z", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"),
      ("5m", "2026-11-28T12:34:56Z", "2026-11-28T12:30:00Z", "2026-11-28T12:35:00Z"),
      ("5m", "2026-11-28T12:35:00Z", "2026-11-28T12:35:00Z", "2026-11-28T12:40:00Z"),
      ("7d", "2026-11-28T12:34:56Z", "2026-11-26T00:00:00Z", "2026-12-03T00:00:00Z"),
      ("1d", "1969-12-31T12:00:00Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"),
    ])
  func multiples(_ period: String, _ now: String, _ slot: String, _ next: String) throws {
    let (period, now) = (try Period(period), try Self.moment(now))
    #expect(period.slot(at: now)?.description == slot)
    #expect(period.next(after: now)?.description == next)
  }

  @Test("Slots of a cron line are where a walk over every minute finds them", arguments: 0..<40 as Range<UInt64>)
  func everyMinute(_ seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let line = Self.line(&random)
    let period = try Period(line + " UTC")
    guard case .times = period else {
      Issue.record("\(line) was read as a duration")
      return
    }
    // Some days around the end of a February, of a year that has a 29th and of one that has not.
    for start in ["2028-02-28T00:00:00Z", "2100-02-27T00:00:00Z", "2026-12-30T00:00:00Z"] {
      let begin = try Self.moment(start).seconds / 60
      var found: [Int64] = []
      for minute in begin..<begin + 3 * 1440 where Oracle(line).matches(minute) { found.append(minute * 60) }
      var slots: [Int64] = []
      var moment = try #require(Timestamp(seconds: begin * 60 - 1, nanoseconds: 999_999_999))
      while let next = period.next(after: moment), next.seconds < (begin + 3 * 1440) * 60 {
        #expect(period.slot(at: next) == next, "\(line)")
        #expect(next > moment)
        slots.append(next.seconds)
        moment = next
      }
      #expect(slots == found, "\(line) from \(start)")
    }
  }

  @Test("A slot holds its moments up to the next one, and no other", arguments: 0..<40 as Range<UInt64>)
  func windows(_ seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let text =
      Bool.random(using: &random) ? Self.line(&random) + " UTC" : "\(Int.random(in: 1...20_000, using: &random))m"
    let period = try Period(text)
    let seconds = Int64.random(in: 0...4_000_000_000, using: &random)
    let now = try #require(Timestamp(seconds: seconds, nanoseconds: .random(in: 0...999_999_999, using: &random)))
    let slot = try #require(period.slot(at: now))
    let next = try #require(period.next(after: now))
    #expect(slot <= now && now < next, "\(text)")
    #expect(period.next(after: slot) == next, "\(text)")
    let last = try #require(next.earlier(by: .nanoseconds(1)))
    #expect(period.slot(at: last) == slot, "\(text)")
  }

  @Test("systemd's own calendar finds the same slots", arguments: 0..<25 as Range<UInt64>)
  func calendar(_ seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let text =
      seed % 3 == 0
      ? ["5m", "15m", "1h", "6h", "1d", "7d", "2h", "30m", "20m"][Int(seed / 3)] : Self.line(&random) + " UTC"
    let period = try Period(text)
    let base: Int64 = .random(in: 1_700_000_000...1_900_000_000, using: &random)
    let expected = period.next(6, after: try #require(Timestamp(seconds: base, nanoseconds: 0))).map(\.seconds)
    var found: Set<Int64> = []
    for expression in period.calendarExpressions {
      found.formUnion(try Judge.elapses(expression, after: base, count: 6))
    }
    #expect(found.sorted().prefix(6) == expected[...], "\(text): \(period.calendarExpressions)")
  }

  @Test(
    "Where systemd cannot write the slots, the timer elapses at each of them all the same",
    arguments: ["90m", "36h", "45m", "3d", "7m", "14d"])
  func among(_ text: String) throws {
    let period = try Period(text)
    let base: Int64 = 1_795_000_000
    let expression = try #require(period.calendarExpressions.first)
    let elapses = Set(try Judge.elapses(expression, after: base, count: 120))
    let slots = period.next(100, after: try #require(Timestamp(seconds: base, nanoseconds: 0))).map(\.seconds)
    let last = try #require(elapses.max())
    let inside = slots.filter { $0 <= last }
    try #require(!inside.isEmpty)
    #expect(elapses.isSuperset(of: inside))
  }

  @Test("Cron wakes at every minute of an hour at which a slot can begin", arguments: 0..<20 as Range<UInt64>)
  func wakes(_ seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let text =
      Bool.random(using: &random) ? Self.line(&random) + " UTC" : "\(Int.random(in: 1...5_000, using: &random))m"
    let period = try Period(text)
    let minutes = Set(period.minutesOfHour)
    for slot in period.next(50, after: try #require(Timestamp(seconds: 1_795_000_000, nanoseconds: 0))) {
      #expect(minutes.contains(Int(slot.seconds / 60 % 60)), "\(text)")
    }
  }

  /// A cron line that comes at some time.
  private static func line(_ random: inout SplitMix) -> String {
    func field(_ limits: ClosedRange<Int>, _ random: inout SplitMix) -> String {
      switch Int.random(in: 0...5, using: &random) {
      case 0, 1: return "*"
      case 2: return "*/\(Int.random(in: 1...limits.upperBound, using: &random))"
      case 3:
        let first = Int.random(in: limits, using: &random)
        return "\(first)-\(Int.random(in: first...limits.upperBound, using: &random))"
      case 4: return "\(Int.random(in: limits, using: &random)),\(Int.random(in: limits, using: &random))"
      default: return "\(Int.random(in: limits, using: &random))"
      }
    }
    // The 31st of February and its like never come.
    return [
      field(0...59, &random), field(0...23, &random), field(1...28, &random), field(1...12, &random),
      field(0...7, &random),
    ]
    .joined(separator: " ")
  }
}

/// A cron line, read and matched in another way: by Foundation's calendar, and text by text.
private struct Oracle {
  private let fields: [String]
  private static let calendar: Calendar = {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return calendar
  }()

  init(_ line: String) { fields = line.split(separator: " ").map(String.init) }

  func matches(_ minute: Int64) -> Bool {
    let date = Date(timeIntervalSince1970: Double(minute) * 60)
    let parts = Self.calendar.dateComponents([.minute, .hour, .day, .month, .weekday], from: date)
    guard let minute = parts.minute, let hour = parts.hour, let day = parts.day, let month = parts.month,
      let weekday = parts.weekday.map({ $0 - 1 })
    else { return false }
    guard admits(0, minute, 0, 59), admits(1, hour, 0, 23), admits(3, month, 1, 12) else { return false }
    let isDay = admits(2, day, 1, 31)
    let isWeekday = admits(4, weekday, 0, 7) || weekday == 0 && admits(4, 7, 0, 7)
    return fields[2].hasPrefix("*") || fields[4].hasPrefix("*") ? isDay && isWeekday : isDay || isWeekday
  }

  private func admits(_ index: Int, _ value: Int, _ low: Int, _ high: Int) -> Bool {
    fields[index].split(separator: ",").contains { item in
      let step = item.split(separator: "/").dropFirst().first.flatMap { Int($0) }
      let range = item.split(separator: "/")[0]
      let ends = range == "*" ? [low, high] : range.split(separator: "-").compactMap { Int($0) }
      let last = ends.count == 2 ? ends[1] : step == nil ? ends[0] : high
      return value >= ends[0] && value <= last && (value - ends[0]) % (step ?? 1) == 0
    }
  }
}
