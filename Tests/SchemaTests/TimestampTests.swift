import Testing

@testable import Schema

@Suite struct TimestampTests {
  @Test(
    "RFC 3339 is read with any zone and up to nine digits of a fraction",
    arguments: [
      ("1970-01-01T00:00:00Z", 0, 0), ("2026-01-31T08:00:00Z", 1_769_846_400, 0),
      ("2026-01-31T09:00:00+01:00", 1_769_846_400, 0), ("2026-01-31T02:30:00-05:30", 1_769_846_400, 0),
      ("2026-01-31T08:00:00.5Z", 1_769_846_400, 500_000_000),
      ("2026-01-31T08:00:00.123456789Z", 1_769_846_400, 123_456_789),
      ("1969-12-31T23:59:59.75Z", -1, 750_000_000), ("2024-02-29T00:00:00Z", 1_709_164_800, 0),
      ("0001-01-01T00:00:00Z", -62_135_596_800, 0), ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
    ])
  func valid(text: String, seconds: Int64, nanoseconds: Int32) throws {
    #expect(Timestamp(text) == Timestamp(seconds: seconds, nanoseconds: nanoseconds))
    #expect(Timestamp(text) != nil)
  }

  @Test(
    "What is no moment is refused",
    arguments: [
      "", "2026-01-31", "08:00:00Z", "2026-01-31T08:00:00", "2026-02-30T08:00:00Z", "2026-13-01T00:00:00Z",
      "2026-01-31T24:00:01Z", "2026-01-31T08:60:00Z", "2026-01-31T08:00:00.Z", "2026-01-31T08:00:00.1234567890Z",
      "2026-01-31 08:00", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2026-01-31T08:00:00Zx", "yesterday",
      "2023-02-29T00:00:00Z", "2026-01-31T08:00:00+25:00", "x2026-01-31T08:00:00Z", "2026-1-31T08:00:00Z",
    ])
  func invalid(text: String) { #expect(Timestamp(text) == nil) }

  @Test("A moment is written in UTC, with as many groups of three digits as it needs")
  func written() throws {
    let digits = [0, 500_000_000, 120_000, 1].map { Timestamp(seconds: 0, nanoseconds: $0)?.description }
    #expect(
      digits == [
        "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.500Z", "1970-01-01T00:00:00.000120Z",
        "1970-01-01T00:00:00.000000001Z",
      ])
  }

  @Test("Every moment from year 1 to 9999 reads back as it was written")
  func roundTrip() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<3000 {
      let moment = try #require(
        Timestamp(
          seconds: .random(in: Timestamp.secondsRange, using: &random),
          nanoseconds: .random(in: 0..<1_000_000_000, using: &random)))
      #expect(Timestamp(moment.description) == moment)
    }
  }

  @Test("The first and last day of every year follow on each other")
  func everyYear() throws {
    for year in 1..<9999 {
      let name = String(10_000 + year).dropFirst()
      let next = String(10_001 + year).dropFirst()
      let last = try #require(Timestamp("\(name)-12-31T23:59:59Z"))
      #expect(last.description == "\(name)-12-31T23:59:59Z")
      #expect(Timestamp(seconds: last.seconds + 1, nanoseconds: 0)?.description == "\(next)-01-01T00:00:00Z")
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      #expect((Timestamp("\(name)-02-29T12:00:00Z") != nil) == isLeap)
    }
  }

  @Test("Moments outside the range are no timestamps")
  func range() {
    #expect(Timestamp(seconds: Timestamp.secondsRange.lowerBound - 1, nanoseconds: 0) == nil)
    #expect(Timestamp(seconds: Timestamp.secondsRange.upperBound + 1, nanoseconds: 0) == nil)
    #expect(Timestamp(seconds: 0, nanoseconds: -1) == nil)
    #expect(Timestamp(seconds: 0, nanoseconds: 1_000_000_000) == nil)
  }

  @Test("Moments are ordered and subtracted to the nanosecond")
  func arithmetic() throws {
    let early = try #require(Timestamp(seconds: -1, nanoseconds: 999_999_999))
    let late = try #require(Timestamp(seconds: 1, nanoseconds: 1))
    #expect(early < late)
    #expect(late.duration(since: early) == .nanoseconds(1_000_000_002))
    #expect(early.duration(since: late) == .nanoseconds(-1_000_000_002))
  }
}
