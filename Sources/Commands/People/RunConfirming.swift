import Journal
import Language
import Runs
import TerminalText

/// Asks what a runbook wants agreed to before anything runs.
struct RunConfirming {
  /// Of the runbook.
  let name: String
  /// Whether `--yes` was given.
  let isAnswered: Bool
  let signals: EndingSignals

  /// How somebody agreed; nil if nothing is asked.
  ///
  /// - Throws: `CommandFailure` with exit code 5 if nobody did, and with that of a signal that came meanwhile.
  func confirm(_ plans: [Plan]) async throws(CommandFailure) -> RunConfirmation? {
    var questions: [String] = []
    for text in plans.compactMap(\.confirm) where !questions.contains(text) { questions.append(text) }
    guard !questions.isEmpty else { return nil }
    if isAnswered { return .option }
    guard TypedLines.isPossible else {
      throw CommandFailure(
        .declined, "\(name) asks before it runs: \(questions.joined(separator: "; "))",
        advice: "nobody can be asked here, and nothing was run; --yes agrees to it")
    }
    for question in questions { try await ask(question) }
    return .terminal
  }

  private func ask(_ question: String) async throws(CommandFailure) {
    let error = Terminal.standardError
    for line in question.split(separator: "\n", omittingEmptySubsequences: false) {
      for part in wrapped(terminalSafe(String(line)), width: error.width) { error.write("\(part)\n") }
    }
    TypedLines.forgetTyped()
    error.write("Run \(terminalSafe(name))? yes or no: ")
    switch await lineOrSignal() {
    case .typed(let text) where ["yes", "y"].contains(text.lowercased()): return
    case .typed: throw CommandFailure(.declined, "you did not agree: nothing was run")
    case .ended:
      error.write("\n")
      throw CommandFailure(.declined, "nobody agreed: nothing was run")
    case .cancelled:
      error.write("\n")
      throw CommandFailure(signals.first.map(ExitStatus.signalled) ?? .declined, "nothing was run")
    }
  }

  /// What is typed; cancelled by a signal.
  private func lineOrSignal() async -> TypedLines.Line {
    let typing = Task { await TypedLines.next() }
    let watching = Task { [signals] in
      for await _ in signals.subscribe() { typing.cancel() }
    }
    defer { watching.cancel() }
    return await typing.value
  }
}
