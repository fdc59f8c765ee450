package import Journal
package import Schema
import TerminalText

extension RunReport {
  /// What a step asked people, and what came in reply.
  package struct RecordedQuestion: Hashable, Sendable {
    package var text: String
    /// Nil: whoever ran the run, or owns its state folder.
    package var approvers: Approvers?
    package var askedAt: Timestamp
    package var expires: Timestamp?
    package var digest: String
    package var answer: Answer?
    /// Answers that were not taken, in their order.
    package var refused: [Refused]

    package struct Answer: Hashable, Sendable {
      package var accepted: Bool
      /// What was filled in; null if the person declined.
      package var values: Value
      package var reason: String?
      package var user: String
      package var uid: Int?
      package var way: PersonAnswered.Way
      package var at: Timestamp
    }

    package struct Refused: Hashable, Sendable {
      package var reason: String
      package var user: String
      package var uid: Int
      package var at: Timestamp
    }
  }

  /// True if a person declined, or nobody answered, where that counts: in the run itself or for one of its targets.
  package var isDeclined: Bool {
    steps.contains(where: \.isDeclined)
      || children.contains { child in
        child.report?.isDeclined ?? child.steps.contains { Self.declines($0.finding) }
      }
  }

  fileprivate static func declines(_ finding: Finding?) -> Bool {
    finding.map { ["person.declined", "person.absent"].contains($0.code) } ?? false
  }
}

extension RunReport.Step {
  fileprivate var isDeclined: Bool {
    guard !isDiagnostic else { return false }
    return RunReport.declines(finding) || steps.contains(where: \.isDeclined)
  }

  /// Takes in what happened to its question.
  mutating func take(_ event: Event, at moment: Timestamp) {
    switch event {
    case .personAsked(let asked):
      question = RunReport.RecordedQuestion(
        text: asked.question, approvers: asked.approvers, askedAt: moment, expires: asked.expires, digest: asked.digest,
        answer: nil, refused: [])
      // What it puts out is told here: a form's type is its own.
      if case .record(let form) = asked.form, !form.fields.isEmpty { outputType = asked.form }
      if reason != nil { reason = waits(at: asked) }
    case .personAnswered(let answer):
      question?.answer = RunReport.RecordedQuestion.Answer(
        accepted: answer.accepted, values: answer.answer, reason: answer.reason, user: answer.user, uid: answer.uid,
        way: answer.way, at: moment)
    case .answerRefused(let refused):
      question?.refused.append(
        RunReport.RecordedQuestion.Refused(reason: refused.reason, user: refused.user, uid: refused.uid, at: moment))
    default: break
    }
  }

  private func waits(at asked: PersonAsked) -> String {
    let until = asked.expires.map { " until \(momentText($0) { _ in 0 })" } ?? ""
    return reason == Self.stillRunning
      ? "waits for an answer\(until): runbook approve" : "it waited for an answer\(until)"
  }

  /// Why a step without an end has none, in a run that goes on.
  static let stillRunning = "still running"
}

extension RunReport.RecordedQuestion {
  /// Who answered what and when, in UTC; nil if nobody did.
  var answered: String? {
    guard let answer else { return nil }
    let way = answer.way == .terminal ? "at the terminal" : "with runbook approve"
    let reason = answer.reason.map { ": \($0)" } ?? ""
    let word = answer.accepted ? "agreed" : "declined"
    return "\(answer.user) \(word) \(way) at \(momentText(answer.at) { _ in 0 })\(reason)"
  }

  /// What was asked, and what came in reply.
  var lines: [LabelledText] {
    var lines = [LabelledText(label: "asked", text: terminalSafe(text))]
    if let answered { lines.append(LabelledText(label: "answer", text: terminalSafe(answered))) }
    lines += refused.prefix(5).map {
      LabelledText(label: "refused", text: terminalSafe("\(momentText($0.at) { _ in 0 }): \($0.reason)"))
    }
    let rest = refused.count - 5
    if rest > 0 { lines.append(LabelledText(label: "refused", text: "\(rest) more answers")) }
    return lines
  }

  /// `question` of a step of `runbook.report/1`.
  var json: JSON {
    [
      "text": .string(text), "askedAt": .string(askedAt.description),
      "until": expires.map { .string($0.description) } ?? .null, "digest": .string(digest),
      "approvers": approvers.map { Approvers.record.encode($0).json } ?? .null,
      "answer": answer?.json ?? .null, "refused": .array(refused.map(\.json)),
    ]
  }
}

extension RunReport.RecordedQuestion.Answer {
  fileprivate var json: JSON {
    [
      "accepted": .bool(accepted), "values": values.json, "reason": reason.map { .string($0) } ?? .null,
      "user": .string(user), "uid": uid.map { .int(Int64($0)) } ?? .null, "way": .string(way.rawValue),
      "at": .string(at.description),
    ]
  }
}

extension RunReport.RecordedQuestion.Refused {
  fileprivate var json: JSON {
    [
      "user": .string(user), "uid": .int(Int64(uid)), "reason": .string(reason), "at": .string(at.description),
    ]
  }
}
