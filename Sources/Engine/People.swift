package import Journal
package import Language
package import Schema

/// A question that is due.
package struct Asking: Sendable {
  package let path: StepPath
  package let title: String
  package let question: Question
  /// What the step's inputs came to.
  package let input: Value

  /// The event that says that it is asked.
  ///
  /// - Parameters:
  ///   - started: the first event of the run.
  ///   - now: until its timeout from now on an answer is waited for.
  package func event(by started: RecordedEvent, run: String, at now: Moment) -> PersonAsked {
    let expires = now.wall.earlier(by: .zero - question.timeout)
    let text = if case .string(let text)? = input["question"] { text } else { "" }
    var digest = ""
    if case .runStarted(let started) = started.event {
      digest = PersonAsked.digest(run: run, path: path, attempt: 1, started: started, input: input, expires: expires)
    }
    return PersonAsked(
      path: path, attempt: 1, question: text, form: question.form, approvers: question.approvers, expires: expires,
      digest: digest)
  }
}

/// A question that waits for an answer.
package struct OpenQuestion: Sendable {
  /// Id of the run.
  package let run: String
  /// Of the step.
  package let title: String
  package let asked: PersonAsked
  package let question: Question
  /// After this nobody is waited for.
  package let deadline: ContinuousClock.Instant

  package init(
    run: String, title: String, asked: PersonAsked, question: Question, deadline: ContinuousClock.Instant
  ) {
    self.run = run
    self.title = title
    self.asked = asked
    self.question = question
    self.deadline = deadline
  }
}

/// What came in reply to a question.
package enum Reply: Hashable, Sendable {
  case answered(Answer)
  /// It is no answer that counts; the question goes on waiting.
  case refused(reason: String, user: String, uid: Int)

  package struct Answer: Hashable, Sendable {
    package var accepted: Bool
    /// What was filled in, typed; null if the person declined.
    package var values: Value
    package var reason: String?
    package var user: String
    package var uid: Int
    package var way: PersonAnswered.Way

    package init(
      accepted: Bool, values: Value, reason: String?, user: String, uid: Int, way: PersonAnswered.Way
    ) {
      self.accepted = accepted
      self.values = values
      self.reason = reason
      self.user = user
      self.uid = uid
      self.way = way
    }
  }

  func event(_ path: StepPath, _ attempt: Int) -> Event {
    switch self {
    case .answered(let answer):
      .personAnswered(
        PersonAnswered(
          path: path, attempt: attempt, accepted: answer.accepted, answer: answer.accepted ? answer.values : .null,
          reason: answer.reason, user: answer.user, uid: answer.uid, way: answer.way))
    case .refused(let reason, let user, let uid):
      .answerRefused(AnswerRefused(path: path, attempt: attempt, reason: reason, user: user, uid: uid))
    }
  }
}

/// Where the answers to a run's questions come from.
package protocol People: Sendable {
  /// What people reply to a question, until the task that reads it is cancelled.
  func replies(to question: OpenQuestion) -> AsyncStream<Reply>
}

/// No one: every question waits in vain.
package struct Nobody: People {
  package init() {}

  package func replies(to question: OpenQuestion) -> AsyncStream<Reply> { AsyncStream { $0.finish() } }
}
