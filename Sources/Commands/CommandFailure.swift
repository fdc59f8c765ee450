package import Journal
import Reports
import Runs
package import Schema
import TerminalText

/// Ends a command with an exit status and, on standard error, what to say.
package struct CommandFailure: Error, Hashable, Sendable {
  package var status: ExitStatus
  /// What failed, on what, and why; nil if everything has been said.
  package var message: String?
  /// What to do, in lines of their own.
  package var advice: String?
  /// Those of documents, of values that were given, and of secrets; they have been shown.
  package var problems: [Issue]
  /// Whether standard output has what the command was asked for all the same.
  package var isAfterOutput: Bool

  package init(
    _ status: ExitStatus, _ message: String? = nil, advice: String? = nil, problems: [Issue] = [],
    isAfterOutput: Bool = false
  ) {
    self.status = status
    self.message = message
    self.advice = advice
    self.problems = problems
    self.isAfterOutput = isAfterOutput
  }

  /// A journal that cannot be written or read.
  package init(_ error: JournalError) {
    self.init(.error, error.message, advice: error.advice)
  }

  /// A journal that could not be written in the middle of a run.
  init(_ failure: RunFailure) {
    let (run, error) = (failure.run, failure.error)
    var advice = failure.lastBegun.map { ["step \($0) was begun and ended; what it did may not be recorded"] } ?? []
    if !failure.leftOut.isEmpty {
      let stages = failure.leftOut.joined(separator: " and ")
      advice.append(
        """
        \(stages) of the runbook \(failure.leftOut.count == 1 ? "was" : "were") not done; once the journal can be written again:
        runbook resume \(run)
        """)
    }
    advice.append("what is recorded is told by: runbook report \(run)")
    if let more = error.advice { advice.append(more) }
    self.init(.error, "run \(run) ended early: \(error.message)", advice: advice.joined(separator: "\n"))
  }

  /// For people: the advice indented below the message, control characters of either shown and not obeyed.
  var text: String? {
    guard let message else { return nil }
    let lines =
      message.split(separator: "\n").map(String.init) + (advice?.split(separator: "\n").map { "  \($0)" } ?? [])
    return lines.map(terminalSafe).joined(separator: "\n")
  }

  /// In one sentence: the message, or the first of the problems.
  var summary: String {
    guard let problem = problems.first(where: { $0.severity == .error }) else {
      return (message ?? "nothing was run").split(separator: "\n").joined(separator: "; ")
    }
    let others = problems.count { $0.severity == .error } - 1
    return "\(problem.message) (\(problem.range.file))\(others > 0 ? ", and \(others) more" : "")"
  }

  /// `runbook.error/1`, as `docs/reports.md` describes it; nil if standard output says by itself what came of it.
  var json: JSON? {
    guard [.invalid, .error, .declined].contains(status), !isAfterOutput, message != nil || !problems.isEmpty else {
      return nil
    }
    let errors = problems.count { $0.severity == .error }
    return [
      "schema": "runbook.error/1", "exitCode": .int(Int64(status.code)),
      "message": .string(message ?? (errors == 1 ? "there is 1 problem" : "there are \(errors) problems")),
      "advice": advice.map { .string($0) } ?? .null,
      "problems": .array(problems.map(\.json)),
    ]
  }
}
