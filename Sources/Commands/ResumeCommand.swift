package import ArgumentParser
import Engine
import Journal
import Language
import Ledger
import Modules
import Reports
import Runs
import Schema
import Steps

/// `runbook resume`.
package struct ResumeCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Go on with a run that died, or try anew what failed in one that ended.",
    discussion: """
      The host lost power, somebody killed the process, the disk was full: the run has no end. It goes on where its journal \
      stops. Steps that ended are not done again. The files that run are those that the run kept, not today's; secrets are read \
      anew. Waits, questions and the deadlines of phases end when they would have ended; timeouts do not count the time \
      in which nothing ran.

      A step that was at work is begun again if that does no harm: it only reads, or its module may be repeated. Any other is \
      never done twice. Its module is asked whether it took effect; if it cannot tell, the run waits until you tell it.

        runbook resume 12
        runbook resume last --report junit=run.xml
        runbook resolve 12 restart done --reason "the log has the restart at 03:12"
        runbook cancel 12

      With --retry-failed a run that ended and failed is gone on with, after you have mended what made it fail: the steps that did \
      not pass are tried anew, and so are those that were not done because of them. What passed is not done again, but for the \
      hypothesis after the steps and for `finally`, which belong to the end. A run that took its steps back is started anew.

        runbook resume 12 --retry-failed

      A run over several targets is gone on with as a whole: children that died go on, those that were not begun are begun. With \
      --retry-failed only the targets that did not pass are tried anew.

      Nothing is done (exit code 2) if the run has ended or goes on, if something that it started still runs, if a file that it kept \
      is missing or was altered, or if this version would not do the same.
      """)

  @Argument(
    help: ArgumentHelp("The run's number, its id or a unique beginning of that, or last.", valueName: "run"),
    completion: ProjectCompletion.runs)
  var reference: String

  @Flag(help: "Try anew what failed in a run that ended, and what was not done because of that.") var retryFailed =
    false
  @Flag(help: "Let warnings count as failures in the exit code.") var strict = false
  @Flag(help: "Show nothing while it runs, and no report where everything passed.") var quiet = false
  @Flag(help: "Show what each step tells of its work.") var verbose = false
  @OptionGroup var reports: ReportOptions
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other") }
  }

  package func run() async throws {
    let signals = EndingSignals()
    let project = try options.load()
    try reports.keepOff(project)
    let run = try project.run(named: reference)
    let ended: RecordedRun
    do {
      let resumption = try Resumption(
        run, called: run.reference, retryingFailed: retryFailed, catalog: .standard
      ) { folder in
        try Project.load(at: project.root, asKeptIn: folder.sources, in: options.surroundings)
      }
      if !resumption.drift.isEmpty, !quiet {
        Terminal.standardError.write(
          "note: changed since the run began, and not taken: \(resumption.drift.joined(separator: ", "))\n")
      }
      let starter = RunStarter(
        project, catalog: .standard, services: project.stepServices,
        locks: .ofProcess, state: project.state(of: run), version: runbookVersion)
      let display = RunDisplay(
        .standardError, quiet || DebugLog.shared.isOn ? .quiet : verbose ? .verbose : .normal,
        targets: resumption.targets)
      let resumed = try await starter.resume(resumption, signals: signals, prompter: display.prompter)
      ended = try await display.whileShown {
        for await notice in resumed.events {
          DebugLog.shared.tell(notice)
          display.show(notice)
        }
        return try await resumed.recorded
      }
    } catch let issues as Issues {
      throw Diagnostics(root: run.folder.sources).failure(issues.all)
    } catch let refusal as ResumeRefusal {
      throw CommandFailure(refusal)
    } catch let error as JournalError {
      throw error.code == .busy
        ? CommandFailure(.invalid, error.message, advice: error.advice) : CommandFailure(error)
    } catch let failure as RunFailure {
      throw CommandFailure(failure)
    } catch let unresolved as UnresolvedTries {
      throw CommandFailure(unresolved.tries, of: run)
    } catch let unresolved as UnresolvedChildren {
      throw CommandFailure(unresolved, of: run, in: project)
    }
    let report = RunReport(looking: ended)
    let status = reports.status(of: report, isStrict: strict)
    if !quiet || reports.shown != .text || report.verdict != .pass {
      Terminal.standardOutput.write(
        report.rendered(as: reports.shown, Style(terminal: .standardOutput), isStrict: strict))
    }
    try reports.write(report, isStrict: strict, status: status)
    guard status.code == 0 else { throw CommandFailure(status) }
  }
}

extension CommandFailure {
  init(_ refusal: ResumeRefusal) { self.init(.invalid, refusal.message, advice: refusal.advice) }

  /// A run that waits until somebody tells how steps ended.
  fileprivate init(_ tries: [UnresolvedTry], of run: RecordedRun) {
    self.init(
      .error,
      "\(run.title) cannot go on: it is not known whether a step took effect, and it must not be done twice\n"
        + Self.lines(tries).joined(separator: "\n"),
      advice: "look at the service, then tell what you found:\n"
        + Self.choices(tries.first?.path.description ?? "STEP", of: run.reference)
        + "\nand then: runbook resume \(run.reference)")
  }

  /// The same of a run over several targets.
  fileprivate init(_ unresolved: UnresolvedChildren, of parent: RecordedRun, in project: Project) {
    let children = unresolved.children.map { child in
      (run: try? project.run(named: child.run), id: child.run, tries: child.tries)
    }
    let lines = children.flatMap { child in
      ["\(child.run?.title ?? "run \(child.id)"):"] + Self.lines(child.tries)
    }
    let first = children.first
    self.init(
      .error,
      "\(parent.title) cannot end yet: it is not known whether steps took effect, and they must not be done twice\n"
        + lines.joined(separator: "\n"),
      advice: "look at the service, then tell what you found of each:\n"
        + Self.choices(first?.tries.first?.path.description ?? "STEP", of: first?.run?.reference ?? first?.id ?? "RUN")
        + "\nand then: runbook resume \(parent.reference)")
  }

  private static func lines(_ tries: [UnresolvedTry]) -> [String] {
    tries.map { "step \($0.path): \($0.detail ?? "its module cannot tell")" }
  }

  private static func choices(_ step: String, of run: String) -> String {
    """
    runbook resolve \(run) \(step) done --reason TEXT      it took effect
    runbook resolve \(run) \(step) not-done --reason TEXT  it did nothing: it is done when the run goes on
    runbook resolve \(run) \(step) failed --reason TEXT    the step failed
    """
  }
}
