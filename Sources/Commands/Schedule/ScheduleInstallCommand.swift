package import ArgumentParser
import Files
import Glibc
import Language
import Modules
import Processes
import Runs
import Schedules
import Schema

/// `runbook schedule install`.
package struct ScheduleInstallCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Write what cron or systemd needs to start runbooks when they are due.",
    discussion: """
      For cron one file of /etc/cron.d for each runbook; for systemd a service and a timer, which are enabled at once. Both \
      start the runbook with --if-due: it runs once for each time it is due, and catches up what the host slept through.

      Without names, runbooks are left out that ask a person, that cannot run as they are (a parameter has no value, no target \
      is known), or whose secrets are not there where nobody is logged in: those of .env, of files and of systemd's credentials \
      are. What is left out is told, with what to do. -p is for one runbook; --target is for all that use a target.

      Secrets that come from a credential are handed over by systemd from /etc/credstore.

        runbook schedule install --as systemd
        runbook schedule install weekly-cert-expiry --as cron --target all
        runbook schedule install daily-health --as systemd -p packets=100 --user ops
      """)

  @Argument(
    help: "Names of runbooks; all that have a period, if none is given.", completion: ProjectCompletion.documents)
  var names: [String] = []

  @Option(help: ArgumentHelp("cron or systemd.", valueName: "scheduler")) var `as`: Scheduler
  @Option(help: ArgumentHelp("Who runs them; the owner of the project's folder, if not given.", valueName: "user"))
  var user: String?
  @Option(help: ArgumentHelp("Write the files there, and enable nothing.", valueName: "folder"), completion: .directory)
  var folder: String?
  @Option(
    name: [.customShort("p"), .customLong("param")],
    help: ArgumentHelp("The value of a parameter; may be repeated. Only with one runbook.", valueName: "key=value"))
  var parameters: [GivenParameter] = []
  @Option(
    help: ArgumentHelp("A target's name, LABEL=VALUE, or all; may be repeated.", valueName: "target"),
    completion: ProjectCompletion.targets)
  var target: [String] = []
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    try GivenParameter.refuseRepetition(in: parameters)
    if names.count != 1, !parameters.isEmpty {
      let given = parameters.map { " -p \(shellWord("\($0.name)=\($0.value)"))" }.joined()
      throw ValidationError(
        "-p is for one runbook at a time: runbook schedule install \(names.first ?? "NAME") --as \(self.as.rawValue)\(given)"
      )
    }
    if let user, getpwnam(user) == nil { throw ValidationError("there is no user \"\(user)\"") }
  }

  package func run() async throws {
    try refuseVariables()
    var runbooks = try ScheduledRunbooks(options.load(), names, keepsBroken: names.isEmpty)
    if names.count != 1 { try refuseUnknownTargets(of: runbooks.project) }
    guard !runbooks.outlines.isEmpty || !runbooks.broken.isEmpty else {
      throw CommandFailure(
        .invalid, "no runbook has a period", advice: "say in a runbook when it is due, such as period: 1d")
    }
    if names.isEmpty {
      for each in try runbooks.leaveOutAttended(self.as, options, for: target) {
        Terminal.standardError.write(each.text)
      }
      guard !runbooks.outlines.isEmpty else {
        throw CommandFailure(
          .invalid, "no runbook that has a period can run with nobody there",
          advice: "mend what is said above, or name those that are to be started all the same")
      }
    }
    let zone = ScheduledRunbooks.zoneMinutes(at: ScheduledRunbooks.now)
    // All of them are known to be right before the first is written.
    let planned = try runbooks.outlines.map { outline in
      // What is left of all has been planned.
      if !names.isEmpty { try plan(outline, in: runbooks.project) }
      let more =
        parameters.flatMap { ["-p", "\($0.name)=\($0.value)"] } + targets(for: outline).flatMap { ["--target", $0] }
        + (options.envFile.map { ["--env-file", $0] } ?? [])
      let command = try runbooks.command(outline, user: user, more)
      let base = runbooks.baseName(of: outline)
      try refuseOther(base, command)
      return (base: base, mark: command.mark, files: self.as.files(of: command, called: base, zoneMinutes: zone))
    }
    for outline in runbooks.outlines where targets(for: outline) != target {
      Terminal.standardError.write("note: \(outline.name) uses no target, and is installed without --target\n")
    }
    let place = folder ?? self.as.folder
    for file in planned.flatMap(\.files) {
      do throws(FileError) {
        try File.writeWhole(Array(file.text.utf8), to: "\(place)/\(file.name)", Permissions(0o644, owner: .ofProcess))
      } catch {
        throw CommandFailure(schedule: error)
      }
      Terminal.standardOutput.write("wrote \(place)/\(file.name)\n")
    }
    guard self.as == .systemd, folder == nil else { return }
    try await SystemdManager.run([["daemon-reload"]] + planned.map { ["enable", "--now", $0.base + ".timer"] })
  }

  /// What the installer's environment says, cron and systemd do not know: the runs would be recorded elsewhere.
  private func refuseVariables() throws(CommandFailure) {
    if environmentVariable("RUNBOOK_STATE").map({ !$0.isEmpty }) ?? false {
      throw CommandFailure(
        .invalid, "RUNBOOK_STATE is set, and would not be where cron or systemd starts the runbook",
        advice: "put state: into runbook.yaml, and unset RUNBOOK_STATE")
    }
    if environmentVariable("RUNBOOK_LOCKS").map({ !$0.isEmpty }) ?? false {
      throw CommandFailure(
        .invalid, "RUNBOOK_LOCKS is set, and would not be where cron or systemd starts the runbook",
        advice: "unset it: they take their locks in \(LockFolder.machine.path)")
    }
  }

  /// The targets that a runbook is started for. One that is named alone is refused where it uses none, as by `run`.
  private func targets(for outline: Outline) -> [String] { outline.usesTarget || names.count == 1 ? target : [] }

  /// Refuses targets that there are not, whatever is installed for them. Their secrets may be missing here.
  private func refuseUnknownTargets(of project: Project) throws {
    do throws(Issues) { _ = try project.targetNames(selectedBy: target) } catch {
      let issues = error.all.filter { $0.code != "missing-secret" }
      guard issues.contains(where: { $0.severity == .error }) else { return }
      throw Diagnostics(root: project.root).failure(issues)
    }
  }

  /// Refuses parameters and targets that `run` would refuse. Secrets may be missing here: who runs it later has them.
  private func plan(_ outline: Outline, in project: Project) throws {
    let given = GivenParameters(texts: parameters.map { ($0.name, $0.value) })
    let request = RunRequest(outline.name, given: given, targets: targets(for: outline), asker: .command)
    let document = project.document(outline.name, catalog: .standard)
    do throws(Issues) { _ = try RunPlanning(project, targets: nil).plans(request, of: document) } catch {
      let issues = error.all.filter { $0.code != "missing-secret" }
      guard issues.contains(where: { $0.severity == .error }) else { return }
      throw Diagnostics(root: project.root).failure(issues)
    }
  }

  /// Refuses to replace what was not made for this runbook, and to have two schedulers start it.
  private func refuseOther(_ base: String, _ command: ScheduledCommand) throws(CommandFailure) {
    for name in self.as.fileNames(base) {
      let path = "\(folder ?? self.as.folder)/\(name)"
      guard let text = try ScheduleFile.text(path), !text.hasPrefix(command.mark + "\n") else { continue }
      throw CommandFailure(
        .invalid, "\(path) is there, and was not made for the runbook \(command.runbook) of \(command.project)",
        advice: "remove it by hand, or give the project another name in runbook.yaml")
    }
    guard folder == nil else { return }
    for other in Scheduler.allCases where other != self.as {
      guard let name = other.fileNames(base).last, let text = try ScheduleFile.text("\(other.folder)/\(name)"),
        text.hasPrefix(command.mark + "\n")
      else { continue }
      throw CommandFailure(
        .invalid, "\(command.runbook) is started by \(other) already: \(other.folder)/\(name)",
        advice: "runbook schedule remove \(command.runbook)")
    }
  }
}

/// systemctl, where systemd is what starts the host.
enum SystemdManager {
  /// - Throws: `CommandFailure` if one of them fails. Without systemd it says what to type instead.
  static func run(_ commands: [[String]]) async throws(CommandFailure) {
    guard access("/run/systemd/system", F_OK) == 0 else {
      let lines = commands.map { "  systemctl \($0.joined(separator: " "))\n" }.joined()
      Terminal.standardError.write("note: systemd does not run here; where it does, type\n\(lines)")
      return
    }
    for arguments in commands {
      var command = Command("systemctl", arguments)
      command.timeout = .seconds(60)
      let result: ProcessResult
      do throws(ProcessError) { result = try await command.run() } catch {
        throw CommandFailure(.error, error.message, advice: "run systemctl \(arguments.joined(separator: " ")) by hand")
      }
      guard result.ending == .exited(0) else {
        throw CommandFailure(
          .error, "systemctl \(arguments.joined(separator: " ")) failed: \(result.standardError.text)",
          advice: "the files are written; run it by hand as root")
      }
    }
  }
}
