package import ArgumentParser
import Files
import Language

/// `runbook schedule remove`.
package struct ScheduleRemoveCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove what `install` wrote, for cron and for systemd.",
    discussion: """
      Files that were not made for the runbook and this project are left alone. Past runs are kept.

        runbook schedule remove
        runbook schedule remove daily-health
      """)

  @Argument(
    help: "Names of runbooks; all of the project, those that have no period any more too, if none is given.",
    completion: ProjectCompletion.documents)
  var names: [String] = []

  @Option(help: ArgumentHelp("Only what is for cron, or for systemd.", valueName: "scheduler")) var `as`: Scheduler?
  @Option(help: ArgumentHelp("Where the files are, if not where the host looks for them.", valueName: "folder"))
  var folder: String?
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() async throws {
    let project = try options.load()
    var removed = 0
    for scheduler in Scheduler.allCases where self.as ?? scheduler == scheduler {
      let place = folder ?? scheduler.folder
      let found: [String]
      do throws(FileError) { found = try Folder.names(in: place) } catch {
        if error.isMissing { continue }
        throw CommandFailure(schedule: error)
      }
      let own = found.sorted().filter { name in
        guard name.hasPrefix("runbook-"), let text = try? ScheduleFile.text("\(place)/\(name)"),
          let mark = text.split(separator: "\n").first
        else { return false }
        return mark.hasPrefix("# Made by runbook schedule install: ") && mark.hasSuffix(" of \(project.root)")
          && (names.isEmpty || names.contains { mark.contains("install: \($0) of ") })
      }
      let timers = own.filter { $0.hasSuffix(".timer") }
      if scheduler == .systemd, folder == nil, !timers.isEmpty {
        try await SystemdManager.run(timers.map { ["disable", "--now", $0] })
      }
      for name in own {
        do throws(FileError) { try Folder(place).remove(name) } catch { throw CommandFailure(schedule: error) }
        Terminal.standardOutput.write("removed \(place)/\(name)\n")
        removed += 1
      }
      if scheduler == .systemd, folder == nil, !timers.isEmpty { try await SystemdManager.run([["daemon-reload"]]) }
    }
    if removed == 0 { Terminal.standardOutput.write("nothing is installed\n") }
  }
}
