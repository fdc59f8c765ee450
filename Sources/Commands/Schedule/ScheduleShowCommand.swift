package import ArgumentParser
import Language
import Reports
import Schedules
import Schema
import TerminalText

/// `runbook schedule show`.
package struct ScheduleShowCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show when runbooks are due next, in UTC and in the host's time, and what is installed.",
    discussion: """
      With --as the files are printed that `install` would write.

        runbook schedule show
        runbook schedule show daily-health --as systemd
      """)

  @Argument(
    help: "Names of runbooks; all that have a period, if none is given.", completion: ProjectCompletion.documents)
  var names: [String] = []

  @Option(help: ArgumentHelp("Print the files for cron or systemd.", valueName: "scheduler")) var `as`: Scheduler?
  @Option(help: ArgumentHelp("Where the files are, if not where the host looks for them.", valueName: "folder"))
  var folder: String?
  @Option(help: ArgumentHelp("How many of the next times are shown.", valueName: "number")) var next = 3
  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    guard (1...1000).contains(next) else { throw ValidationError("--next takes a number from 1 to 1000") }
  }

  private struct Row {
    let outline: Outline
    let period: Period
    let next: [Timestamp]
    let installed: [(scheduler: Scheduler, path: String, isCurrent: Bool)]
  }

  package func run() throws {
    var runbooks = try ScheduledRunbooks(options.load(), names)
    let now = ScheduledRunbooks.now
    if let scheduler = self.as {
      let leftOut = names.isEmpty ? try runbooks.leaveOutAttended(scheduler, options) : []
      for each in leftOut { Terminal.standardOutput.write("# \(each.name) is left out: \(each.reason)\n") }
      let zone = ScheduledRunbooks.zoneMinutes(at: now)
      for outline in runbooks.outlines {
        let command = try runbooks.command(outline, user: nil, [])
        for file in scheduler.files(of: command, called: runbooks.baseName(of: outline), zoneMinutes: zone) {
          Terminal.standardOutput.write("# \(folder ?? scheduler.folder)/\(file.name)\n\(file.text)\n")
        }
      }
      return
    }
    let rows = try runbooks.outlines.compactMap { outline -> Row? in
      guard let period = outline.period else { return nil }
      return Row(
        outline: outline, period: period, next: period.next(next, after: now),
        installed: try installed(outline, period, runbooks))
    }
    switch format {
    case .text: Terminal.standardOutput.write(text(rows))
    case .json: Terminal.standardOutput.write(json(rows, at: now).text(.indented) + "\n")
    }
  }

  /// A file is current if it names the period that the runbook has now.
  private func installed(
    _ outline: Outline, _ period: Period, _ runbooks: ScheduledRunbooks
  ) throws -> [(scheduler: Scheduler, path: String, isCurrent: Bool)] {
    let command = try runbooks.command(outline, user: nil, [])
    let zone = ScheduledRunbooks.zoneMinutes(at: ScheduledRunbooks.now)
    return try Scheduler.allCases.compactMap { scheduler in
      let files = scheduler.files(of: command, called: runbooks.baseName(of: outline), zoneMinutes: zone)
      guard let file = files.last, let path = Optional("\(folder ?? scheduler.folder)/\(file.name)"),
        let text = try ScheduleFile.text(path), text.hasPrefix(command.mark + "\n")
      else { return nil }
      return (scheduler, path, Self.times(text) == Self.times(file.text))
    }
  }

  /// The lines that say when, without what is started.
  private static func times(_ text: String) -> [String] {
    text.split(separator: "\n").filter {
      $0.hasPrefix("OnCalendar=") || $0.hasPrefix("# Due:") || $0.contains(" * * * *  ")
    }
    .map { $0.split(separator: "  ").first.map(String.init) ?? "" }
  }

  private func text(_ rows: [Row]) -> String {
    guard !rows.isEmpty else { return "no runbook has a period\n" }
    return rows.map { row in
      let times = row.next.map { "  \(momentText($0, offset: localOffset(at:)))\n" }.joined()
      let installed =
        row.installed.isEmpty
        ? "  not installed\n"
        : row.installed.map {
          "  \($0.scheduler) by \(terminalSafe($0.path))\($0.isCurrent ? "" : ", which says other times: install it again")\n"
        }.joined()
      return "\(row.outline.name)  due \(row.period.text), next\n\(times)\(installed)"
    }.joined(separator: "\n")
  }

  private func json(_ rows: [Row], at now: Timestamp) -> JSON {
    [
      "schema": "runbook.schedule/1", "now": .string(now.description),
      "utcOffset": .int(Int64(localOffset(at: now))),
      "runbooks": .array(
        rows.map { row in
          [
            "runbook": .string(row.outline.name), "period": .string(row.period.text),
            "next": .array(row.next.map { .string($0.description) }),
            "installed": .array(
              row.installed.map {
                [
                  "as": .string($0.scheduler.rawValue), "path": .string($0.path), "current": .bool($0.isCurrent),
                ]
              }),
          ]
        }),
    ]
  }
}
