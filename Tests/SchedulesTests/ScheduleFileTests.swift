import Foundation
import TestSupport
import Testing

@testable import Schedules

@Suite struct ScheduleFileTests {
  private func command(
    _ arguments: [String] = ["/bin/true", "run"], period: String = "30 6 * * 1 UTC", mayChange: Bool = false,
    project: String = "/srv/ops", writes: [String] = ["/srv/ops/.runbook", "/run/lock/runbook"]
  ) throws -> ScheduledCommand {
    ScheduledCommand(
      runbook: "daily-health", project: project, period: try Period(period), arguments: arguments, user: "root",
      credentials: [.init(name: "token", path: "/etc/credstore/token")], mayChange: mayChange,
      writes: writes)
  }

  private static let awkward = [
    "plain", "two words", "100%", "%", "%%", "it's", "a'%'b", "$HOME", "`id`", "back\\slash", "\"quoted\"", "", "-p",
    "a;b", "ümlaut",
    "used=99%", "\\%", "*", "~", "#no", "{x}", "$$", "${X}",
  ]

  @Test("Cron wakes the command at the minutes of the host's clock at which a slot can begin")
  func minutes() throws {
    let line = try #require(CronFile(command(), zoneMinutes: [0]).text.split(separator: "\n").last)
    #expect(line == "30 * * * *  root  /bin/true run")
    #expect(CronFile(try command(), zoneMinutes: [60, 120]).minutes == [30])
    #expect(CronFile(try command(), zoneMinutes: [330]).minutes == [0])
    // Lord Howe Island's summer is half an hour.
    #expect(CronFile(try command(), zoneMinutes: [630, 660]).minutes == [0, 30])
    #expect(CronFile(try command(), zoneMinutes: [-210]).minutes == [0])
    #expect(CronFile(try command(period: "5m"), zoneMinutes: [345]).minutes.count == 12)
    #expect(CronFile(try command(period: "1m"), zoneMinutes: [0]).text.contains("\n* * * * *  root"))
  }

  @Test("An argument reaches the command as it is, through cron and the shell")
  func cronQuoting() throws {
    let arguments = ["printf", "%s\\0"] + Self.awkward
    let text = CronFile(try command(arguments), zoneMinutes: [0]).text
    let line = try #require(text.split(separator: "\n").last)
    let entry = try #require(line.range(of: "  root  ")).upperBound
    // cron(8) ends the command at a bare % and takes the backslash from before one.
    var shell = ""
    var isEscaped = false
    for character in line[entry...] {
      if character == "%" {
        try #require(isEscaped, "a bare % in \(line)")
        shell.removeLast()
      }
      shell.append(character)
      isEscaped = character == "\\"
    }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", shell]
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let words = String(decoding: output, as: UTF8.self).split(separator: "\0", omittingEmptySubsequences: false)
      .dropLast()
    #expect(words.map(String.init) == Self.awkward)
  }

  @Test("systemd finds nothing wrong with the units", arguments: [true, false])
  func verified(_ mayChange: Bool) throws {
    let folder = try TemporaryFolder()
    let units = SystemdUnits(
      try command(["/bin/true"] + Self.awkward, mayChange: mayChange, project: "/srv/100% ours"))
    let base = folder.path + "/runbook-daily-health"
    try units.service.write(toFile: base + ".service", atomically: true, encoding: .utf8)
    try units.timer.write(toFile: base + ".timer", atomically: true, encoding: .utf8)
    let said = try Judge.verify([base + ".timer", base + ".service"])
      .split(separator: "\n").filter { $0.contains("runbook-daily-health") }
    #expect(said == [])
    #expect(units.timer.contains("\nPersistent=true\n"))
    #expect(units.timer.contains("\nOnCalendar=Mon *-*-* 06:30:00 UTC\n"))
    #expect(units.service.contains("\nLoadCredential=token:/etc/credstore/token\n"))
    #expect(units.service.contains("ProtectSystem=strict") == !mayChange)
  }

  @Test("Every % in a unit is doubled, and every $ of a command")
  func percent() throws {
    let units = SystemdUnits(try command(["/bin/true"] + Self.awkward, project: "/srv/100%"))
    for text in [units.service, units.timer] {
      for line in text.split(separator: "\n") where !line.hasPrefix("#") {
        #expect(!line.replacing("%%", with: "").contains("%"), "\(line)")
      }
    }
    let start = try #require(units.service.split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
    #expect(!start.replacing("$$", with: "").contains("$"))
    let service = SystemdUnits(try command(writes: ["/srv/$ops 100%"])).service
    #expect(service.contains("\nReadWritePaths=-\"/srv/$ops 100%%\"\n"))
  }

  @Test("The files name the targets that the runbook is started for")
  func targets() throws {
    let started = try command(["/bin/true", "run", "--target", "frankfurt", "--target", "region=eu"])
    for text in [CronFile(started, zoneMinutes: [0]).text, SystemdUnits(started).timer] {
      #expect(text.hasPrefix(started.mark + "\n"))
      #expect(ScheduledCommand.targets(inFile: text) == ["frankfurt", "region=eu"])
    }
    #expect(try ScheduledCommand.targets(inFile: SystemdUnits(command()).timer) == [])
  }

  @Test("What no file of a scheduler can hold is refused", arguments: ["a\nb", "a\u{0}b", "a\u{1B}b", "a\rb"])
  func control(_ text: String) throws {
    #expect(try command().objection == nil)
    #expect(try command(["/bin/true", text]).objection != nil)
    #expect(try command(project: "/srv/\(text)").objection != nil)
  }
}
