import ArgumentParser
import Language
import Reports

extension ReportFormat: ExpressibleByArgument {}

/// Which reports of a run are made, and where they go.
struct ReportOptions: ParsableArguments {
  @Option(help: "The report on standard output.") var format: ReportFormat?

  @Option(
    help: ArgumentHelp(
      "One more report, into a file, or with - to standard output in place of the text; may be repeated.",
      discussion: "A file is there whole or not at all. The formats are those of --format.",
      valueName: "format=file"), completion: .list(ReportFormat.allCases.map { "\($0)=" }))
  var report: [ReportFile] = []

  init() {}

  mutating func validate() throws {
    let toOutput = report.filter(\.isStandardOutput)
    guard toOutput.count + (format == nil ? 0 : 1) <= 1 else {
      throw ValidationError("standard output takes one report: give --format, or one --report with -")
    }
    format = format ?? toOutput.first?.format
    report.removeAll(where: \.isStandardOutput)
    var paths: Set<String> = []
    for file in report {
      if let reason = file.destination.refusal {
        throw ValidationError("the report cannot be written to \(file.path): \(reason)")
      }
      guard paths.insert(file.destination.path).inserted else {
        throw ValidationError("two reports would go to \(file.path): the second would replace the first")
      }
    }
  }

  /// Throws if a report would take the place of what the project is made of, or of its runs.
  func keepOff(_ project: Project) throws(CommandFailure) {
    for file in report {
      guard let subject = project.role(ofFile: file.destination.path) else { continue }
      throw CommandFailure(
        .invalid, "the report cannot be written to \(file.path): \(subject)", advice: "name a file of its own for it")
    }
  }

  /// That of standard output.
  var shown: ReportFormat { format ?? .text }

  /// What the exit code says of a run that came to its end.
  func status(of report: RunReport, isStrict: Bool = false) -> ExitStatus {
    if shown == .nagios { return .plugin(PluginState(report.verdict, isStrict: isStrict)) }
    if report.wasLockedOut { return .locked }
    return ExitStatus(report.outcome, signal: report.signal, isDeclined: report.isDeclined, isStrict: isStrict)
  }

  /// Writes every report to its file; what cannot be written does not keep the others from it.
  ///
  /// - Throws: `CommandFailure` that names what is lost. Its status is the run's, or, if that is 0, an error.
  func write(_ made: RunReport, isStrict: Bool = false, status: ExitStatus) throws {
    var lost: [String] = []
    for file in report {
      let text = made.rendered(as: file.format, .plain, isStrict: isStrict)
      if let reason = file.destination.write(Array(text.utf8)) {
        lost.append("the \(file.format) report cannot be written to \(file.path): \(reason)")
      }
    }
    guard !lost.isEmpty else { return }
    throw CommandFailure(
      status.code == 0 ? .error : status, lost.joined(separator: "\n"),
      advice: "the run is recorded; to write the report again: runbook report \(made.run) --report FORMAT=FILE",
      isAfterOutput: true)
  }
}

/// `FORMAT=FILE`: one more report, and where it goes.
struct ReportFile: ExpressibleByArgument, Hashable, Sendable {
  let format: ReportFormat
  /// As it was given.
  let path: String

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), let format = ReportFormat(rawValue: String(argument[..<equals]))
    else { return nil }
    path = String(argument[argument.index(after: equals)...])
    guard !path.isEmpty else { return nil }
    self.format = format
  }

  var isStandardOutput: Bool { path == "-" }
  var destination: ReportDestination { ReportDestination(path) }
}
