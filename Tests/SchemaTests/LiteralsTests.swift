import Testing

@testable import Schema

@Suite struct LiteralsTests {
  @Test(
    "Durations are written with the units that people use",
    arguments: [
      (.zero, "0s"), (.nanoseconds(7), "7ns"), (.microseconds(850), "850us"), (.microseconds(4200), "4.2ms"),
      (.milliseconds(1500), "1.5s"), (.seconds(90), "1m30s"), (.seconds(3600), "1h"), (.seconds(90_000), "25h"),
      (.seconds(3600) + .milliseconds(500), "1h0.5s"), (.milliseconds(-20), "-20ms"),
      (.seconds(-1) + .nanoseconds(1), "-999.999999ms"),
    ] as [(Duration, String)])
  func writtenDuration(duration: Duration, expected: String) {
    #expect(durationLiteral(duration) == expected)
    #expect(parseDuration(expected) == duration)
  }

  @Test(
    "Durations are read in every unit",
    arguments: [
      ("200ms", .milliseconds(200)), ("7d", .seconds(604_800)), ("1w", .seconds(604_800)), ("1h30m", .seconds(5400)),
      ("5µs", .microseconds(5)), ("-2.5s", .milliseconds(-2500)), ("0.000000001s", .nanoseconds(1)),
    ] as [(String, Duration)])
  func readDuration(text: String, expected: Duration) { #expect(parseDuration(text) == expected) }

  @Test(
    "What is no duration is refused",
    arguments: [
      "", "5", "s", "-", "5 s", "5S", "1.s", ".5s", "1.2.3s", "5min", "1e3s", "+5s", "0.1ns", "99999999999999999999s",
      "300000000000000h", "٣s", "5s-3s", "--5s", "1h 30m",
    ])
  func noDuration(text: String) { #expect(parseDuration(text) == nil) }

  @Test("Every duration to the nanosecond reads back as it was written")
  func durationRoundTrip() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<5000 {
      let shift = Int64.random(in: 1..<63, using: &random)
      let duration = Duration.nanoseconds(Int64(truncatingIfNeeded: random.next() as UInt64) >> shift)
      #expect(parseDuration(durationLiteral(duration)) == duration)
    }
  }

  @Test(
    "Sizes are read in binary and decimal units",
    arguments: [
      ("512B", 512), ("64MiB", 64 << 20), ("1.5GB", 1_500_000_000), ("1kB", 1000), ("2TiB", 2 << 40), ("0B", 0),
      ("0.5KiB", 512),
    ])
  func sizes(text: String, expected: Int64) { #expect(parseByteSize(text) == expected) }

  @Test(
    "What is no size is refused", arguments: ["", "64", "MiB", "64 MiB", "64mib", "0.3B", "-1B", "9999999TiB", "1PiB"])
  func noSize(text: String) { #expect(parseByteSize(text) == nil) }

  @Test(
    "Bandwidths are read in bits",
    arguments: [("800Mbps", 800_000_000), ("64kbps", 64_000), ("1.5Gbps", 1_500_000_000), ("1bps", 1)])
  func bandwidths(text: String, expected: Int64) { #expect(parseBandwidth(text) == expected) }

  @Test("What is no bandwidth is refused", arguments: ["", "800", "800Mb", "800MBps", "Mbps", "0.5bps"])
  func noBandwidth(text: String) { #expect(parseBandwidth(text) == nil) }

  @Test(
    "Percentages are the number before the sign", arguments: [("95%", 95), ("0.5%", 0.5), ("100%", 100), ("0%", 0)])
  func percentages(text: String, expected: Double) { #expect(parsePercent(text) == expected) }

  @Test("What is no percentage is refused", arguments: ["", "%", "95", "95 %", "-5%", "1e2%", "nan%", "5%%"])
  func noPercentage(text: String) { #expect(parsePercent(text) == nil) }

  @Test(
    "Sizes, bandwidths and percentages read back as they were written",
    arguments: [0, 1, 1000, 1023, 1024, 1536, 64 << 20, 1_000_000_000, 3 << 40, .max] as [Int64])
  func unitRoundTrip(number: Int64) {
    #expect(parseByteSize(byteSizeLiteral(number)) == number)
    #expect(parseBandwidth(bandwidthLiteral(number)) == number)
    #expect(parsePercent(percentLiteral(Double(number % 1000) / 8)) == Double(number % 1000) / 8)
  }

  @Test("The unit is the largest that leaves a whole number")
  func units() {
    #expect(
      [64 << 20, 1536, 1000, 512 << 10, 100_000_000].map(byteSizeLiteral) == [
        "64MiB", "1536B", "1000B", "512KiB", "100MB",
      ])
    #expect([800_000_000, 1500].map(bandwidthLiteral) == ["800Mbps", "1500bps"])
    #expect([95, 0.5].map(percentLiteral) == ["95%", "0.5%"])
  }

  @Test(
    "Base64 is read strictly",
    arguments: [("", []), ("AA==", [0]), ("/+8=", [255, 239]), ("AA", nil), ("A A=", nil), ("-_8=", nil)]
      as [(String, [UInt8]?)])
  func base64Text(text: String, expected: [UInt8]?) {
    #expect(parseBase64(text) == expected)
    if let expected { #expect(base64(expected) == text) }
  }
}
