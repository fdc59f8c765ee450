package import Journal
package import Schema

/// What a run's journal tells, put together for people and machines; every form of a report is made from it.
package struct RunReport: Hashable, Sendable {
  /// The run's id.
  package var run: String
  /// Of the run on its host; nil for a volatile run, which has none.
  package var number: Int?
  /// The run that this one is a child of.
  package var parent: String?
  package var runbook: String
  package var title: String
  package var severity: String?
  package var target: String?
  /// Ids of the steps that were asked for, where not all were.
  package var only: [String]
  package var host: String
  package var user: String
  package var tool: String
  package var end: End
  package var startedAt: Timestamp
  /// Parameters by name, secrets masked.
  package var params: Value
  package var steps: [Step]
  /// Runs of the same runbook, one for each target, where this is their parent.
  package var children: [Child]
  /// What the run had at work when it died; empty for a run that ended or goes on.
  package var processes: [Process] = []
  /// What the hypothesis came to each time that it was looked at.
  package var hypothesis: [HypothesisJudged] = []
  /// Ids of the steps that a rollback should have taken back and did not, the newest first.
  package var stillInPlace: [String] = []
  /// Ids of the steps that changed something and have no undo, if the run rolled back, the newest first.
  package var withoutUndo: [String] = []
  /// When it was gone on with, the first time first.
  package var resumptions: [Continuation] = []
  /// Somebody is to be told that the runbook failed so often in a row.
  package var alert: AlertDue?
  /// An earlier run of the same row of failures told somebody.
  package var standing: AlertStanding?
  /// The channels that took a notice of the run itself, of its alert or of its end.
  package var told: [String] = []
  /// The channels that did not.
  package var notTold: [NotTold] = []
  /// The channels from which the run's own notice was held back on purpose, and why.
  package var suppressed: [NotifySuppressed] = []

  /// A channel that did not take the run's notice.
  package struct NotTold: Hashable, Sendable {
    package var channel: String
    package var finding: Finding
  }
  /// What throws doubt on the evidence: a clock that went back, a line that a crash cut off.
  package var warnings: [String]
  /// Path of the journal.
  package var journal: String

  /// How the run ended, as far as the journal says it.
  package enum End: Hashable, Sendable {
    case finished(RunFinished, at: Timestamp)
    /// The journal has no end; a process is still writing to it.
    case goesOn
    /// The journal has no end, and nobody writes to it. The time is that of its last event.
    case died(at: Timestamp)
  }

  /// A step, or a check with the steps inside it.
  package struct Step: Hashable, Sendable {
    /// The last part of its path.
    package var id: String
    package var path: String
    package var title: String
    /// The module, or `checks/NAME`.
    package var use: String
    package var effect: Effect
    /// `indeterminate` where it has begun and no end is recorded.
    package var outcome: Outcome
    /// Why it was skipped, or why its end is not known.
    package var reason: String?
    /// Tries of a module's step; 0 for a check.
    package var attempts: Int
    /// Nil if it never began.
    package var startedAt: Timestamp?
    /// From the run's start to its own; nil if it never began.
    package var begunAfter: Duration?
    package var duration: Duration?
    /// Null if there is none.
    package var output: Value
    /// As the module or check declares it; `any` where the journal does not tell.
    package var outputType: ValueType
    package var finding: Finding?
    package var expectations: [JudgedExpectation]
    /// True if its outcome is not counted.
    package var isDiagnostic: Bool
    package var steps: [Step]
    /// How many elements a loop has; nil for every other step.
    package var elements: Int?
    /// True if the plan has it, and the journal, which has no end, neither begins nor skips it.
    package var isDue = false
    package var stage = Stage.steps
    /// What it asked people; nil for a step that asked nobody.
    package var question: RecordedQuestion?
    /// Who told how it ended, since neither the journal nor its module could; nil if nobody had to.
    package var resolution: StepResolved?
  }

  /// A child run, as its parent's journal tells it.
  package struct Child: Hashable, Sendable {
    package var run: String
    package var target: String
    /// `indeterminate` while no end is recorded.
    package var outcome: Outcome
    package var steps: [ChildStep]
    /// True if the plan has it, and the journal, which has no end, does not begin it.
    package var isDue = false
    /// What its own journal tells; nil if that is not at hand.
    package var report: RunReport?
  }

  /// A process went on with the run.
  package struct Continuation: Hashable, Sendable {
    package var at: Timestamp
    /// Nil if the journal does not tell.
    package var user: String?
    /// What was done anew of a run that had ended; nil for one that had died.
    package var retry: RunRetry?
  }

  /// A process that a step of a run that died had started.
  package struct Process: Hashable, Sendable {
    /// The step's path.
    package var step: String
    /// As the step names it.
    package var program: String
    package var pid: Int
    package var state: LeftProcess.State
  }

  /// `indeterminate` for a run without a recorded end.
  package var outcome: Outcome {
    if case .finished(let finished, _) = end { finished.outcome } else { .indeterminate }
  }

  /// Nil for a run without a recorded end.
  package var duration: Duration? {
    if case .finished(let finished, _) = end { finished.duration } else { nil }
  }

  /// The number of the signal that ended it; nil if none did.
  package var signal: Int? {
    if case .finished(let finished, _) = end { finished.signal } else { nil }
  }

  package var finishedAt: Timestamp? {
    if case .finished(_, let moment) = end { moment } else { nil }
  }

  /// Whether nothing was done, because another run held the lock.
  package var wasLockedOut: Bool { finding?.code == RunFinished.lockedOut }

  /// Why, where the steps do not say it.
  package var finding: Finding? {
    if case .finished(let finished, _) = end { finished.finding } else { nil }
  }
}

extension RunReport.Step {
  /// The step and every step inside it, in the order of the run, each with how deep it lies.
  func flattened(depth: Int = 0) -> [(step: Self, depth: Int)] {
    [(self, depth)] + steps.flatMap { $0.flattened(depth: depth + 1) }
  }
}
