package import ArgumentParser
import FoundationEssentials
import Schema

/// `runbook manual`: the page that `man runbook` shows, for those who install it.
package struct ManualCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Print the manual page, in the form that man reads.",
    discussion: """
      What `man runbook` shows where runbook is installed. Elsewhere:

        runbook manual | man -l -
      """)

  package init() {}

  package func run() throws {
    // Repeatable builds: reproducible-builds.org/specs/source-date-epoch.
    let epoch = environmentVariable("SOURCE_DATE_EPOCH").flatMap { Int64($0) }
    let made = Timestamp(seconds: epoch ?? Int64(Date().timeIntervalSince1970), nanoseconds: 0) ?? .unixEpoch
    let declarations = try JSON(parsing: RunbookCommand._dumpHelp())
    let common = try JSON(parsing: ProjectOptions._dumpHelp())
    let page = ManualPage(
      declarations: declarations, commonOptions: common, date: String(made.description.prefix(10)),
      version: runbookVersion)
    Terminal.standardOutput.write(page.text)
  }
}
