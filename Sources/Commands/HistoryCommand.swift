package import ArgumentParser
import FoundationEssentials
import Journal
import Language
import Ledger
import Reports
import Schema
import Steps
import TerminalText

/// `runbook history`.
package struct HistoryCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "List past runs, or what one figure was in each.",
    discussion: """
        runbook history daily-health --since 30d
        runbook history daily-health --figure now/turn/relay.rtt.p95
      """)

  @Argument(help: "Only runs of this runbook.", completion: ProjectCompletion.documents)
  var name: String?

  @Option(help: ArgumentHelp("Only runs of this long ago or less.", valueName: "duration")) var since: String?

  @Option(help: ArgumentHelp("The figure to follow: a step's path, a full stop, a field.", valueName: "step.field"))
  var figure: String?

  @Option(help: ArgumentHelp("How many at most.", valueName: "number")) var limit = 50
  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    guard figure == nil || name != nil else { throw ValidationError("--figure needs the runbook's name") }
    guard limit > 0 else { throw ValidationError("--limit must be positive") }
    guard let since else { return }
    guard let age = parseDuration(since), age > .zero else {
      throw ValidationError("--since takes a duration with its unit, such as 30d; found \"\(since)\"")
    }
  }

  package func run() throws {
    let project = try options.load()
    let ledger = project.ledger
    if let name { try refuseUnknown(name, in: project, ledger) }
    var problems: [JournalError] = []
    do {
      if let figure, let name {
        let readings: [FigureReading]
        (readings, problems) = try ledger.figure(figure, of: name, since: earliest, limit: limit)
        if problems.isEmpty, !readings.isEmpty, readings.allSatisfy({ $0.value == nil }) {
          throw unknown(figure, among: try ledger.figures(of: name, since: earliest, limit: limit))
        }
        show(readings)
      } else {
        let entries = try ledger.entries(of: name, since: earliest, limit: limit)
        show(entries)
        problems = entries.compactMap(\.problem)
      }
    } catch let error as JournalError {
      throw CommandFailure(error)
    }
    guard let first = problems.first else { return }
    let others = problems.count > 1 ? "\nand \(problems.count - 1) more" : ""
    throw CommandFailure(.error, first.message + others, advice: first.advice, isAfterOutput: true)
  }

  /// A figure that no run has is a mistyped one.
  private func unknown(_ figure: String, among figures: [String]) -> CommandFailure {
    let near = nearName(to: figure, among: figures).map { "did you mean \($0)?" }
    let known =
      figures.isEmpty
      ? "report --format json shows what steps put out"
      : "there are \(figures.prefix(Self.shownFigures).joined(separator: ", "))"
        + (figures.count > Self.shownFigures ? ", and \(figures.count - Self.shownFigures) more" : "")
    return CommandFailure(
      .invalid, "no run of \(name ?? "") has the figure \"\(figure)\"", advice: near ?? known)
  }

  private static let shownFigures = 12

  /// A name that neither a file nor a past run has is a mistyped one.
  private func refuseUnknown(_ name: String, in project: Project, _ ledger: Ledger) throws {
    let names = project.documentNames
    guard !names.contains(name), try ledger.runs(of: name, since: nil, limit: 1).isEmpty else { return }
    throw CommandFailure(
      .invalid, "there is no runbook \"\(name)\", and no run of one",
      advice: nearName(to: name, among: names).map { "did you mean \($0)?" } ?? "runbook list tells what there is")
  }

  private var earliest: Timestamp? {
    guard let age = since.flatMap({ parseDuration($0) }) else { return nil }
    let now = Int64(Date().timeIntervalSince1970)
    return Timestamp(seconds: now - age.components.seconds, nanoseconds: 0)
  }

  private func show(_ entries: [LedgerEntry]) {
    switch format {
    case .json: Terminal.standardOutput.write(JSON.array(entries.map(\.json)).text(.indented) + "\n")
    case .text:
      guard !entries.isEmpty else {
        Terminal.standardOutput.write("no runs yet\n")
        return
      }
      let rows = entries.map(\.row)
      Terminal.standardOutput.write(
        columns(
          [["no.", "outcome", "started", "took", "runbook"]] + rows, width: Terminal.standardOutput.pageWidth))
    }
  }

  private func show(_ readings: [FigureReading]) {
    switch format {
    case .json:
      let objects = readings.map { reading -> JSON in
        [
          "run": .string(reading.run.id), "startedAt": .string(reading.run.startedAt.description),
          "target": reading.run.target.map(JSON.string) ?? .null, "value": reading.value?.json ?? .null,
          "unit": reading.type.unit.map(JSON.string) ?? .null,
          "damaged": reading.problem.map { .string($0.message) } ?? .null,
        ]
      }
      Terminal.standardOutput.write(JSON.array(objects).text(.indented) + "\n")
    case .text:
      let rows = readings.map { reading in
        [
          "\(reading.run.number)", listedMomentText(reading.run.startedAt, offset: localOffset(at:)),
          terminalSafe(reading.run.target ?? ""),
          reading.value.map { terminalSafe(shownValue($0, as: reading.type)) }
            ?? (reading.problem == nil ? "not known" : "not known: the run was changed"),
        ]
      }
      Terminal.standardOutput.write(
        columns([["no.", "started", "target", "value"]] + rows, width: Terminal.standardOutput.pageWidth))
    }
  }
}

extension LedgerEntry {
  fileprivate var row: [String] {
    switch content {
    case .run(let run, let goesOn):
      let running = processes.filter { !$0.runningNumbers.isEmpty }.map { "\($0.program) (pid \($0.pid))" }
      let left = running.isEmpty ? "" : ", left running: \(running.joined(separator: ", "))"
      return row(run, run.outcome?.rawValue ?? (goesOn ? "running" : "died"), left)
    case .changed(let run, _): return row(run, "changed")
    case .damaged(let error): return ["", "damaged", "", "", "\(folder.id): \(terminalSafe(error.message))"]
    case .refused(let error): return ["", "no access", "", "", "\(folder.id): \(terminalSafe(error.message))"]
    }
  }

  /// What the run had at work if it died; none of one that cannot be read.
  private var processes: [RunReport.Process] {
    guard case .run(let run, goesOn: false) = content, run.outcome == nil else { return [] }
    return folder.leftProcesses
  }

  private func row(_ run: RunSummary, _ outcome: String, _ left: String = "") -> [String] {
    let took = run.took.map { shortDuration($0) } ?? ""
    let part = run.only.isEmpty ? "" : " (only \(run.only.joined(separator: ", ")))"
    // One that was kept in memory has no number, and is called by its id.
    let id = run.number > 0 ? "" : ", run \(run.id)"
    let name = run.runbook + part + (run.target.map { " @\($0)" } ?? "") + id + left
    return [
      run.number > 0 ? "\(run.number)" : "", outcome, listedMomentText(run.startedAt, offset: localOffset(at:)), took,
      terminalSafe(name),
    ]
  }

  fileprivate var json: JSON {
    switch content {
    case .run(let run, let goesOn): json(run, outcome: run.outcome, goesOn: goesOn, damaged: nil)
    case .changed(let run, let error): json(run, outcome: nil, goesOn: false, damaged: error)
    case .damaged(let error): ["run": .string(folder.id), "damaged": .string(error.message)]
    case .refused(let error): ["run": .string(folder.id), "damaged": .null, "noAccess": .string(error.message)]
    }
  }

  private func json(_ run: RunSummary, outcome: Outcome?, goesOn: Bool, damaged: JournalError?) -> JSON {
    [
      "run": .string(run.id), "number": .int(run.number), "runbook": .string(run.runbook),
      "target": run.target.map(JSON.string) ?? .null, "parent": run.parent.map(JSON.string) ?? .null,
      "only": .array(run.only.map(JSON.string)), "outcome": outcome.map { .string($0.rawValue) } ?? .null,
      "running": .bool(goesOn), "startedAt": .string(run.startedAt.description),
      "finishedAt": run.finishedAt.map { .string($0.description) } ?? .null,
      "damaged": damaged.map { .string($0.message) } ?? .null, "processes": .array(processes.map(\.json)),
    ]
  }
}

extension ValueType {
  /// What a plain number of the type stands for: `bytesize`, `bandwidth` or `percent`; nil for other types.
  fileprivate var unit: String? {
    switch self {
    case .byteSize, .bandwidth, .percent: description
    case .optional(let wrapped): wrapped.unit
    default: nil
    }
  }
}
