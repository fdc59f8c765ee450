import Journal
import Schema
import Testing

@testable import Reports

@Suite struct NagiosReportTests {
  @Test("One line: state, what ran, the first thing that did not pass, numbers")
  func line() {
    let line = RunReport.failing.nagios()
    #expect(
      line.hasPrefix(
        "CRITICAL - daily-health on lab: 1 of 6 steps failed, 2 with a warning, 1 skipped; turn/relay: expected: "
          + "output.loss <= inputs.maxLoss, actual: output.loss = 12%, inputs.maxLoss = 1%, finished "
          + "2026-11-21 08:00:03 UTC|'time'=4.871s;;;0 'stun/binding.rtt.p95'=0.000850123s "), "\(line)")
    #expect(line.contains(" 'turn/relay.loss'=12% 'turn/relay.rtt.p95'=0.004217338s "), "\(line)")
    #expect(line.contains(" 'disk.available'=80550051840B"), "\(line)")
  }

  @Test(
    "The state is that of the worst that was found; what is not known is UNKNOWN, and never OK",
    arguments: [
      ("passing", "OK"), ("failing", "CRITICAL"), ("signalled", "UNKNOWN"), ("died", "UNKNOWN"),
      ("timedOut", "UNKNOWN"), ("nothingRan", "UNKNOWN"), ("diagnostic", "OK"), ("fleet", "CRITICAL"),
      ("hostile", "UNKNOWN"),
    ])
  func states(name: String, word: String) throws {
    let report = try #require(RunReport.samples.first { $0.name == name }).report
    #expect(report.nagios().hasPrefix("\(word) - "), "\(report.nagios())")
    #expect(PluginState(report.verdict).word == word)
  }

  @Test("A warning is WARNING, and CRITICAL where the run is strict")
  func strict() {
    var journal = SampleJournal()
    journal.realm()
    journal.end(.warn)
    #expect(RunReport(journal.run).nagios().hasPrefix("WARNING - "))
    #expect(RunReport(journal.run).nagios(isStrict: true).hasPrefix("CRITICAL - "))
  }

  @Test("One line of at most 4 KiB, its data in the plugin's form, whatever the run holds")
  func form() throws {
    for (name, report) in RunReport.samples {
      let line = report.nagios()
      #expect(line.utf8.count <= 4096, "\(name)")
      #expect(line.hasSuffix("\n") && line.dropLast().unicodeScalars.allSatisfy { $0.value >= 32 }, "\(name)")
      let parts = line.dropLast().split(separator: "|", maxSplits: 2)
      #expect(parts.count <= 2, "\(name): \(line)")
      #expect(!parts[0].contains("<script") && !parts[0].unicodeScalars.contains("\u{202E}"), "\(name)")
      guard parts.count == 2 else { continue }
      let data = parts[1].replacing(/'[^'=|]+'=-?[0-9]+(\.[0-9]+)?(s|%|B)?(;;;0)?( |$)/, with: "")
      #expect(data == "", "\(name): \(data)")
    }
    #expect(RunReport.long.nagios().utf8.count > 3900)
  }

  @Test("Of several targets the first that failed is named, and numbers carry their target")
  func targets() {
    let line = RunReport.fleet.nagios()
    #expect(
      line.hasPrefix("CRITICAL - daily-health: 1 of 3 targets failed, 1 with a warning, 1 skipped; eu-1 turn/relay: "))
    #expect(line.contains(" 'eu-1:turn/relay.loss'=12%"))
  }

  @Test("Numbers are written without exponents")
  func numbers() {
    for (number, text) in [
      (0.00001, "0.00001"), (1.5e-7, "0.00000015"), (1e16, "10000000000000000"), (1.25e17, "125000000000000000"),
      (-2.5e-6, "-0.0000025"), (0, "0"), (41.23456, "41.23456"), (3, "3"),
    ] { #expect(plainDecimal(number) == text) }
    for (time, text) in [
      (Duration.nanoseconds(1), "0.000000001"), (.milliseconds(1532), "1.532"), (.seconds(3), "3"), (.zero, "0"),
      (.milliseconds(-20), "-0.02"),
    ] { #expect(decimalSeconds(time) == text) }
  }
}
