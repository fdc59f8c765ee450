package import ArgumentParser

/// `runbook schedule`.
package struct ScheduleCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "schedule",
    abstract: "Have runbooks run when they are due.",
    discussion: """
      A runbook says by `period` how often it is due. `schedule` writes what cron or systemd needs to start it then, and \
      `runbook overdue` tells what was missed all the same.

        runbook schedule show
        runbook schedule install --as systemd
        runbook schedule install daily-health --as cron --target frankfurt
        runbook schedule remove
      """,
    subcommands: [ScheduleShowCommand.self, ScheduleInstallCommand.self, ScheduleRemoveCommand.self])

  package init() {}
}
