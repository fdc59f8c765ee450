import CEL
import Foundation
import Testing

@Suite("Times and time zones") struct TimeZoneTests {
  /// Hours, minutes and date of a time in a zone, as the expression language has them.
  static let program = try? {
    var environment = CELEnvironment()
    environment.declare(variable: "t", type: .timestamp)
    environment.declare(variable: "zone", type: .string)
    return try environment.compile(
      "[t.getFullYear(zone), t.getMonth(zone), t.getDate(zone), t.getHours(zone), t.getMinutes(zone), t.getSeconds(zone), t.getDayOfWeek(zone), t.getDayOfYear(zone)]"
    )
  }()

  @Test(
    "local times are those of the system's time zones, between the recorded changes and after them",
    arguments: [
      "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns",
      "Africa/Casablanca",
      "Europe/Dublin", "America/Sao_Paulo", "Asia/Tehran", "Pacific/Chatham", "Etc/GMT+5", "UTC", "Antarctica/Troll",
    ])
  func localTimes(zone: String) throws {
    let program = try #require(Self.program)
    let timeZone = try #require(TimeZone(identifier: zone))
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = timeZone
    // Every 37 days and some hours from 1971 to 2099.
    for seconds in stride(from: Int64(31_536_000), to: 4_070_908_800, by: 37 * 86_400 + 12_345) {
      let time = try #require(CELTimestamp(seconds: seconds))
      let value = try program.evaluate(NamedActivation(["t": .timestamp(time), "zone": .string(zone)]))
      let date = Date(timeIntervalSince1970: Double(seconds))
      let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second, .weekday], from: date)
      let dayOfYear = try #require(calendar.ordinality(of: .day, in: .year, for: date))
      let expected = [
        parts.year ?? 0, (parts.month ?? 0) - 1, parts.day ?? 0, parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0,
        (parts.weekday ?? 0) - 1, dayOfYear - 1,
      ].map { CELValue.int(Int64($0)) }
      #expect(value == .list(expected), "\(zone) at \(seconds)")
    }
  }

  @Test(
    "a zone that is none, or a path out of the folder, is refused",
    arguments: [
      "Nowhere/Land", "../../../etc/passwd", "", "/etc/passwd", "Europe", "+25:00", "+1:00", "+01:60", "Europe/../UTC",
    ])
  func refusedZones(zone: String) throws {
    let program = try #require(Self.program)
    let time = try #require(CELTimestamp(seconds: 0))
    #expect(throws: EvaluationError.self) {
      try program.evaluate(NamedActivation(["t": .timestamp(time), "zone": .string(zone)]))
    }
  }

  @Test(
    "texts of times and durations are read and written back",
    arguments: [
      ("timestamp('2024-02-29T23:59:59.5+01:30')", "2024-02-29T22:29:59.5Z"),
      ("timestamp('0001-01-01T00:00:00Z')", "0001-01-01T00:00:00Z"),
      ("timestamp('1969-12-31T23:59:59.999999999Z')", "1969-12-31T23:59:59.999999999Z"),
      ("timestamp(-1)", "1969-12-31T23:59:59Z"),
      ("duration('1h30m')", "5400s"), ("duration('-1.5s')", "-1.5s"), ("duration('1.000000001s')", "1.000000001s"),
      ("duration('0')", "0s"), ("duration('1µs')", "0.000001s"), ("duration('2h45m10.25s')", "9910.25s"),
      ("duration('.5m')", "30s"),
    ])
  func texts(source: String, text: String) throws {
    #expect(try CELEnvironment().compile("string(\(source))").evaluate() == .string(text))
  }

  @Test(
    "texts that are no times or durations are refused",
    arguments: [
      "timestamp('2023-02-29T00:00:00Z')", "timestamp('2024-13-01T00:00:00Z')", "timestamp('2024-01-01T24:00:00Z')",
      "timestamp('2024-01-01 00:00:00Z')", "timestamp('2024-01-01T00:00:00')", "timestamp('2024-01-01T00:00:00.Z')",
      "timestamp('')", "duration('')", "duration('1')", "duration('s')", "duration('1d')", "duration('1h-1m')",
      "duration('9223372037s')", "duration('1.s.')", "duration('-')", "duration('e1s')",
    ])
  func refusedTexts(source: String) {
    #expect(problems(source).first?.code == .invalidConstant)
  }

  @Test("the ends of the ranges hold")
  func ranges() throws {
    let environment = CELEnvironment()
    #expect(try environment.compile("duration('-9223372036s') < duration('9223372036s')").evaluate() == .bool(true))
    for source in [
      "timestamp('9999-12-31T23:59:59Z') - duration('-1s')", "duration('9223372036s') + duration('1s')",
      "duration('-9223372036s') - duration('1s')", "timestamp('0001-01-01T00:00:00Z') - duration('1ns')",
    ] {
      #expect(try evaluationError(source)?.code == .overflow, "\(source)")
    }
  }

  @Test("decimals of a duration are exact")
  func decimals() throws {
    var environment = CELEnvironment()
    environment.declare(variable: "text", type: .string)
    let program = try environment.compile("duration(text)")
    for number in 0..<1000 {
      let digits = String(number + 1000).dropFirst()
      for (unit, nanoseconds) in [("ms", 1000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000)] {
        let value = try program.evaluate(NamedActivation(["text": .string("1.\(digits)\(unit)")]))
        #expect(value == .duration(CELDuration(nanoseconds: Int64((1000 + number) * nanoseconds))))
      }
    }
  }
}
