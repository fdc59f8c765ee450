package import Schema

/// A run began.
package struct RunStarted: JournalEvent {
  package var runbook: String
  package var title: String
  /// Runs of one state folder are numbered without gaps, from 1; 0 for a run in memory-backed storage, which a reboot takes
  /// away.
  package var number: Int
  package var severity: String?
  package var target: TargetFacts?
  /// The id of the run that this one is a child of.
  package var parent: String?
  /// Parameters by name, secrets masked.
  package var params: Value
  /// The declared types of the parameters, by name.
  package var paramTypes: [String: ValueType]
  package var tool: ToolFacts
  package var host: String
  /// The hash of the machine's id: it tells journals of one machine from those of another. Nil if the machine has no id.
  package var machineIdHash: String?
  /// The effective user's name or number.
  package var user: String
  package var actor: ActorFacts
  /// What started it: `command`, `schedule`, or `parent`.
  package var trigger: String
  /// The slot of a schedule that it fills; nil if no schedule started it.
  package var slot: String?
  package var pid: Int
  /// Field 22 of `/proc/PID/stat`: within one boot no other process has this and the pid. Nil if the kernel does not tell.
  package var startTime: Int?
  /// Ids of the steps that were asked for, where not all were; empty for all.
  package var only: [String]
  /// `runbook.yaml`, the runbook and every check it uses, as they lie in the run's folder.
  package var sources: [SourceDigest]
  /// The state folder that gave the number.
  package var stateId: String
  /// True if the journal lies in memory-backed storage.
  package var volatile: Bool
  /// Names of the locks that the run holds.
  package var locks: [String]
  /// Names of the controls that the run is evidence for.
  package var controls: [String]
  /// How what the runbook asks before it runs was agreed to; nil if it asks nothing.
  package var confirmation: RunConfirmation?

  package init(
    runbook: String, title: String, number: Int, severity: String?, target: TargetFacts?, parent: String?,
    params: Value, paramTypes: [String: ValueType] = [:], tool: ToolFacts, host: String, machineIdHash: String? = nil,
    user: String, actor: ActorFacts = ActorFacts(), trigger: String = "command", slot: String? = nil, pid: Int,
    startTime: Int? = nil, only: [String] = [], sources: [SourceDigest], stateId: String = "", volatile: Bool,
    locks: [String] = [],
    controls: [String] = [], confirmation: RunConfirmation? = nil
  ) {
    self.runbook = runbook
    self.title = title
    self.number = number
    self.severity = severity
    self.target = target
    self.parent = parent
    self.params = params
    self.paramTypes = paramTypes
    self.tool = tool
    self.host = host
    self.machineIdHash = machineIdHash
    self.user = user
    self.actor = actor
    self.trigger = trigger
    self.slot = slot
    self.pid = pid
    self.startTime = startTime
    self.only = only
    self.sources = sources
    self.stateId = stateId
    self.volatile = volatile
    self.locks = locks
    self.controls = controls
    self.confirmation = confirmation
  }

  package static let type = "run.started"
  package static let durability = Durability.always
  package static let summary = "The first event: what runs, where, by whom, from which sources."
  package static let record = Record(
    Self.init(
      runbook:title:number:severity:target:parent:params:paramTypes:tool:host:machineIdHash:user:actor:trigger:slot:pid:
      startTime:only:sources:stateId:volatile:locks:controls:confirmation:),
    Field("runbook", \.runbook, .string, "Name of the runbook, or checks/NAME."),
    Field("title", \.title, .string, "Its title."),
    Field("number", \.number, .int, "Number of the run in its state folder, from 1 without gaps; 0 if volatile."),
    Field("severity", \.severity, .optional(.string), "Severity of the runbook."),
    Field("target", \.target, .optional(.record(TargetFacts.record)), "The server under test, without its secrets."),
    Field("parent", \.parent, .optional(.string), "Id of the run that this one is a child of."),
    Field("params", \.params, .any, "Parameters by name, secrets masked."),
    Field("paramTypes", \.paramTypes, .map(.type), "Types of the parameters, by name."),
    Field("tool", \.tool, .record(ToolFacts.record), "The program that runs it."),
    Field("host", \.host, .string, "Name of the host."),
    Field(
      "machineIdHash", \.machineIdHash, .optional(.string),
      "HMAC-SHA256 of the text runbook, in hex; its key is the text of /etc/machine-id."),
    Field("user", \.user, .string, "Effective user."),
    Field("actor", \.actor, .record(ActorFacts.record), "Who started it."),
    Field(
      "trigger", \.trigger, .string,
      "What started it: command, schedule, or parent for the run of one target among several."),
    Field("slot", \.slot, .optional(.string), "The slot of a schedule that it fills."),
    Field("pid", \.pid, .int, "Process id."),
    Field(
      "startTime", \.startTime, .optional(.int), "Clock ticks from the boot to its start: field 22 of /proc/PID/stat."),
    Field("only", \.only, .list(.string), default: [], "Ids of the steps that were asked for; empty for all."),
    Field("sources", \.sources, .list(.record(SourceDigest.record)), "The files that run, as kept beside the journal."),
    Field("stateId", \.stateId, .string, "Id of the state folder that gave the number."),
    Field("volatile", \.volatile, .bool, default: false, "True if the journal lies in memory-backed storage."),
    Field("locks", \.locks, .list(.string), default: [], "Names of the locks that the run holds."),
    Field("controls", \.controls, .list(.string), default: [], "Names of the controls that the run is evidence for."),
    Field(
      "confirmation", \.confirmation, .optional(.enumeration(RunConfirmation.self)),
      "How what the runbook asks before it runs was agreed to: at the terminal, or by the option --yes.")
  )
}

/// How somebody agreed to a run before it began.
package enum RunConfirmation: String, Hashable, Sendable, CaseIterable {
  case terminal, option
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

  /// What the run proves: its outcome, but `error` for one that a signal ended while nothing bad was found, since what it
  /// did not come to was never looked at.
  package var verdict: Outcome { signal != nil && (outcome.isGood || outcome == .skipped) ? .error : outcome }

  package init(outcome: Outcome, finding: Finding?, signal: Int?, duration: Duration) {
    self.outcome = outcome
    self.finding = finding
    self.signal = signal
    self.duration = duration
  }

  /// The code of the finding of a run that did nothing, because another run held its lock.
  package static let lockedOut = "run.locked"
  /// The code of the finding of a run that did nothing, because its locks could not be used.
  package static let lockUnusable = "run.lockUnusable"
  /// The code of the finding of a run that died and was given up.
  package static let cancelled = "run.cancelled"

  package static let type = "run.finished"
  package static let durability = Durability.always
  package static let summary = "The last event of a run; a journal without it belongs to a run that goes on or died."
  package static let record = Record(
    Self.init,
    Field("outcome", \.outcome, .enumeration(Outcome.self), "The worst outcome that counts."),
    Field("finding", \.finding, .optional(.record(Finding.record)), "Why, if the steps do not say it."),
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

/// The run's own timeout passed, or the time box of one of its last stages.
package struct RunTimedOut: JournalEvent {
  package var timeout: Duration
  /// The stage whose time box passed; nil for the timeout of the runbook.
  package var stage: Stage?

  package init(timeout: Duration, stage: Stage? = nil) {
    self.timeout = timeout
    self.stage = stage
  }

  package static let type = "run.timedOut"
  package static let summary =
    "The run's own timeout passed, or the time box of a stage; nothing more of it is scheduled."
  package static let record = Record(
    Self.init,
    Field("timeout", \.timeout, .duration, "The timeout of the runbook, or the time box of the stage."),
    Field(
      "stage", \.stage, .optional(.enumeration(Stage.self)),
      "The stage whose time box passed; none for the timeout of the runbook."))
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
  package static let durability = Durability.always
  package static let summary = "The last line was torn by a crash; it is kept aside, and the journal goes on before it."
  package static let record = Record(
    Self.init,
    Field("file", \.file, .string, "Where the torn line is kept, beside the journal."),
    Field("bytes", \.bytes, .int, "Length of the torn line.")
  )
}
