package import Engine
import Glibc
package import Journal
import Language
package import Schema

/// Asks the person at a terminal.
package protocol Prompter: Sendable {
  /// What the person answers; nil if nobody is there who could, or gives no answer. Ends when the task is cancelled: the
  /// question was answered elsewhere, or waits no longer.
  func answer(to question: OpenQuestion) async -> TypedAnswer?
}

/// What somebody typed in answer to a question.
package struct TypedAnswer: Hashable, Sendable {
  package var accepted: Bool
  /// What was filled in, typed.
  package var values: Value

  package init(accepted: Bool, values: Value = .members([])) {
    self.accepted = accepted
    self.values = values
  }
}

/// The people who may answer the questions of one run: at its terminal, or through its inbox.
struct RunPeople: People {
  private let inbox: Inbox
  private let rules: AnswerRules
  private let prompter: (any Prompter)?

  /// How many answers that do not count are recorded of one question: who floods the inbox must not flood the journal.
  private static let mostRefused = 100

  init(_ run: RunFolder, _ rules: AnswerRules, prompter: (any Prompter)?) {
    inbox = Inbox(of: run)
    self.rules = rules
    self.prompter = prompter
  }

  func replies(to question: OpenQuestion) -> AsyncStream<Reply> {
    let (stream, feed) = AsyncStream.makeStream(of: Reply.self)
    let deliveries = inbox.deliveries(for: question.asked.digest)
    let reading = Task { [rules] in
      var refused = 0
      for await delivery in deliveries {
        let reply = rules.reply(delivery, to: question)
        if case .refused = reply {
          refused += 1
          guard refused <= Self.mostRefused else { continue }
        }
        feed.yield(reply)
      }
    }
    let typing = prompter.map { prompter in
      Task { [rules] in
        let uid = Int(geteuid())
        guard rules.refusal(of: uid, to: question) == nil, let typed = await prompter.answer(to: question) else {
          return
        }
        feed.yield(
          .answered(
            Reply.Answer(
              accepted: typed.accepted, values: typed.values, reason: nil, user: Account.name(of: uid), uid: uid,
              way: .terminal)))
      }
    }
    feed.onTermination = { _ in
      reading.cancel()
      typing?.cancel()
    }
    return stream
  }
}

/// Whose answers count.
package struct AnswerRules: Hashable, Sendable {
  /// Who owns the state folder.
  package var owner: Int
  /// Who runs the run.
  package var user: Int

  package init(owner: Int, user: Int) {
    self.owner = owner
    self.user = user
  }

  /// Why the answer of a user does not count; nil if it does.
  func refusal(of uid: Int, to question: OpenQuestion) -> String? {
    refusal(of: uid, approvers: question.asked.approvers, isApproval: question.question.kind == .approve)
  }

  /// - Parameters:
  ///   - approvers: those that the question names; nil if it names none.
  ///   - isApproval: whether the question is one of `manual.approve`.
  package func refusal(of uid: Int, approvers: Approvers?, isApproval: Bool) -> String? {
    let name = Account.name(of: uid)
    if let approvers {
      if approvers.users.contains(name) { return nil }
      if let group = approvers.group, Account.user(uid, isIn: group) { return nil }
      return "\(name) is none of those who may answer: \(approvers.text)"
    }
    let allowed = isApproval ? [owner] : [owner, user]
    if allowed.contains(uid) { return nil }
    let names = Set(allowed).sorted().map { Account.name(of: $0) }
    return "\(name) is none of those who may answer: \(names.joined(separator: " or "))"
  }

  /// Holds what came through the inbox against the question.
  func reply(_ delivery: Inbox.Delivery, to question: OpenQuestion) -> Reply {
    let user = Account.name(of: delivery.uid)
    func refused(_ reason: String) -> Reply { .refused(reason: reason, user: user, uid: delivery.uid) }
    if let reason = refusal(of: delivery.uid, to: question) { return refused(reason) }
    guard let answer = delivery.answer else { return refused(delivery.problem) }
    var values = Value.null
    if answer.accepted {
      do { values = try question.question.filled(answer.values) } catch {
        return refused("\(error.path): \(error.message)")
      }
    }
    return .answered(
      Reply.Answer(
        accepted: answer.accepted, values: values, reason: answer.reason, user: user, uid: delivery.uid, way: .command))
  }
}
