import Foundation
import Schema
import Testing

@testable import Reports

@Suite struct TimesTests {
  @Test(
    "Durations are shown in three digits or so",
    arguments: [
      (.zero, "0s"), (.nanoseconds(12), "12ns"), (.nanoseconds(1234), "1.23us"), (.microseconds(850), "850us"),
      (.nanoseconds(999_600), "1ms"), (.nanoseconds(4_217_338), "4.22ms"), (.milliseconds(999), "999ms"),
      (.microseconds(999_600), "1s"), (.milliseconds(3250), "3.25s"), (.seconds(59), "59s"),
      (.seconds(123), "2m03s"), (.seconds(3900), "1h05m"), (.seconds(273_600), "3d04h"), (.milliseconds(-20), "-20ms"),
    ] as [(Duration, String)])
  func durations(duration: Duration, expected: String) { #expect(shortDuration(duration) == expected) }

  @Test(
    "Moments are shown in UTC, and in local time where it differs",
    arguments: [
      (0, "2026-11-21 23:30:05 UTC"), (3600, "2026-11-21 23:30:05 UTC (2026-11-22 00:30:05 +01:00)"),
      (-12_600, "2026-11-21 23:30:05 UTC (20:00:05 -03:30)"),
    ])
  func moments(ahead: Int, expected: String) throws {
    let moment = try #require(Timestamp("2026-11-21T23:30:05.5Z"))
    #expect(momentText(moment, offset: { _ in ahead }) == expected)
  }

  @Test(
    "Numbers are shown as what they stand for",
    arguments: [
      (.int(80_550_051_840), .byteSize, "75GiB"), (.int(1535), .byteSize, "1.5KiB"), (.int(7), .byteSize, "7B"),
      (.int(.max), .byteSize, "8388608TiB"), (.int(1_250_000), .bandwidth, "1.25Mbps"),
      (.int(9), .bandwidth, "9bps"),
      (.double(41.23456), .percent, "41.235%"), (.double(0), .percent, "0%"), (.int(50), .any, "50"),
      (.double(0.00012), .any, "0.00012"), (.double(1e17), .any, "1e+17"), (.double(2.5), .double, "2.5"),
      (.string("4.217338ms"), .duration, "4.22ms"), (.string("90m"), .string, "\"90m\""),
      (.string("90m"), .any, "\"90m\""), (.string("90m"), .optional(.duration), "1h30m"),
      (.string("5 apples"), .any, "\"5 apples\""), (.null, .any, "nothing"),
      (.list([.int(1)]), .list(.int), "[1]"),
    ] as [(Value, ValueType, String)])
  func figures(value: Value, type: ValueType, expected: String) { #expect(shownValue(value, as: type) == expected) }

  @Test("Local time is the machine's")
  func machine() throws {
    let moment = try #require(Timestamp("2026-07-01T12:00:00Z"))
    let expected = TimeZone.current.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.seconds)))
    #expect(localOffset(at: moment) == expected)
  }
}
