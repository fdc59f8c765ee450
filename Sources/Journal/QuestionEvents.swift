package import Schema

/// Who may answer a question: any of these users, and whoever is in the group.
package struct Approvers: Hashable, Sendable {
  package var users: [String]
  package var group: String?

  package init(users: [String] = [], group: String? = nil) {
    self.users = users
    self.group = group
  }

  /// For people: `alice, bob or a member of the group oncall`.
  package var text: String {
    let names = users + (group.map { ["a member of the group \($0)"] } ?? [])
    return (names.count > 1 ? [names.dropLast().joined(separator: ", ")] : []).joined()
      + (names.count > 1 ? " or " : "") + (names.last ?? "nobody")
  }

  package static let record = Record(
    Self.init(users:group:),
    Field("users", \.users, .list(.string), "Names of users."),
    Field("group", \.group, .optional(.string), "Name of a group whose members may answer.")
  )
}

/// A person is asked.
package struct PersonAsked: StepEvent {
  package var path: StepPath
  package var attempt: Int
  package var question: String
  /// The fields that an answer fills in; a record without fields where it is yes or no.
  package var form: ValueType
  /// Nil: the owner of the state folder, and for a confirmation or a form also whoever runs the run.
  package var approvers: Approvers?
  package var expires: Timestamp?
  /// What an approver signs, see ``digest(run:path:attempt:started:input:expires:)``.
  package var digest: String

  package init(
    path: StepPath, attempt: Int, question: String, form: ValueType, approvers: Approvers? = nil, expires: Timestamp?,
    digest: String
  ) {
    self.path = path
    self.attempt = attempt
    self.question = question
    self.form = form.shape
    self.approvers = approvers
    self.expires = expires
    self.digest = digest
  }

  package static let type = "person.asked"
  package static let durability = Durability.always
  package static let summary = "A person is asked, and the step waits for the answer."
  package static let record: Record<Self> = Record(
    {
      Self(
        path: StepPath(stage: $0, text: $1), attempt: $2, question: $3, form: $4, approvers: $5, expires: $6,
        digest: $7)
    },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("question", \.question, .string, "What is asked."),
    Field("form", \.form, .type, "Type of an answer: a record of what is to be filled in."),
    Field(
      "approvers", \.approvers, .optional(.record(Approvers.record)),
      "Who may answer; null for the user of the run and the owner of the state folder."),
    Field("until", \.expires, .optional(.timestamp), "Until when an answer is waited for."),
    Field(
      "digest", \.digest, .string,
      "What an approver signs: SHA-256 over run, step, try, runbook, inputs and expiry, in hex.")
  )

  /// What ties an answer to one question of one run: SHA-256, in hex, over a JSON object without blanks whose members are
  /// `schema` (`runbook.question/1`), `run`, `stage`, `path`, `attempt`, `runbook`, `sources` (path and SHA-256 of each file that
  /// runs), `input` (what the step's inputs came to) and `until`. All of them stand in the journal.
  package static func digest(
    run: String, path: StepPath, attempt: Int, started: RunStarted, input: Value, expires: Timestamp?
  ) -> String {
    let signed: JSON = [
      "schema": "runbook.question/1", "run": .string(run), "stage": .string(path.stage.rawValue),
      "path": .string(path.text), "attempt": .int(Int64(attempt)), "runbook": .string(started.runbook),
      "sources": .array(started.sources.map { ["path": .string($0.path), "sha256": .string($0.sha256)] }),
      "input": input.json, "until": expires.map { .string($0.description) } ?? .null,
    ]
    return sha256Hex(signed.utf8())
  }
}

/// A person answered.
package struct PersonAnswered: StepEvent {
  package var path: StepPath
  package var attempt: Int
  /// False if the person declined.
  package var accepted: Bool
  /// What was filled in; null if the person declined.
  package var answer: Value
  /// Why, in the person's words.
  package var reason: String?
  /// The name of the owner of the file that held the answer, or of the terminal's user; the number if it has none.
  package var user: String
  /// Nil in journals from before it was recorded.
  package var uid: Int?
  package var way: Way

  package enum Way: String, Hashable, Sendable, CaseIterable {
    case terminal, command
  }

  package init(
    path: StepPath, attempt: Int, accepted: Bool, answer: Value, reason: String?, user: String, uid: Int?, way: Way
  ) {
    self.path = path
    self.attempt = attempt
    self.accepted = accepted
    self.answer = answer
    self.reason = reason
    self.user = user
    self.uid = uid
    self.way = way
  }

  package static let type = "person.answered"
  package static let durability = Durability.always
  package static let summary = "A person answered."
  package static let record: Record<Self> = Record(
    {
      Self(
        path: StepPath(stage: $0, text: $1), attempt: $2, accepted: $3, answer: $4, reason: $5, user: $6, uid: $7,
        way: $8)
    },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("accepted", \.accepted, .bool, default: true, "False where the person declined."),
    Field("answer", \.answer, .any, "What was filled in; null if the person declined."),
    Field("reason", \.reason, .optional(.string), "Why, in the person's words."),
    Field("user", \.user, .string, "Who answered: the owner of the file that held the answer."),
    Field("uid", \.uid, .optional(.int), "The number of that user."),
    Field(
      "way", \.way, .enumeration(Way.self), default: .command, "At the run's terminal, or with the command approve.")
  )
}

/// An answer was not taken.
package struct AnswerRefused: StepEvent {
  package var path: StepPath
  package var attempt: Int
  package var reason: String
  package var user: String
  package var uid: Int

  package init(path: StepPath, attempt: Int, reason: String, user: String, uid: Int) {
    self.path = path
    self.attempt = attempt
    self.reason = reason
    self.user = user
    self.uid = uid
  }

  package static let type = "answer.refused"
  package static let durability = Durability.always
  package static let summary = "An answer was not taken, and why; the step goes on waiting."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), attempt: $2, reason: $3, user: $4, uid: $5) },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("reason", \.reason, .string, "Why it was not taken."),
    Field("user", \.user, .string, "Whose it was: the owner of the file that held it."),
    Field("uid", \.uid, .int, "The number of that user.")
  )
}
