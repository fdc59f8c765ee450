package import ArgumentParser
import Journal
import Ledger
import Reports

/// `runbook report`.
package struct ReportCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Show the report of a past run, from its journal alone.",
    discussion: "The journal's chain is verified first; a journal that was changed is refused, with the line.")

  @Argument(
    help: ArgumentHelp("The run's id, a unique beginning of it, or last.", valueName: "run"),
    completion: ProjectCompletion.runs)
  var reference: String = "last"

  @Option(help: "text or json.") var format: ReportFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() throws {
    do {
      let recorded = try RecordedRun.read(try options.load().ledger.run(reference))
      Terminal.standardOutput.write(text(of: Report(recorded), format, style: Style(terminal: .standardOutput)))
    } catch let error as JournalError {
      throw CommandFailure(error)
    } catch LedgerError.unreadable(let error) {
      throw CommandFailure(error)
    } catch let error as LedgerError {
      throw CommandFailure(.invalid, error.message, advice: error.advice)
    }
  }
}
