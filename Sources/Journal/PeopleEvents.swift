package import Schema

// Kinds of loops, phases and notices. Nothing writes those of notices yet; their form is fixed so that every reader knows them.

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

/// A channel took a notice.
package struct NotifyDelivered: StepEvent {
  package var path: StepPath
  package var attempt: Int
  package var channel: String
  /// What the channel calls the notice; nil if it gives none.
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
