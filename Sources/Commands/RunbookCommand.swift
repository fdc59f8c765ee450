package import ArgumentParser

/// The root of the command line.
package struct RunbookCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "runbook",
    abstract: "Executable, provable runbooks for those who operate STUN and TURN servers.",
    discussion: """
      A runbook is a YAML file of typed steps. `runbook run NAME` checks it whole, then runs it, records every step in a \
      journal that shows if it was changed, and reports what passed and what did not.

      Begin with a project of your own, and try it without a server:

        runbook init ops && cd ops
        runbook run daily-health --lab

      --debug, before or behind any command, says on standard error what is being done: names, places and outcomes, never values. \
      RUNBOOK_DEBUG=1 does the same.

      Exit codes: 0 passed, 1 a check failed, 2 nothing was run (usage, an invalid runbook, a missing secret), \
      3 the result is unknown, 4 nothing was done because another run holds the lock, 5 a person declined or nobody answered, 128+n ended by signal n.
      """,
    version: runbookVersion,
    groupedSubcommands: [
      CommandGroup(name: "Starting", subcommands: [InitCommand.self, DoctorCommand.self]),
      CommandGroup(
        name: "Running",
        subcommands: [
          RunCommand.self, ApproveCommand.self, ResumeCommand.self, ResolveCommand.self, CancelCommand.self,
          ProbeCommand.self, LabCommand.self,
        ]),
      CommandGroup(
        name: "Writing",
        subcommands: [
          ValidateCommand.self, ListCommand.self, ShowCommand.self, GraphCommand.self, ModulesCommand.self,
          SchemaCommand.self,
          EvalCommand.self,
        ]),
      CommandGroup(name: "Scheduling", subcommands: [ScheduleCommand.self]),
      CommandGroup(name: "Telling people", subcommands: [NotifyCommand.self]),
      CommandGroup(name: "Backing up", subcommands: [BackupCommand.self]),
      CommandGroup(name: "Knowing coturn", subcommands: [CoturnCommand.self]),
      CommandGroup(
        name: "Looking back",
        subcommands: [ReportCommand.self, HistoryCommand.self, OverdueCommand.self, PruneCommand.self]),
      CommandGroup(name: "Installing", subcommands: [ManualCommand.self]),
    ])

  package init() {}
}
