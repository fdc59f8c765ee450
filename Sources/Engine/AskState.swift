import Journal
import Language
import Schema

/// The state of a step that asks people, between its start and its end.
struct AskState: Sendable {
  let question: Question
  let input: Value
  let startedAt: Duration
  private var phase = Phase.ready

  private enum Phase: Sendable {
    /// The question may be asked.
    case ready
    /// It waits. It is due when its time is over, which the agenda has.
    case asked(PersonAsked, at: Duration)
    case answered(PersonAnswered)
  }

  init(_ question: Question, input: Value, startedAt: Duration) {
    self.question = question
    self.input = input
    self.startedAt = startedAt
  }

  /// Takes in that it was asked. False, and nothing changes, if that is not what can happen now; so does ``answer(_:)``.
  mutating func ask(_ event: PersonAsked, at now: Duration) -> Bool {
    guard case .ready = phase, event.attempt == 1 else { return false }
    phase = .asked(event, at: now)
    return true
  }

  /// Takes in an answer. One that was read from a journal holds durations and timestamps as literals: the fields' types bring
  /// them back.
  mutating func answer(_ event: PersonAnswered) -> Bool {
    guard case .asked = phase, event.attempt == 1 else { return false }
    var event = event
    event.answer = ValueType.record(question.outputType).restored(event.answer)
    phase = .answered(event)
    return true
  }

  /// What was asked, and until when an answer is waited for; nil if none is.
  var waiting: (asked: PersonAsked, until: Duration)? {
    if case .asked(let event, let askedAt) = phase { (event, askedAt + question.timeout) } else { nil }
  }

  /// What is due; asked only when something is.
  func next(at path: StepPath, title: String, in scope: Scope, ending: String?, _ now: Duration) -> RunAction {
    func end(
      _ outcome: Outcome, _ finding: Finding?, _ expectations: [JudgedExpectation] = [], output: Value = .null
    ) -> RunAction {
      .record(
        .stepFinished(
          StepFinished(
            path: path, outcome: outcome, finding: finding, expectations: expectations, attempts: 0, output: output,
            duration: now - startedAt)))
    }
    switch phase {
    case .ready:
      if let ending { return end(.skipped, Finding("run.ended", ending)) }
      return .ask(Asking(path: path, title: title, question: question, input: input))
    case .asked: return end(.fail, absence(ending))
    case .answered(let answer) where !answer.accepted: return end(.fail, decline(answer))
    case .answered(let answer):
      let output = output(answer)
      var scope = scope
      scope.output = output
      let expectations = question.expectations.map { $0.judge(in: scope) }
      return end(Outcome.worst([.pass] + expectations.map(\.outcome)), nil, expectations, output: output)
    }
  }

  private func output(_ answer: PersonAnswered) -> Value {
    guard question.kind != .form else { return answer.answer }
    return .members([
      .init("user", .string(answer.user)), .init("reason", answer.reason.map(Value.string) ?? .null),
    ])
  }

  private func absence(_ ending: String?) -> Finding {
    let message: Sentence =
      if let ending { "nobody had answered when \(ending)" } else {
        "nobody answered within \(durationLiteral(question.timeout))"
      }
    return Finding(
      "person.absent", message,
      advice: "Find out who was to answer, then run it again; `runbook approve` lists what waits for an answer.")
  }

  private func decline(_ answer: PersonAnswered) -> Finding {
    let reason: Sentence = if let reason = answer.reason { ": \(reason)" } else { "" }
    return Finding("person.declined", "\(answer.user) declined\(reason)")
  }
}
