package import ArgumentParser
import FoundationEssentials
import Schema

/// `runbook manual`: the page that `man runbook` shows, for those who install it.
package struct ManualCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "The manual page, made from the declarations of the commands.",
    shouldDisplay: false)

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
