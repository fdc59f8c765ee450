import Files
package import Journal
import Language
import Schema

/// Who asked for a run, and in what way.
package struct RunAsker: Hashable, Sendable {
  /// `command` for the command line; another word for each other way to start a run.
  package var trigger: String
  /// Nil for the user of this process.
  package var actor: ActorFacts?
  /// The slot of a schedule that the run fills.
  package var slot: String?

  package init(trigger: String, actor: ActorFacts? = nil, slot: String? = nil) {
    self.trigger = trigger
    self.actor = actor
    self.slot = slot
  }

  /// A person, or cron, at the command line.
  package static let command = RunAsker(trigger: "command")
}

/// What the first event of a run tells besides its plan.
struct RunFacts: Sendable {
  var asker: RunAsker
  /// Ids of the steps that were asked for; empty for all.
  var only: [String]
  /// How what the runbook asks before it runs was agreed to.
  var confirmation: RunConfirmation?
  var tool: ToolFacts
  var host = HostFacts.current()

  /// The first event of a run; the journal fills in number, sources and what it knows of its folder.
  ///
  /// - Parameter parent: the run that this one is a child of.
  func started(_ plan: Plan, parent: String? = nil) -> RunStarted {
    RunStarted(
      runbook: plan.name, title: plan.title, number: 0, severity: plan.severity,
      target: plan.target.map(TargetFacts.init),
      parent: parent, params: .members(plan.params), paramTypes: plan.paramTypes, tool: tool, host: host.host,
      machineIdHash: host.machineIDHash, user: host.user, actor: asker.actor ?? host.actor,
      trigger: parent == nil ? asker.trigger : "parent", slot: asker.slot, pid: host.pid, startTime: host.startTime,
      only: only, sources: [],
      volatile: false, confirmation: plan.confirm == nil ? nil : confirmation)
  }

  /// The event with which this process goes on with a run.
  func resumed(drift: [String], retry: RunRetry?) -> RunResumed {
    RunResumed(
      pid: host.pid, startTime: host.startTime, user: host.user, tool: tool, drift: drift, retry: retry)
  }
}

/// The digest of the running executable, kept beside the runs so that a file that did not change is read once only.
struct ToolDigest {
  let state: StateFolder

  private static let executable = "/proc/self/exe"
  private var cache: String { "\(state.path)/.tool" }

  /// SHA-256 in hex; nil if the executable cannot be read.
  func value() -> String? {
    guard let executable = try? FileMetadata.of(Self.executable, followingLinks: true) else { return nil }
    if let known = try? File.read(cache, limit: 1024) {
      let words = String(decoding: known.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
      if words.count == 2, words[0] == executable.version { return words[1] }
    }
    guard let digest = sha256OfFile(Self.executable) else { return nil }
    // A cache that cannot be written costs time only.
    try? File.writeWhole(Array("\(executable.version)\n\(digest)\n".utf8), to: cache, .masked(0o644))
    return digest
  }
}
