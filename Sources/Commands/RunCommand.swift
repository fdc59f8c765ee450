package import ArgumentParser
import FoundationEssentials
import Journal
import Lab
import Language
import Ledger
import Modules
import Reports
import Runs
import Schedules
import Schema
import Steps

/// `runbook run`.
package struct RunCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a runbook and report what passed.",
    discussion: """
      The runbook is checked whole before anything runs: a missing secret, a mistyped name or a wrong parameter ends with \
      exit code 2 and nothing done. The report begins with what did not pass and what to look at next.

      Reports for others: json for programs, junit for CI servers, tap for test harnesses, markdown for issues and chats, \
      html for browsers, prometheus for the textfile collector of node_exporter, and nagios, one line for Nagios and \
      Icinga. With --format nagios the exit code is a plugin's: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.

        runbook run daily-health --lab
        runbook run daily-health -p packets=100 --target frankfurt
        runbook run checks/turn-relay --target region=eu --format json
        runbook run daily-health --report junit=health.xml --report markdown=health.md
        runbook run daily-health --quiet --report prometheus=/var/lib/prometheus/node-exporter/health.prom
        runbook run daily-health --quiet --format nagios
        runbook run daily-health --quiet --if-due
        runbook run restart --target region=eu --rolling 1 --max-failures 0

      A runbook with `confirm` asks before anything runs; --yes answers that, and no question of a step: those wait for \
      the person at the terminal, or for `runbook approve`.

        runbook run restart --yes
      """)

  @Argument(
    help: "The runbook's name in runbooks/, or checks/NAME.", completion: ProjectCompletion.documents)
  var name: String

  @Option(
    name: [.customShort("p"), .customLong("param")],
    help: ArgumentHelp("The value of a parameter; may be repeated.", valueName: "key=value"))
  var parameters: [GivenParameter] = []

  @Option(help: ArgumentHelp("A YAML or JSON file of parameters.", valueName: "file"), completion: .file())
  var params: String?

  @Option(
    help: ArgumentHelp(
      "A target's name, LABEL=VALUE, or all; may be repeated. With several, the runbook runs once for each.",
      valueName: "target"),
    completion: ProjectCompletion.targets)
  var target: [String] = []

  @Option(
    help: ArgumentHelp("How many targets run at a time; 8 by default.", valueName: "n"))
  var rolling: Int?

  @Option(
    help: ArgumentHelp(
      "Begin no further target once more than K failed; by default all are begun.",
      valueName: "k"))
  var maxFailures: Int?

  @Flag(help: "Run against the lab's coturn servers on loopback; started if need be, and stopped again.")
  var lab = false

  @Option(
    help: ArgumentHelp("Run only this step, or this branch of a parallel; may be repeated.", valueName: "step"),
    completion: ProjectCompletion.steps)
  var only: [String] = []

  @Flag(help: "Agree to what the runbook asks before it runs (confirm).") var yes = false
  @Flag(help: "Let warnings count as failures in the exit code.") var strict = false
  @Flag(help: "Show nothing while it runs, and no report if everything passed: for cron.") var quiet = false
  @Flag(help: "Show what each step tells of its work.") var verbose = false

  @Flag(help: "Run only if the runbook's period says that it is due, and once for each time: for cron and timers.")
  var ifDue = false

  @Flag(help: "Keep the journal in memory-backed storage: for when the disk is full or broken.")
  var volatile = false

  @OptionGroup var reports: ReportOptions
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    try GivenParameter.refuseRepetition(in: parameters)
    if ifDue, lab || !only.isEmpty {
      throw ValidationError("--if-due is for a whole run on what the project declares: leave --lab and --only out")
    }
    if let rolling, rolling < 1 { throw ValidationError("--rolling takes a number from 1; found \(rolling)") }
    if let maxFailures, maxFailures < 0 {
      throw ValidationError("--max-failures takes a number from 0; found \(maxFailures)")
    }
    if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other") }
  }

  package func run() async throws {
    let project = try options.load(isLab: lab)
    try reports.keepOff(project)
    let document = project.document(name, catalog: .standard)
    guard !ifDue else { return try await runIfDue(document, in: project) }
    guard lab, try isLabNeeded(by: document, in: project) else {
      return try await run(document, in: project, lab: nil, .command, EndingSignals())
    }
    let signals = EndingSignals()
    try await Lab(folder: project.labFolder).whileUp(signals) { state in
      try await run(document, in: project, lab: state, .command, signals)
    }
  }

  /// What is wrong with the document itself is said before servers are started for it; if it has no use for one, none
  /// is started.
  private func isLabNeeded(by document: CheckedDocument, in project: Project) throws -> Bool {
    guard !document.hasErrors else { throw Diagnostics(root: project.root).failure(document.issues) }
    guard let given = try? givenParameters(), document.usesTarget(given: given) == false else { return true }
    if !quiet { Terminal.standardError.write("note: \(name) uses no target; no server is started for it\n") }
    return false
  }

  private func run(
    _ document: CheckedDocument, in project: Project, lab: LabState?, _ asker: RunAsker, _ signals: EndingSignals,
    holding lock: DueLock? = nil
  ) async throws {
    let diagnostics = Diagnostics(root: project.root)
    let run: RecordedRun
    do {
      var request = RunRequest(
        name, given: try givenParameters(), targets: target, only: only, rolling: order, asker: asker)
      var warnings: [Issue] = []
      let plans = try RunPlanning(project, targets: targets(of: lab)).plans(request, of: document) {
        warnings.append($0)
      }
      // cron mails whatever is printed: what `validate` says of files that work is not for every run.
      if !warnings.isEmpty, !quiet { diagnostics.show(warnings) }
      let problems = await ProgramLook.problems(of: plans)
      guard !problems.contains(where: { $0.severity == .error }) else { throw Issues(problems) }
      if !problems.isEmpty { diagnostics.show(problems) }
      if let ran = plans.first?.name {
        // Who cannot read the state is told so by the run itself, which writes there.
        Terminal.standardError.write((try? DeadRuns(ledger: project.ledger, runbook: ran).warning()) ?? "")
      }
      request.confirmation = try await RunConfirming(name: name, isAnswered: yes, signals: signals).confirm(plans)
      let starter = RunStarter(
        project, catalog: .standard, services: project.stepServices,
        locks: .ofProcess, state: volatile ? try project.volatileState : project.state, version: runbookVersion)
      let display = RunDisplay(
        .standardError, quiet || DebugLog.shared.isOn ? .quiet : verbose ? .verbose : .normal,
        targets: plans.map { $0.target?.name })
      let started = try await starter.start(plans, request, signals: signals, prompter: display.prompter)
      // It is recorded: whoever looks now finds it.
      lock?.release()
      run = try await watch(started, display)
    } catch let issues as Issues {
      throw diagnostics.failure(issues.all)
    } catch let error as JournalError {
      throw CommandFailure(error)
    } catch let failure as RunFailure {
      throw CommandFailure(failure)
    }
    try show(RunReport(looking: run))
  }

  private var order: Rolling? {
    rolling == nil && maxFailures == nil
      ? nil : Rolling(width: rolling ?? RunRequest.usualWidth, maxFailures: maxFailures)
  }

  /// Runs it if it is due. Of several that look at once, one runs it.
  private func runIfDue(_ document: CheckedDocument, in project: Project) async throws {
    let period = try duePeriod(document, in: project)
    let state: StateFolder
    do throws(JournalError) { state = volatile ? try project.volatileState : project.state } catch {
      throw CommandFailure(error)
    }
    guard let lock = try await DueLock.take(name, in: state) else {
      if !quiet { Terminal.standardError.write("\(name) is being started by another process\n") }
      return
    }
    guard let slot = try dueSlot(period, in: project) else { return }
    let asker = RunAsker(trigger: "schedule", slot: slot.description)
    try await run(document, in: project, lab: nil, asker, EndingSignals(), holding: lock)
  }

  private func duePeriod(_ document: CheckedDocument, in project: Project) throws -> Period {
    guard !document.hasErrors else { throw Diagnostics(root: project.root).failure(document.issues) }
    guard let period = document.period else {
      throw CommandFailure(
        .invalid, "\(name) has no period: it is never due", advice: "say when it is due, such as period: 1d")
    }
    return period
  }

  /// The time at which the runbook was due last, if no run has come for it yet; nil, and said, if there is nothing to do.
  private func dueSlot(_ period: Period, in project: Project) throws -> Timestamp? {
    let targets: Set<String>?
    do throws(Issues) { targets = try project.targetNames(selectedBy: target) } catch {
      throw Diagnostics(root: project.root).failure(error.all)
    }
    let due: DueSlot
    do throws(JournalError) {
      due = try DueSlot(name, period, for: targets, in: project.ledger, at: Moment.now().wall)
    } catch { throw CommandFailure(error) }
    switch due {
    case .run(let slot, let unproven):
      if let unproven {
        Terminal.standardError.write(
          "warning: the journal of \(unproven.id) does not verify, so that run proves nothing: \(name) is run again\n  = runbook report \(unproven.id) says what is wrong\n"
        )
      }
      return slot
    case .nothing(let reason):
      if !quiet { Terminal.standardError.write("\(reason)\n") }
      return nil
    case .died(let run):
      throw CommandFailure(
        .error, "\(name) is due, and its run \(run.id) died: it is not begun again by itself",
        advice: "runbook report \(run.id) tells how far it came; then run it by hand")
    }
  }

  /// The lab's servers in the place of the project's.
  private func targets(of lab: LabState?) -> RunPlanning.Targets? {
    guard let lab else { return nil }
    return { @Sendable (selection, _) throws(Issues) in try lab.targets(selectedBy: selection) }
  }

  /// Shows what goes on until the run has ended.
  private func watch(_ run: StartedRun, _ display: RunDisplay) async throws -> RecordedRun {
    try await display.whileShown {
      for await notice in run.events {
        DebugLog.shared.tell(notice)
        display.show(notice)
      }
      return try await run.recorded
    }
  }

  private func show(_ report: RunReport) throws {
    let status = reports.status(of: report, isStrict: strict)
    if !quiet || reports.shown != .text || report.verdict != .pass {
      Terminal.standardOutput.write(
        report.rendered(as: reports.shown, Style(terminal: .standardOutput), isStrict: strict))
    }
    try reports.write(report, isStrict: strict, status: status)
    guard status.code == 0 else { throw CommandFailure(status) }
  }

  private func givenParameters() throws(Issues) -> GivenParameters {
    let texts = parameters.map { ($0.name, $0.value) }
    guard let params else { return GivenParameters(texts: texts) }
    guard let bytes = FileManager.default.contents(atPath: params) else {
      let place = SourceRange(file: params, line: 1, column: 1)
      throw Issues([Issue(.error, "file-unreadable", "the parameter file cannot be read", at: place)])
    }
    return GivenParameters(texts: texts, file: (params, Array(bytes)))
  }
}
