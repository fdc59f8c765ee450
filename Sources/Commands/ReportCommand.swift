package import ArgumentParser
import Glibc
import Journal
import Ledger
import Reports

/// `runbook report`.
package struct ReportCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Show the report of a past run, from its journal alone.",
    discussion: """
      The journal's chain is verified first, then its outcome against its steps, and the files and runs that it names; what \
      was changed is refused, with the line. The folder of a run needs no project: a copy on another host will do.

      The formats are those of `runbook run`. With --format nagios the exit code tells how the run ended (0 OK, 1 WARNING, \
      2 CRITICAL, 3 UNKNOWN); else it is 0 if there is a report.

        runbook report last
        runbook report 42 --report junit=run.xml
        runbook report /mnt/backup/runs/01M7YMP589GRQ6KKWRT1E7M3DQ
      """)

  @Argument(
    help: ArgumentHelp(
      "The run's number, its id or a unique beginning of that, last, or the folder of a run.", valueName: "run"),
    completion: ProjectCompletion.runs)
  var reference: String = "last"

  @OptionGroup var reports: ReportOptions
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() throws {
    if !reports.report.isEmpty, let project = options.projectIfReadable { try reports.keepOff(project) }
    do {
      let folder = try RunFolder(named: reference) ?? options.load().ledger.run(reference)
      let recorded = try RecordedRun.read(folder)
      let report = RunReport(looking: recorded)
      if reports.format != nil || reports.report.isEmpty {
        Terminal.standardOutput.write(report.rendered(as: reports.shown, Style(terminal: .standardOutput)))
      }
      let status: ExitStatus = reports.shown == .nagios ? reports.status(of: report) : .passed
      try reports.write(report, status: status)
      guard status.code == 0 else { throw CommandFailure(status) }
    } catch let error as JournalError {
      throw CommandFailure(error)
    } catch LedgerError.unreadable(let error) {
      throw CommandFailure(error)
    } catch let error as LedgerError {
      throw CommandFailure(.invalid, error.message, advice: error.advice)
    }
  }
}

extension RunFolder {
  /// The folder that a path means, or the journal in it; nil for a word that is none.
  ///
  /// - Throws: `CommandFailure` if a path leads to no run.
  fileprivate init?(named reference: String) throws {
    var path = reference
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    if path.hasSuffix("/journal.jsonl") { path.removeLast("/journal.jsonl".count) }
    if path == "journal.jsonl" { path = "." }
    guard access("\(path)/journal.jsonl", F_OK) != 0 else {
      self.init(path)
      return
    }
    guard reference.contains("/") || reference.hasPrefix(".") else { return nil }
    throw CommandFailure(
      .invalid, "there is no run in \(reference): \(path)/journal.jsonl: \(String(cString: strerror(errno)))",
      advice: "name the folder that holds journal.jsonl, or a run by its id")
  }
}
