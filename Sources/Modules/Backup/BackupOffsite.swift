import Backups
import Journal
package import Schema
package import Steps
import Vault

/// Whether the newest backup of a set is on the remote.
package struct BackupOffsite: StepModule {
  package struct Input: Hashable, Sendable {
    package var set: String
  }

  package struct Output: Hashable, Sendable {
    package var backup: String
    package var created: Timestamp
    package var remote: String
    package var tag: String
    package var behind: Int
  }

  package static let declaration = ModuleDeclaration(
    "backup.offsite", "Asks the remote whether it has the newest backup of a set.",
    discussion: """
      The remote itself is asked, each time: what was pushed once may be gone. It passes if the remote has the tag of the newest
      backup, the very same one, and its branch has the commit. It fails if one of both is missing, if the remote has lost commits
      that were pushed to it, and if it has a history of its own. It compares references only and reads no file of the remote:
      whether what it has can be restored, `backup.verify` finds out on a clone of it. A remote that is the vault itself, or lies
      in it, fails.

      `vault` of `runbook.yaml` names the remote. `backup.create` pushes to it.
      """,
    effect: .observe, judges: true, services: [.vault], programs: [RequiredProgram("git", package: "git")],
    deadline: .seconds(150),
    input: Record(Input.init, Field("set", \.set, .string, "The set.")),
    output: Record(
      Output.init,
      Field("backup", \.backup, .string, "The newest backup here."),
      Field("created", \.created, .timestamp, "When its set began to be read."),
      Field("remote", \.remote, .string, "The remote that was asked."),
      Field("tag", \.tag, .string, "The tag of the backup that it has, as git names its object."),
      Field("behind", \.behind, .int, "How many commits this vault has that the remote does not have yet.")
    ),
    examples: [.init("The newest backup is not on this host alone", with: "set: coturn-config")])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let settings = try context.vault()
    guard let remote = settings.remote else {
      throw .notStarted(
        "backup.noRemote", "the project names no remote, so that all backups are on this host alone",
        advice: "Name one as `remote` under `vault` in runbook.yaml. See docs/vault.md.")
    }
    let set = input.set
    // What is here comes first: a remote of nothing is no backup.
    let newest = try await VaultWork.run { _ in
      let vault = try VaultRepository(opening: settings.path)
      guard let newest = try vault.backups(of: set).first else {
        throw StepError.failed(
          "backup.none", "the vault has no backup of the set \(set)", advice: "Make one with `backup.create`.")
      }
      return newest
    }
    let git = RemoteGit(vault: settings.path, remote: remote, context: context)
    let found = try await git.references(VaultRepository.references(of: set))
    _ = try await BackupPush.plan(of: set, settings, remote, found)
    return try await VaultWork.run { _ in
      let vault = try VaultRepository(opening: settings.path)
      guard let tag = try vault.tagID(of: newest), found[tag.name] == tag.id,
        let theirs = found[VaultRepository.references(of: set)[0]],
        let behind = try vault.commitsSince(theirs, of: set), let place = try vault.commitsSince(newest),
        behind <= place
      else {
        throw StepError.failed(
          "backup.notOffsite", "the remote \(remote.address) does not have the backup \(newest.name) of the set \(set)",
          advice: "Run what makes the backups, which pushes too, and read what it says of the remote.")
      }
      return .done(
        Output(backup: newest.name, created: newest.created, remote: remote.address, tag: tag.id, behind: behind))
    }
  }
}
