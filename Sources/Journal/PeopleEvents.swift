package import Schema

// Kinds of loops, phases, people and notices. Nothing writes those of people and notices yet; their form is fixed so that every
// reader knows them.

/// The elements that a loop goes over, before the first of them.
package struct ElementsListed: StepEvent {
  package var path: StepPath
  package var items: [Value]
  /// Of one element.
  package var itemType: ValueType

  package init(path: StepPath, items: [Value], itemType: ValueType) {
    self.path = path
    self.items = items
    self.itemType = itemType.shape
  }

  package static let type = "elements.listed"
  package static let durability = Durability.always
  package static let summary = "The elements that a loop goes over, before the first of them."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), items: $2, itemType: $3) },
    Field.stage(), Field.path(),
    Field("items", \.items, .list(.any), "The elements, in their order."),
    Field("itemType", \.itemType, .type, "Type of one element.")
  )
}

/// A phase did not end within its deadline.
package struct PhaseMissed: StepEvent {
  package var path: StepPath
  /// From the run's start.
  package var deadline: Duration

  package init(path: StepPath, deadline: Duration) {
    self.path = path
    self.deadline = deadline
  }

  package static let type = "phase.missed"
  package static let summary = "A phase did not end within its deadline."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), deadline: $2) },
    Field.stage(), Field.path("Path of the phase."),
    Field("deadline", \.deadline, .duration, "From the run's start.")
  )
}

/// A person is asked.
package struct PersonAsked: StepEvent {
  package var path: StepPath
  package var attempt: Int
  package var question: String
  /// What an answer may hold.
  package var form: ValueType
  package var expires: Timestamp?
  /// What an approver signs: SHA-256 over run, step, try, runbook, rendered inputs and expiry, in hex.
  package var digest: String

  package init(
    path: StepPath, attempt: Int, question: String, form: ValueType, expires: Timestamp?, digest: String
  ) {
    self.path = path
    self.attempt = attempt
    self.question = question
    self.form = form.shape
    self.expires = expires
    self.digest = digest
  }

  package static let type = "person.asked"
  package static let durability = Durability.always
  package static let summary = "A person is asked, and the step waits for the answer."
  package static let record: Record<Self> = Record(
    {
      Self(
        path: StepPath(stage: $0, text: $1), attempt: $2, question: $3, form: $4, expires: $5, digest: $6)
    },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("question", \.question, .string, "What is asked."),
    Field("form", \.form, .type, "Type of an answer."),
    Field("until", \.expires, .optional(.timestamp), "Until when an answer is waited for."),
    Field(
      "digest", \.digest, .string,
      "What an approver signs: SHA-256 over run, step, try, runbook, inputs and expiry, in hex.")
  )
}

/// A person answered.
package struct PersonAnswered: StepEvent {
  package var path: StepPath
  package var attempt: Int
  package var answer: Value
  /// The owner of the file that held the answer.
  package var user: String

  package init(path: StepPath, attempt: Int, answer: Value, user: String) {
    self.path = path
    self.attempt = attempt
    self.answer = answer
    self.user = user
  }

  package static let type = "person.answered"
  package static let durability = Durability.always
  package static let summary = "A person answered."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), attempt: $2, answer: $3, user: $4) },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("answer", \.answer, .any, "The answer, secrets masked."),
    Field("user", \.user, .string, "Who answered.")
  )
}

/// A channel took a notice.
package struct NotifyDelivered: StepEvent {
  package var path: StepPath
  package var attempt: Int
  package var channel: String
  /// What the channel calls the notice; nil where it gives none.
  package var receipt: String?

  package init(path: StepPath, attempt: Int, channel: String, receipt: String?) {
    self.path = path
    self.attempt = attempt
    self.channel = channel
    self.receipt = receipt
  }

  package static let type = "notify.delivered"
  package static let durability = Durability.always
  package static let summary = "A channel took a notice: it is not sent there again."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), attempt: $2, channel: $3, receipt: $4) },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("channel", \.channel, .string, "Name of the channel."),
    Field("receipt", \.receipt, .optional(.string), "What the channel calls the notice.")
  )
}

/// A runbook failed so often in a row that somebody is to be told.
package struct AlertDue: JournalEvent {
  /// Runs in a row that did not pass, this one included.
  package var failures: Int
  /// How many the runbook declares.
  package var after: Int

  package init(failures: Int, after: Int) {
    self.failures = failures
    self.after = after
  }

  package static let type = "alert.due"
  package static let durability = Durability.always
  package static let summary = "The runbook failed so often in a row that somebody is to be told."
  package static let record = Record(
    Self.init,
    Field("failures", \.failures, .int, "Runs in a row that did not pass, this one included."),
    Field("after", \.after, .int, "How many the runbook declares.")
  )
}
