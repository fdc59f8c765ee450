package import ArgumentParser
import Language
import Modules
import Schema
import Steps

/// `runbook validate`.
package struct ValidateCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Find every problem of the project's files, in one pass.",
    discussion: """
      Exit code 0 if there are none (warnings do not count, unless --strict), and 2 if there are. With --format sarif code \
      hosts and editors show the problems where they are: SARIF 2.1.0, with the rule that each belongs to, and the name to \
      write in place of a mistyped one.

        runbook validate
        runbook validate daily-health
        runbook validate --strict runbooks/daily-health.yaml checks/
        runbook validate --format sarif > runbook.sarif
      """)

  @Argument(
    help: "Files, folders, or names of runbooks and checks; the whole project, if none is given.",
    completion: .file(extensions: ["yaml"]))
  var paths: [String] = []

  @Flag(help: "Let warnings count as problems.") var strict = false
  package enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
    case text
    case json
    case sarif
  }

  @Option(help: "text, json or sarif.") var format: Format = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() throws {
    let root = try options.root
    let issues = Project.validate(
      at: root, in: options.surroundings, paths.isEmpty ? nil : paths, catalog: .standard)
    switch format {
    case .json: Terminal.standardOutput.write(JSON.array(issues.map(\.json)).text(.indented) + "\n")
    case .sarif:
      let log = SARIFLog(root: root, workingFolder: options.surroundings.workingFolder, issues: issues)
      Terminal.standardOutput.write(log.json.text(.indented) + "\n")
    case .text:
      Diagnostics(root: root).show(issues)
      if paths.isEmpty, !issues.contains(where: { $0.severity == .error }) { noteMissingTarget(try options.load()) }
      if issues.isEmpty {
        Terminal.standardOutput.write(
          "\(paths.isEmpty ? summary(of: try options.load()) : paths.joined(separator: ", ")): no problems\n")
      }
    }
    guard issues.contains(where: { strict || $0.severity == .error }) else { return }
    throw CommandFailure(.invalid)
  }

  /// Tells which runbooks cannot be run yet. No warning: where runbooks are written there may be no server.
  private func noteMissingTarget(_ project: Project) {
    guard project.targetNames.isEmpty else { return }
    let names = project.runbookNames.filter { project.document($0, catalog: .standard).usesTarget() == true }
    guard !names.isEmpty else { return }
    Terminal.standardError.write(
      "note: the project names no target, and without one nobody can run \(names.joined(separator: ", ")); see: runbook doctor\n"
    )
  }

  private func summary(of project: Project) -> String {
    func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
    let sets = project.backupNames.count
    return "\(count(project.runbookNames.count, "runbook")), \(count(project.checkNames.count, "check"))"
      + (sets == 0 ? "" : ", \(count(sets, "backup set"))")
  }
}
