package import ArgumentParser
import FoundationEssentials
import Journal
import Language
import Ledger
import Reports
import Schema
import Steps
import TerminalText

/// `runbook prune`.
package struct PruneCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Remove past runs that are no longer needed; without --yes, list them only.",
    discussion: """
      What the command line leaves open is taken from `retention` in runbook.yaml. A run goes only if every rule lets it go. \
      A run that is still being written to is kept; children go with their parent. Run numbers are never used again.

        runbook prune --older-than 90d
        runbook prune --keep 1000 --keep-failed --yes
      """)

  @Option(help: ArgumentHelp("Only runs that ended longer ago than this.", valueName: "duration"))
  var olderThan: String?

  @Option(help: ArgumentHelp("Keep the newest so many runs of each runbook.", valueName: "number"))
  var keep: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Keep every run that failed, ended in an error, or died.")
  var keepFailed: Bool?

  @Flag(help: "Remove them.") var yes = false
  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    if let keep, keep < 1 { throw ValidationError("--keep must be at least 1; found \(keep)") }
    guard let olderThan else { return }
    guard let age = parseDuration(olderThan), age > .zero else {
      throw ValidationError("--older-than takes a duration with its unit, such as 90d; found \"\(olderThan)\"")
    }
  }

  package func run() throws {
    let project = try options.load()
    let retention = try retention(of: project)
    let state = project.state
    do throws(JournalError) {
      let list = try state.prunable(by: retention, at: now)
      var removed: [PruneList.Group] = []
      if yes {
        do throws(JournalError) { try state.prune(list.groups) { removed.append($0) } } catch {
          show(list, removed)
          throw error
        }
      }
      show(list, removed)
    } catch {
      throw CommandFailure(.error, error.message, advice: error.advice, isAfterOutput: true)
    }
  }

  /// The command line before `runbook.yaml`.
  private func retention(of project: Project) throws(CommandFailure) -> Retention {
    let rules = project.retention ?? RetentionRules()
    let retention = Retention(
      olderThan: olderThan.flatMap { parseDuration($0) } ?? rules.olderThan, keep: keep ?? rules.keep,
      keepFailed: keepFailed ?? rules.keepFailed)
    guard retention.olderThan != nil || retention.keep != nil else {
      throw CommandFailure(
        .invalid, "it is not said which runs may go",
        advice: "give --older-than or --keep, or write `retention: {olderThan: 90d}` into runbook.yaml")
    }
    return retention
  }

  private var now: Timestamp {
    Timestamp(seconds: Int64(Date().timeIntervalSince1970), nanoseconds: 0) ?? .unixEpoch
  }

  private func show(_ list: PruneList, _ removed: [PruneList.Group]) {
    switch format {
    case .text: Terminal.standardOutput.write(text(list, removed))
    case .json: Terminal.standardOutput.write(json(list, removed).text(.indented) + "\n")
    }
  }

  private func text(_ list: PruneList, _ removed: [PruneList.Group]) -> String {
    let listed = yes ? list.groups.filter(removed.contains) : list.groups
    var text = ""
    if !listed.isEmpty {
      let rows = listed.map { group in
        [
          group.run.outcome?.rawValue ?? "died", momentText(group.run.startedAt, offset: localOffset(at:)),
          "\(group.run.number)", shownValue(.int(group.size), as: .byteSize), terminalSafe(group.run.runbook),
          group.run.id + (group.folders.count > 1 ? " and \(group.folders.count - 1) children" : ""),
        ]
      }
      text += columns([["outcome", "started", "no.", "size", "runbook", "run"]] + rows) + "\n"
    }
    let runs = listed.reduce(0) { $0 + $1.folders.count }
    let amount = "\(runs) \(runs == 1 ? "run" : "runs")"
    let size = shownValue(.int(listed.reduce(0) { $0 + $1.size }), as: .byteSize)
    if runs == 0 {
      text += "no run \(yes ? "was" : "would be") removed\n"
    } else {
      text += yes ? "\(amount) removed, \(size)\n" : "\(amount) would be removed, \(size); --yes removes them\n"
    }
    if yes, listed.count < list.groups.count {
      let kept = list.groups.count - listed.count
      text += "\(kept) that were listed are kept: they are being written to again, or could not be removed\n"
    }
    if !list.unreadable.isEmpty {
      text += "\(list.unreadable.count) cannot be read and are kept: runbook history says why\n"
    }
    return text
  }

  private func json(_ list: PruneList, _ removed: [PruneList.Group]) -> JSON {
    [
      "schema": "runbook.prune/1",
      "runs": .array(
        list.groups.map { group in
          [
            "run": .string(group.run.id), "number": .int(group.run.number), "runbook": .string(group.run.runbook),
            "outcome": group.run.outcome.map { .string($0.rawValue) } ?? .null,
            "startedAt": .string(group.run.startedAt.description), "bytes": .int(group.size),
            "children": .array(group.folders.dropFirst().map { .string($0.id) }),
            "removed": .bool(removed.contains(group)),
          ]
        }),
      "unreadable": .array(list.unreadable.map { .string($0.folder.id) }),
    ]
  }
}
