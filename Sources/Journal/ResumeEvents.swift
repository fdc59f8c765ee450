package import Schema

/// A process went on with a run that had died, or does anew what failed in one that had ended.
package struct RunResumed: JournalEvent {
  package var pid: Int
  /// Field 22 of `/proc/PID/stat`: within one boot no other process has this and the pid. Nil if the kernel does not tell.
  package var startTime: Int?
  /// The effective user's name or number.
  package var user: String?
  /// The program that goes on with it.
  package var tool: ToolFacts?
  /// Paths of sources that differ now from those that run.
  package var drift: [String]
  /// What is done anew of a run that had ended; nil for one that had died.
  package var retry: RunRetry?

  package init(
    pid: Int, startTime: Int? = nil, user: String? = nil, tool: ToolFacts? = nil, drift: [String],
    retry: RunRetry? = nil
  ) {
    self.retry = retry
    self.pid = pid
    self.startTime = startTime
    self.user = user
    self.tool = tool
    self.drift = drift
  }

  package static let type = "run.resumed"
  package static let durability = Durability.always
  package static let summary =
    "A process went on with a run that had died, or does anew what failed in one that had ended; the line's boot tells "
    + "whether the host restarted."
  package static let record = Record(
    Self.init,
    Field("pid", \.pid, .int, "Process id."),
    Field(
      "startTime", \.startTime, .optional(.int), "Clock ticks from the boot to its start: field 22 of /proc/PID/stat."),
    Field("user", \.user, .optional(.string), "Effective user."),
    Field("tool", \.tool, .optional(.record(ToolFacts.record)), "The program that goes on with it."),
    Field("drift", \.drift, .list(.string), default: [], "Paths of sources that have changed since the run began."),
    Field(
      "retry", \.retry, .optional(.record(RunRetry.record)),
      "Of a run that had ended: what is done anew. What stands before of it, of what lies around it and of the run's end, "
        + "counts no more.")
  )
}

/// A module told how a beginning ended whose result was never recorded.
package struct StepReconciled: StepEvent {
  package var path: StepPath
  package var attempt: Int
  package var verdict: ReconciliationVerdict
  package var detail: String?
  /// What a module that says ``ReconciliationVerdict/done`` knows of the output; null for nothing.
  package var output: Value

  package enum ReconciliationVerdict: String, Hashable, Sendable, CaseIterable {
    case done, notDone, unknown
  }

  package init(path: StepPath, attempt: Int, verdict: ReconciliationVerdict, detail: String?, output: Value = .null) {
    self.path = path
    self.attempt = attempt
    self.verdict = verdict
    self.detail = detail
    self.output = output
  }

  package static let type = "step.reconciled"
  package static let durability = Durability.always
  package static let summary = "A module told how a try ended whose result was never recorded."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), attempt: $2, verdict: $3, detail: $4, output: $5) },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("verdict", \.verdict, .enumeration(ReconciliationVerdict.self), "Whether it took effect."),
    Field("detail", \.detail, .optional(.string), "What the module says of it."),
    Field(
      "output", \.output, .any, default: .null,
      "The output of what was done, secrets masked; null where it is not known.")
  )
}

/// A person told how a try ended that nobody else could tell.
package struct StepResolved: StepEvent {
  package var path: StepPath
  package var attempt: Int
  package var resolution: Resolution
  package var reason: String
  package var user: String

  package enum Resolution: String, Hashable, Sendable, CaseIterable {
    /// It took effect: the step passes.
    case done
    /// It did nothing: it is begun again.
    case notDone
    /// The step fails.
    case failed
  }

  package init(path: StepPath, attempt: Int, resolution: Resolution, reason: String, user: String) {
    self.path = path
    self.attempt = attempt
    self.resolution = resolution
    self.reason = reason
    self.user = user
  }

  package static let type = "step.resolved"
  package static let durability = Durability.always
  package static let summary = "A person told how a try ended that nobody else could tell."
  package static let record: Record<Self> = Record(
    { Self(path: StepPath(stage: $0, text: $1), attempt: $2, resolution: $3, reason: $4, user: $5) },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("as", \.resolution, .enumeration(Resolution.self), "What the run takes it for."),
    Field("reason", \.reason, .string, "Why, in the person's words."),
    Field("user", \.user, .string, "Who told it.")
  )
}

/// What is left in place after a rollback.
package struct UndoListed: JournalEvent {
  /// Paths of the steps whose effects are still there.
  package var remaining: [String]
  /// Paths of the steps that changed something and have no undo.
  package var withoutUndo: [String]

  package init(remaining: [String], withoutUndo: [String] = []) {
    self.remaining = remaining
    self.withoutUndo = withoutUndo
  }

  package static let type = "undo.listed"
  package static let durability = Durability.always
  package static let summary = "A rollback did not take everything back; what it lists is still in place."
  package static let record = Record(
    Self.init(remaining:withoutUndo:),
    Field("remaining", \.remaining, .list(.string), "Paths of the steps whose undo was not done, or not whole."),
    Field(
      "withoutUndo", \.withoutUndo, .list(.string), default: [],
      "Paths of the steps that changed something and have no undo.")
  )
}

/// Files of a run were removed, its journal kept.
package struct EvidencePruned: JournalEvent {
  /// Relative to the run's folder.
  package var files: [String]
  package var reason: String

  package init(files: [String], reason: String) {
    self.files = files
    self.reason = reason
  }

  package static let type = "evidence.pruned"
  package static let durability = Durability.always
  package static let summary = "Files of the run were removed; the journal that names them stays."
  package static let record = Record(
    Self.init,
    Field("files", \.files, .list(.string), "The files, relative to the run's folder."),
    Field("reason", \.reason, .string, "Why they were removed.")
  )
}
