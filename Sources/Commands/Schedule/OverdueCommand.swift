package import ArgumentParser
import Journal
import Language
import Ledger
import Modules
import Reports
import Schedules
import Schema
import TerminalText

/// `runbook overdue`.
package struct OverdueCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "overdue",
    abstract: "Tell which runbooks have not run when they were due, from their journals.",
    discussion: """
      A runbook is due as its `period` says. Each time it was due, a run began in time, was caught up later, or it was missed: \
      because no run began, because the run died, or because it was skipped while another run held its lock. The run on which \
      "in time" rests is verified whole: one whose journal was changed proves nothing.

      Exit codes: 0 all are in time, 1 at least one is overdue, 2 usage, 3 it is not known (a journal or a runbook cannot \
      be read, or the journal that counts was changed).

        runbook overdue
        runbook overdue daily-health --since 30d
        runbook overdue --format json
      """)

  @Argument(
    help: "Names of runbooks; all that have a period, if none is given.", completion: ProjectCompletion.documents)
  var names: [String] = []

  @Option(help: ArgumentHelp("Look so far back.", valueName: "duration")) var since = "7d"
  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    guard let age = parseDuration(since), age > .zero else {
      throw ValidationError("--since takes a duration with its unit, such as 30d; found \"\(since)\"")
    }
  }

  /// One runbook, and what became of its slots.
  struct Row {
    let runbook: String
    let period: Period
    /// The newest first; empty if it has never run.
    let accounts: [SlotAccount]
    let hasRun: Bool
    let next: Timestamp?

    /// The slot that has been missed last, if no run came after it.
    var overdueSince: Timestamp? {
      guard hasRun else { return nil }
      let behind = accounts.drop { $0.state == .due }.prefix { $0.state.isMissed }
      return behind.last?.slot
    }

    var isOverdue: Bool { !hasRun || overdueSince != nil }

    /// The run that would count if its journal had not been changed; nil if what counts is known.
    var unproven: RunOfSlot? {
      guard case .missed(.unproven(let run))? = accounts.first(where: { $0.state != .due })?.state else { return nil }
      return run
    }
  }

  package func run() throws {
    let project = try options.load()
    let runbooks = try ScheduledRunbooks(project, names, keepsBroken: true)
    let now = ScheduledRunbooks.now
    let age = parseDuration(since) ?? .seconds(604_800)
    let (runs, unreadable): ([String: [RunOfRunbook]], Int)
    do throws(JournalError) { (runs, unreadable) = try project.ledger.runsByRunbook() } catch {
      throw CommandFailure(error)
    }
    let rows = try runbooks.outlines.compactMap { outline -> Row? in
      guard let period = outline.period else { return nil }
      let targets = try Self.scheduledTargets(of: outline, runbooks)
      return Self.row(outline.name, period, (runs[outline.name] ?? []).slotRuns(for: targets), age, at: now) {
        project.ledger.verifies(run: $0.id)
      }
    }
    let broken = runbooks.broken
    switch format {
    case .text:
      let unknown = broken.map { "unknown  \($0)  the runbook cannot be read\n" }
      let lines = unknown + rows.map(\.text)
      Terminal.standardOutput.write(lines.isEmpty ? "no runbook has a period\n" : lines.joined())
    case .json: Terminal.standardOutput.write(Self.json(rows, broken, unreadable, at: now).text(.indented) + "\n")
    }
    guard broken.isEmpty else {
      throw CommandFailure(
        .error, "whether \(broken.joined(separator: ", ")) is overdue is not known: the runbook cannot be read",
        advice: "runbook validate says why", isAfterOutput: true)
    }
    let unproven = rows.compactMap { row in row.unproven.map { (row.runbook, $0.id) } }
    guard unproven.isEmpty else {
      throw CommandFailure(
        .error,
        unproven.map { "whether \($0.0) is overdue is not known: the journal of its run \($0.1) does not verify" }
          .joined(separator: "\n"),
        advice: unproven.map { "runbook report \($0.1)" }.joined(separator: ", ") + " says what is wrong",
        isAfterOutput: true)
    }
    guard rows.contains(where: \.isOverdue) else { return }
    guard unreadable == 0 else {
      throw CommandFailure(
        .error,
        "\(unreadable) \(unreadable == 1 ? "journal" : "journals") cannot be read: what looks missed may have run",
        advice: "runbook history says why", isAfterOutput: true)
    }
    throw CommandFailure(.failed)
  }

  /// The targets that the host's cron or systemd starts the runbook for; nil if it does not matter.
  private static func scheduledTargets(of outline: Outline, _ runbooks: ScheduledRunbooks) throws -> Set<String>? {
    let mark = ScheduledCommand.mark(of: outline.name, in: runbooks.project.root)
    for scheduler in Scheduler.allCases {
      guard let name = scheduler.fileNames(runbooks.baseName(of: outline)).last,
        let text = try ScheduleFile.text("\(scheduler.folder)/\(name)"), text.hasPrefix(mark + "\n")
      else { continue }
      let selections = ScheduledCommand.targets(inFile: text)
      // Without the secrets of the target nobody can run it; what was run is told all the same.
      guard let targets = try? runbooks.project.targetNames(selectedBy: selections) else { continue }
      return targets
    }
    return nil
  }

  private static func row(
    _ name: String, _ period: Period, _ runs: [RunOfSlot], _ age: Duration, at now: Timestamp,
    isProven: (RunOfSlot) -> Bool
  ) -> Row {
    let runs = runs.begun(by: now)
    // The present slot and the one before are told of, however long they are.
    let before = period.slot(at: now)?.earlier(by: .seconds(1)).flatMap { period.slot(at: $0) } ?? now
    let start = min(now.earlier(by: age) ?? .unixEpoch, before)
    // Nobody missed it before it was first run.
    let first = runs.map(\.startedAt).min().flatMap { period.slot(at: $0) }
    return Row(
      runbook: name, period: period,
      accounts: first.map { period.account(of: runs, since: max(start, $0), at: now, isProven: isProven) } ?? [],
      hasRun: first != nil, next: period.next(after: now))
  }
}

extension OverdueCommand.Row {
  /// How many slots are listed one by one.
  private static let listed = 20

  fileprivate var text: String {
    let zone = localOffset(at:)
    let state =
      if let unproven {
        "unknown  \(runbook)  due \(period.text); the journal of its run \(unproven.id) does not verify: runbook report \(unproven.id)"
      } else if !hasRun { "OVERDUE  \(runbook)  due \(period.text); it has never run" } else if let overdueSince {
        "OVERDUE  \(runbook)  due \(period.text); missed since \(momentText(overdueSince, offset: zone))"
      } else {
        "in time  \(runbook)  due \(period.text)\(next.map { "; next \(momentText($0, offset: zone))" } ?? "")"
      }
    let notable = accounts.compactMap { account in account.note.map { (account.slot, $0) } }
    var lines = notable.prefix(Self.listed).map { "  \(momentText($0.0, offset: zone))  \($0.1)\n" }
    if notable.count > Self.listed { lines.append("  and \(notable.count - Self.listed) more\n") }
    return state + "\n" + lines.joined()
  }

  fileprivate var json: JSON {
    [
      "runbook": .string(runbook), "period": .string(period.text),
      "overdue": unproven == nil ? .bool(isOverdue) : .null,
      "overdueSince": (unproven == nil ? overdueSince : nil).map { .string($0.description) } ?? .null,
      "next": next.map { .string($0.description) } ?? .null, "slots": .array(accounts.map(\.json)),
    ]
  }
}

extension OverdueCommand {
  private static func json(_ rows: [Row], _ broken: [String], _ unreadable: Int, at now: Timestamp) -> JSON {
    let unknown: [JSON] = broken.map { name in
      [
        "runbook": .string(name), "period": .null, "overdue": .null, "overdueSince": .null, "next": .null,
        "slots": .array([]),
      ]
    }
    return [
      "schema": "runbook.overdue/1", "now": .string(now.description), "unreadable": .int(Int64(unreadable)),
      "runbooks": .array(unknown + rows.map(\.json)),
    ]
  }
}

extension SlotAccount {
  /// What people are told of the slot; nil if it ran, or is not late.
  fileprivate var note: String? {
    switch state {
    case .ran, .due: nil
    case .caughtUp(let run, let late): "caught up \(shortDuration(late)) late by \(run.id)"
    case .missed(.noRun): "missed: no run began"
    case .missed(.lockedOut(let run)): "missed: \(run.id) was skipped, another run held its lock"
    case .missed(.lockUnusable(let run)): "missed: \(run.id) did nothing, its locks could not be used"
    case .missed(.cancelled(let run)): "missed: \(run.id) died and was cancelled"
    case .missed(.died(let run)): "missed: \(run.id) died"
    case .missed(.unproven(let run)): "not known: the journal of \(run.id) does not verify"
    }
  }

  fileprivate var json: JSON {
    let (name, run, late, reason): (String, RunOfSlot?, Duration?, String?) =
      switch state {
      case .ran(let run): ("ran", run, nil, nil)
      case .caughtUp(let run, let late): ("caughtUp", run, late, nil)
      case .due: ("due", nil, nil, nil)
      case .missed(.noRun): ("missed", nil, nil, "noRun")
      case .missed(.lockedOut(let run)): ("missed", run, nil, "locked")
      case .missed(.lockUnusable(let run)): ("missed", run, nil, "lockUnusable")
      case .missed(.cancelled(let run)): ("missed", run, nil, "cancelled")
      case .missed(.died(let run)): ("missed", run, nil, "died")
      case .missed(.unproven(let run)): ("missed", run, nil, "unverified")
      }
    return [
      "slot": .string(slot.description), "state": .string(name), "reason": reason.map { .string($0) } ?? .null,
      "run": run.map { .string($0.id) } ?? .null,
      "startedAt": run.map { .string($0.startedAt.description) } ?? .null,
      "lateMs": late.map { .int(Int64($0 / .milliseconds(1))) } ?? .null,
    ]
  }
}
