package import Schema

/// A run began.
package struct RunStarted: JournalEvent {
  package var runbook: String
  package var title: String
  /// Runs of one host are numbered without gaps, from 1; 0 for a run in memory-backed storage, which a reboot takes away.
  package var number: Int
  package var severity: String?
  package var target: String?
  /// The id of the run that this one is a child of.
  package var parent: String?
  /// Parameters by name, secrets masked.
  package var params: Value
  package var tool: String
  package var host: String
  /// The effective user's name or number.
  package var user: String
  package var pid: Int
  /// Ids of the steps that were asked for, where not all were; empty for all.
  package var only: [String]
  /// The runbook and every check it uses, as they lie in the run's folder.
  package var sources: [SourceDigest]
  /// True where the journal lies in memory-backed storage.
  package var volatile: Bool

  package init(
    runbook: String, title: String, number: Int, severity: String?, target: String?, parent: String?, params: Value,
    tool: String, host: String, user: String, pid: Int, only: [String] = [], sources: [SourceDigest], volatile: Bool
  ) {
    self.runbook = runbook
    self.title = title
    self.number = number
    self.severity = severity
    self.target = target
    self.parent = parent
    self.params = params
    self.tool = tool
    self.host = host
    self.user = user
    self.pid = pid
    self.only = only
    self.sources = sources
    self.volatile = volatile
  }

  package static let type = "run.started"
  package static let summary = "The first event: what runs, where, by whom, from which sources."
  package static let record = Record(
    Self.init(runbook:title:number:severity:target:parent:params:tool:host:user:pid:only:sources:volatile:),
    Field("runbook", \.runbook, .string, "Name of the runbook, or checks/NAME."),
    Field("title", \.title, .string, "Its title."),
    Field("number", \.number, .int, "Number of the run on this host, from 1 without gaps; 0 where volatile."),
    Field("severity", \.severity, .optional(.string), "Severity of the runbook."),
    Field("target", \.target, .optional(.string), "Name of the target."),
    Field("parent", \.parent, .optional(.string), "Id of the run that this one is a child of."),
    Field("params", \.params, .any, "Parameters by name, secrets masked."),
    Field("tool", \.tool, .string, "Version of runbook."),
    Field("host", \.host, .string, "Name of the host."),
    Field("user", \.user, .string, "Effective user."),
    Field("pid", \.pid, .int, "Process id."),
    Field("only", \.only, .list(.string), default: [], "Ids of the steps that were asked for; empty for all."),
    Field("sources", \.sources, .list(.record(SourceDigest.record)), "The files that run, as kept beside the journal."),
    Field("volatile", \.volatile, .bool, default: false, "True where the journal lies in memory-backed storage.")
  )
}

/// One file that a run was planned from.
package struct SourceDigest: Hashable, Sendable {
  /// Relative to the project.
  package var path: String
  /// Of its bytes, in hex.
  package var sha256: String

  package init(path: String, sha256: String) {
    self.path = path
    self.sha256 = sha256
  }

  package static let record = Record(
    Self.init,
    Field("path", \.path, .string, "Path relative to the project."),
    Field("sha256", \.sha256, .string, "SHA-256 of its bytes, in hex.")
  )
}

/// A run ended.
package struct RunFinished: JournalEvent {
  package var outcome: Outcome
  /// Why, where the steps do not say it.
  package var finding: Finding?
  /// The number of the signal that ended it.
  package var signal: Int?
  package var duration: Duration

  package init(outcome: Outcome, finding: Finding?, signal: Int?, duration: Duration) {
    self.outcome = outcome
    self.finding = finding
    self.signal = signal
    self.duration = duration
  }

  package static let type = "run.finished"
  package static let summary = "The last event of a run; a journal without it belongs to a run that goes on or died."
  package static let record = Record(
    Self.init,
    Field("outcome", \.outcome, .enumeration(Outcome.self), "The worst outcome that counts."),
    Field("finding", \.finding, .optional(.record(Finding.record)), "Why, where the steps do not say it."),
    Field("signal", \.signal, .optional(.int), "Number of the signal that ended the run."),
    Field("duration", \.duration, .duration, "From the run's start, on the boot-time clock.")
  )
}

/// A signal asked the run to end.
package struct RunSignalled: JournalEvent {
  package var signal: Int

  package init(signal: Int) { self.signal = signal }

  package static let type = "run.signalled"
  package static let summary = "A signal asked the run to end; nothing more is scheduled."
  package static let record = Record(Self.init, Field("signal", \.signal, .int, "Number of the signal."))
}

/// The run's own timeout passed.
package struct RunTimedOut: JournalEvent {
  package var timeout: Duration

  package init(timeout: Duration) { self.timeout = timeout }

  package static let type = "run.timed-out"
  package static let summary = "The run's own timeout passed; nothing more is scheduled."
  package static let record = Record(Self.init, Field("timeout", \.timeout, .duration, "The timeout of the runbook."))
}

/// The wall clock was set back while the run went on.
package struct ClockStepped: JournalEvent {
  /// How far back, beyond what the boot-time clock counted.
  package var back: Duration

  package init(back: Duration) { self.back = back }

  package static let type = "clock.stepped"
  package static let summary = "The wall clock went back; durations are not affected, wall times are evidence only."
  package static let record = Record(Self.init, Field("back", \.back, .duration, "How far the wall clock went back."))
}

/// A torn last line was cut off.
package struct JournalRecovered: JournalEvent {
  package var file: String
  package var bytes: Int

  package init(file: String, bytes: Int) {
    self.file = file
    self.bytes = bytes
  }

  package static let type = "journal.recovered"
  package static let summary = "The last line was torn by a crash; it is kept aside, and the journal goes on before it."
  package static let record = Record(
    Self.init,
    Field("file", \.file, .string, "Where the torn line is kept, beside the journal."),
    Field("bytes", \.bytes, .int, "Length of the torn line.")
  )
}

/// A child run began.
package struct ChildStarted: JournalEvent {
  package var run: String
  package var target: String

  package init(run: String, target: String) {
    self.run = run
    self.target = target
  }

  package static let type = "child.started"
  package static let summary = "A run of the same runbook for one target began, with its own journal."
  package static let record = Record(
    Self.init,
    Field("child", \.run, .string, "Id of the child run."),
    Field("target", \.target, .string, "Name of its target.")
  )
}

/// A child run ended.
package struct ChildFinished: JournalEvent {
  package var run: String
  package var target: String
  package var outcome: Outcome
  /// The child's own steps, so that the parent's report stands alone; those inside checks are left out.
  package var steps: [ChildStep]

  package init(run: String, target: String, outcome: Outcome, steps: [ChildStep]) {
    self.run = run
    self.target = target
    self.outcome = outcome
    self.steps = steps
  }

  package static let type = "child.finished"
  package static let summary = "A child run ended."
  package static let record = Record(
    Self.init,
    Field("child", \.run, .string, "Id of the child run."),
    Field("target", \.target, .string, "Name of its target."),
    Field("outcome", \.outcome, .enumeration(Outcome.self), "Its outcome."),
    Field("steps", \.steps, .list(.record(ChildStep.record)), "Outcomes of its steps.")
  )
}

/// How one step of a child run ended.
package struct ChildStep: Hashable, Sendable {
  package var path: String
  package var title: String
  package var outcome: Outcome
  /// Why it did not pass, in a sentence; nil where it did, and where nothing says it.
  package var found: String?

  package init(path: String, title: String, outcome: Outcome, found: String? = nil) {
    self.path = path
    self.title = title
    self.outcome = outcome
    self.found = found
  }

  package static let record = Record(
    Self.init,
    Field("path", \.path, .string, "Path of the step."),
    Field("title", \.title, .string, "Its title."),
    Field("outcome", \.outcome, .enumeration(Outcome.self), "Its outcome."),
    Field("found", \.found, .optional(.string), "Why it did not pass.")
  )
}
