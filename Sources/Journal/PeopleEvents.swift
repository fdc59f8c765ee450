package import Schema

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
package struct NotifyDelivered: JournalEvent {
  /// The step whose notice it is; nil for one that the run itself sends, of an alert.
  package var path: StepPath?
  package var attempt: Int
  package var channel: String
  /// What the channel calls the notice; nil if it gives none.
  package var receipt: String?
  /// What the channel answered, shortened and without secrets; nil if it gave no answer.
  package var answer: String?

  package init(path: StepPath?, attempt: Int, channel: String, receipt: String?, answer: String?) {
    self.path = path
    self.attempt = attempt
    self.channel = channel
    self.receipt = receipt
    self.answer = answer
  }

  package var step: StepPath? { path }

  package static let type = "notify.delivered"
  package static let durability = Durability.always
  package static let summary = "A channel took a notice: it is not sent there again."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath?(optional: $0, text: $1), attempt: $2, channel: $3, receipt: $4, answer: $5) },
    Field("stage", \.path?.stage, .optional(.enumeration(Stage.self)), "The part of the run that the step belongs to."),
    Field("path", \.path?.text, .optional(.string), "Path of the step; null for a notice of the run itself."),
    Field("attempt", \.attempt, .int, "Number of the try of the step, from 1."),
    Field("channel", \.channel, .string, "Name of the channel."),
    Field("receipt", \.receipt, .optional(.string), "What the channel calls the notice."),
    Field("answer", \.answer, .optional(.string), "What the channel answered, secrets masked.")
  )
}

/// A channel did not take a notice.
package struct NotifyFailed: JournalEvent {
  /// The step whose notice it is; nil for one that the run itself sends, of an alert.
  package var path: StepPath?
  package var attempt: Int
  package var channel: String
  package var finding: Finding
  /// What the channel answered, shortened and without secrets; nil if it gave no answer.
  package var answer: String?

  package init(path: StepPath?, attempt: Int, channel: String, finding: Finding, answer: String?) {
    self.path = path
    self.attempt = attempt
    self.channel = channel
    self.finding = finding
    self.answer = answer
  }

  package var step: StepPath? { path }

  package static let type = "notify.failed"
  package static let summary = "A channel did not take a notice, with all its tries."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath?(optional: $0, text: $1), attempt: $2, channel: $3, finding: $4, answer: $5) },
    Field("stage", \.path?.stage, .optional(.enumeration(Stage.self)), "The part of the run that the step belongs to."),
    Field("path", \.path?.text, .optional(.string), "Path of the step; null for a notice of the run itself."),
    Field("attempt", \.attempt, .int, "Number of the try of the step, from 1."),
    Field("channel", \.channel, .string, "Name of the channel."),
    Field("finding", \.finding, .record(Finding.record), "Why it was not taken."),
    Field("answer", \.answer, .optional(.string), "What the channel answered, secrets masked.")
  )
}

/// A notice was held back on purpose: because of a silence, an outage that people know of, or the limit of a channel.
package struct NotifySuppressed: JournalEvent {
  /// The step whose notice it is; nil for one that the run itself sends, of an alert.
  package var path: StepPath?
  /// Of the step, from 1.
  package var attempt: Int
  /// The channels that were not told.
  package var channels: [String]
  /// Why: `notify.silenced`, `notify.muted` or `notify.limited`.
  package var finding: Finding

  package init(path: StepPath?, attempt: Int, channels: [String], finding: Finding) {
    self.path = path
    self.attempt = attempt
    self.channels = channels
    self.finding = finding
  }

  package var step: StepPath? { path }

  package static let type = "notify.suppressed"
  package static let summary = "A notice was held back from channels on purpose."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath?(optional: $0, text: $1), attempt: $2, channels: $3, finding: $4) },
    Field("stage", \.path?.stage, .optional(.enumeration(Stage.self)), "The part of the run that the step belongs to."),
    Field("path", \.path?.text, .optional(.string), "Path of the step; null for a notice of the run itself."),
    Field("attempt", \.attempt, .int, "Number of the try of the step, from 1."),
    Field("channels", \.channels, .list(.string), "Names of the channels."),
    Field(
      "finding", \.finding, .record(Finding.record), "Why: `notify.silenced`, `notify.muted` or `notify.limited`.")
  )
}

/// A runbook that somebody was told of passes again: those who were told are told so.
package struct AlertResolved: JournalEvent {
  /// The run that told of the failure.
  package var firingRun: String
  /// The channels that took its notice.
  package var channels: [String]

  package init(firingRun: String, channels: [String]) {
    self.firingRun = firingRun
    self.channels = channels
  }

  package static let type = "alert.resolved"
  package static let durability = Durability.always
  package static let summary = "The runbook passes again: the channels that took the alert are told so."
  package static let record = Record(
    Self.init,
    Field("firingRun", \.firingRun, .string, "Id of the run that told of the failure."),
    Field("channels", \.channels, .list(.string), "The channels that took its notice.")
  )
}

/// A runbook fails still that somebody was told of.
package struct AlertStanding: JournalEvent {
  /// The run that told of the failure.
  package var firingRun: String
  /// The channels that took its notice: they will be told when it is over.
  package var channels: [String]
  /// The targets of a run over several that they were told of; nil in a journal of a version that did not record it.
  package var targets: [String]?

  package init(firingRun: String, channels: [String], targets: [String]? = nil) {
    self.firingRun = firingRun
    self.channels = channels
    self.targets = targets
  }

  package static let type = "alert.standing"
  package static let summary = "The runbook fails still: who was told of it is not told again."
  package static let record = Record(
    Self.init,
    Field("firingRun", \.firingRun, .string, "Id of the run that told of the failure."),
    Field("channels", \.channels, .list(.string), "The channels that took its notice, and are told when it is over."),
    Field(
      "targets", \.targets, .optional(.list(.string)), "The targets of a run over several that they were told of.")
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
