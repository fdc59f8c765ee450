package import ArgumentParser
import Glibc
import Journal
import Language
import Runs

/// `runbook resolve`.
package struct ResolveCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "resolve",
    abstract: "Tell how a step ended whose run died while it was at work.",
    discussion: """
      Look at the service first: what you tell is recorded with your name, and the run relies on it when it goes on.

        runbook resolve 12 restart done --reason "the log has the restart at 03:12"
        runbook resolve 12 restart not-done --reason "the server has been up for 40 days"
        runbook resolve 12 relays/drain failed --reason "half of the sessions were cut"

      done: it took effect, and the step passes. not-done: it did nothing, and is done when the run goes on. failed: the step \
      fails. Nothing else happens before `runbook resume`.
      """)

  /// What can be told of a step.
  enum Ending: String, ExpressibleByArgument, CaseIterable, Sendable {
    case done
    case notDone = "not-done"
    case failed

    var resolution: StepResolved.Resolution {
      switch self {
      case .done: .done
      case .notDone: .notDone
      case .failed: .failed
      }
    }
  }

  @Argument(
    help: ArgumentHelp("The run's number, its id or a unique beginning of that, or last.", valueName: "run"),
    completion: ProjectCompletion.runs)
  var reference: String

  @Argument(help: "The step's path, or its id.") var step: String
  @Argument(help: "done, not-done or failed.") var ending: Ending
  @Option(help: ArgumentHelp("How you know, for the record.", valueName: "text")) var reason: String
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    guard !reason.isEmpty, reason.count <= AnswerFile.longestReason else {
      throw ValidationError("--reason takes 1 to \(AnswerFile.longestReason) characters; found \(reason.count)")
    }
  }

  package func run() async throws {
    let project = try options.load()
    let run = try project.run(named: reference)
    do {
      try DeadRunLook(run, called: run.reference).checkDied()
      let attempt = try chosen(of: run)
      let (journal, _) = try await JournalWriter.reopen(run, access: project.state(of: run).access)
      try await journal.append(
        .stepResolved(
          StepResolved(
            path: attempt.path, attempt: attempt.attempt, resolution: ending.resolution, reason: reason,
            user: Account.name(of: Int(geteuid())))))
    } catch let refusal as ResumeRefusal {
      throw CommandFailure(refusal)
    } catch let error as JournalError {
      throw error.code == .busy
        ? CommandFailure(.invalid, error.message, advice: error.advice) : CommandFailure(error)
    }
    Terminal.standardOutput.write(
      "\(step) of \(run.title): \(ending.rawValue)\nto go on: runbook resume \(run.reference)\n")
  }

  private func chosen(of run: RecordedRun) throws(CommandFailure) -> OpenTry {
    let open = run.openTries
    var found = open.filter { $0.path.description == step || $0.path.text == step }
    if found.isEmpty { found = open.filter { $0.path.id == step } }
    guard let attempt = found.first else {
      throw CommandFailure(
        .invalid, "no step \(step) of \(run.title) was at work when it died",
        advice: open.isEmpty
          ? "nothing is to be told: runbook resume \(run.reference)"
          : "these were: \(open.map(\.path.description).joined(separator: ", "))")
    }
    guard found.count == 1 else {
      throw CommandFailure(
        .invalid, "several steps are called \(step): \(found.map(\.path.description).joined(separator: ", "))",
        advice: "name the step by its path")
    }
    return attempt
  }
}
