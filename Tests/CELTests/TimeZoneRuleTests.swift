import Testing

@testable import CEL

/// The rules that no common zone's file ends with.
@Suite("Rules of time zones") struct TimeZoneRuleTests {
  @Test(
    "days counted with and without the leap day, in both hemispheres",
    arguments: [
      // Day 60 without the leap day is the first of March, also in 2024.
      ("AAA0BBB,J60/0,J300/0", 2024, 2, 29, 0), ("AAA0BBB,J60/0,J300/0", 2024, 3, 1, 3600),
      ("AAA0BBB,J60/0,J300/0", 2023, 3, 1, 3600),
      // Day 59 from zero with the leap day is the 29th of February in 2024.
      ("AAA0BBB,59/0,300/0", 2024, 2, 29, 3600), ("AAA0BBB,59/0,300/0", 2023, 2, 28, 0),
      ("AAA0BBB,59/0,300/0", 2023, 3, 1, 3600),
      ("<+10>-10<+11>-11,M10.1.0,M4.1.0/3", 2024, 1, 15, 39_600),
      ("<+10>-10<+11>-11,M10.1.0,M4.1.0/3", 2024, 7, 15, 36_000),
      ("<-03>3", 2024, 7, 15, -10_800), ("AAA+1:30:15", 2024, 1, 1, -5415),
      ("IST-1GMT0,M10.5.0,M3.5.0/1", 2024, 7, 15, 3600),
      ("IST-1GMT0,M10.5.0,M3.5.0/1", 2024, 1, 15, 0),
    ])
  func offsets(text: String, year: Int, month: Int, day: Int, offset: Int) throws {
    let rule = try #require(TimeZoneRule(text))
    let noon = Int64(CivilTime.daysSinceEpoch(year: year, month: month, day: day)) * 86_400 + 43_200
    #expect(rule.offset(at: noon) == offset)
  }

  @Test(
    "a text that is no rule is refused",
    arguments: [
      "", "AAA", "0", "AAA0BBB,", "AAA0BBB,M13.1.0,M1.1.0", "AAA0BBB,M1.6.0,M1.1.0", "AAA0BBB,J0,J1", "AAA0BBB,366,1",
      "AAA0BBB,M1.1.0",
      "AAA0BBB,M1.1.0,M2.1.0,", "<AAA0", "AAA0BBB,M1.1.0/,M2.1.0", "AAA:",
    ])
  func refused(text: String) {
    #expect(TimeZoneRule(text) == nil)
  }

  @Test("octets that are no time zone file are refused, wherever they end")
  func files() throws {
    let bytes = try #require(FileBytes.read("/usr/share/zoneinfo/Europe/Berlin", limit: 1 << 18))
    #expect(TimeZoneFile(bytes) != nil)
    for count in 0..<bytes.count { _ = TimeZoneFile(Array(bytes.prefix(count))) }
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<2000 {
      var changed = bytes
      for _ in 0..<4 {
        changed[Int.random(in: changed.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      _ = TimeZoneFile(changed)?.offset(at: Int64.random(in: -62_135_596_800...253_402_300_799, using: &generator))
    }
    #expect(TimeZoneFile([]) == nil && FileBytes.read("/usr/share/zoneinfo", limit: 10) == nil)
  }
}
