import Backups
import Journal
import Schema
import Steps
import Vault

/// Brings a set's branch and tags to the remote.
enum BackupPush {
  /// Throws, with a finding of what is wrong, if the remote does not have all of it afterwards.
  static func push(
    _ set: String, of settings: VaultSettings, to remote: VaultRemote, in context: StepContext
  ) async throws(StepError) {
    let git = RemoteGit(vault: settings.path, remote: remote, context: context)
    let found = try await git.references(VaultRepository.references(of: set))
    let plan = try await plan(of: set, settings, remote, found)
    if !plan.missing.isEmpty { try await git.push(plan.refspecs) }
    try await VaultWork.run { _ in
      let vault = try VaultRepository(opening: settings.path)
      let last = try vault.lastPush(of: set, to: remote.address)
      guard last?.commit != plan.head else { return }
      try vault.record(
        PushRecord(remote: remote.address, commit: plan.head, pushed: Moment.now().wall), of: set)
    }
  }

  /// Throws if the remote's history is another one.
  static func plan(
    of set: String, _ settings: VaultSettings, _ remote: VaultRemote, _ found: [String: String]
  ) async throws(StepError) -> PushPlan {
    try await VaultWork.run { _ in
      let vault = try VaultRepository(opening: settings.path)
      let pushed = try vault.lastPush(of: set, to: remote.address)?.commit
      do { return try vault.pushPlan(of: set, to: found, pushed: pushed) } catch let refusal as PushPlan.Refusal {
        let record = VaultRepository.pushRecordPath(of: set, in: settings.path)
        throw StepError(.failed, Finding(refusal, of: remote, record: record))
      }
    }
  }
}

extension Finding {
  /// - Parameter record: the path of the file that says what was pushed last.
  init(_ refusal: PushPlan.Refusal, of remote: VaultRemote, record: String) {
    switch refusal {
    case .rewound(let message):
      self = Finding(
        "backup.remoteRewound", "the remote \(remote.address) has lost backups: \(message)",
        advice:
          "Find out who did it: nothing is pushed until then. If it is right, remove \(record), and all is pushed again."
      )
    case .diverged(let message):
      self = Finding(
        "backup.remoteDiverged", "the remote \(remote.address) has another history than this vault: \(message)",
        advice:
          "Another vault may push to it, or history was freed here. Nothing is ever forced: name a remote that is empty, and keep the old one."
      )
    }
  }
}
