import Files
package import Schema

/// A question of a run that waits for an answer, as the journal tells it.
package struct WaitingQuestion: Hashable, Sendable {
  /// The step that asks.
  package let step: StepStarted
  package let asked: PersonAsked
  package let askedAt: Timestamp

  /// Whether it is one of `manual.approve`.
  package var isApproval: Bool { step.use == "manual.approve" }

  /// What is to be filled in, each with its type; empty if the answer is yes or no.
  package var fields: [FieldDeclaration] {
    if case .record(let record) = asked.form { record.fields } else { [] }
  }
}

extension RecordedRun {
  /// The questions that wait for an answer, the one that was asked first first; none of a run that has ended or died.
  package var waitingQuestions: [WaitingQuestion] {
    guard isBeingWritten, !isFinished else { return [] }
    var steps: [StepPath: StepStarted] = [:]
    var waiting: [WaitingQuestion] = []
    for recorded in standing {
      switch recorded.event {
      case .stepStarted(let step): steps[step.path] = step
      case .personAsked(let asked):
        guard let step = steps[asked.path] else { continue }
        waiting.append(WaitingQuestion(step: step, asked: asked, askedAt: recorded.moment.wall))
      case .personAnswered(let answer): waiting.removeAll { $0.asked.path == answer.path }
      case .stepFinished(let step): waiting.removeAll { $0.asked.path == step.path }
      default: break
      }
    }
    return waiting
  }

  /// What was answered to a question; nil if nothing was.
  package func answer(to asked: PersonAsked) -> PersonAnswered? {
    for case .personAnswered(let answer) in standing.lazy.map(\.event)
    where answer.path == asked.path && answer.attempt == asked.attempt {
      return answer
    }
    return nil
  }

  /// The answers to a question that were not taken, in their order.
  package func refusals(of asked: PersonAsked) -> [AnswerRefused] {
    standing.compactMap { recorded in
      guard case .answerRefused(let refused) = recorded.event, refused.path == asked.path else { return nil }
      return refused
    }
  }
}

extension RunFolder {
  /// Makes the folder in which answers of people arrive, unless it is there; it is on the disk when this returns. If the state is shared with a group, everybody in
  /// it may put something in, and take out only what is their own.
  package func makeInbox(_ access: StateFolder.Access) throws(JournalError) {
    let mode: UInt32 =
      switch access {
      case .owner: 0o700
      case .group, .groupWriting: 0o3770
      }
    try onDisk { () throws(FileError) in
      if !Folder.exists(inbox) { try Folder.make(inbox, Permissions(mode)) }
      try Folder.sync(path)
    }
  }
}
