import Age
package import Journal
package import Schema
package import Steps
import Vault

/// The newest backup against the files of the host.
package struct BackupSpotCheck: StepModule {
  package struct Input: Sendable {
    package var vault: String?
    package var set: String
    package var backup: String?
    package var identity: Secret?
    package var keyFile: String?
    package var limit: Int?
  }

  package struct Output: Hashable, Sendable {
    package var backup: String
    package var same: Int
    package var changedSince: [String]
    package var differing: [String]
    package var gone: [String]
    package var notCompared: [String]
  }

  package static let declaration = ModuleDeclaration(
    "backup.spotCheck", "Compares a backup with the files of this host, byte for byte.",
    discussion: """
      The contents of files are compared through their digests: with `identity` those in the archive, which is read to its end for
      it; with `keyFile`, the host's own key, those beside it. One of both is needed.

      A file that changed on the host after the backup began is told (`changedSince`) and fails nothing. The step fails if a file
      is not what the backup has though nothing has touched it since: then one of both is wrong. Of a file that grew while it
      was read, the part that the backup has is compared; databases, of which the backup has a copy, are not compared.
      """,
    effect: .observe, judges: true, deadline: .seconds(300),
    input: Record(
      Input.init,
      Field("vault", \.vault, .optional(.path), "The vault; the project's, if not given."),
      Field("set", \.set, .string, "The set."),
      Field("backup", \.backup, .optional(.string), "The backup's name; the newest complete one, if not given."),
      Field("identity", \.identity, .optional(.secret), "The age identity that decrypts, as its key file has it."),
      Field("keyFile", \.keyFile, .optional(.path), "The host's key, under which the manifest has its digests."),
      Field(
        "limit", \.limit, .optional(.byteSize.within(1...(1 << 40))),
        "The most that the files may have together; 256MiB or what the set may have, if not given.")
    ),
    output: Record(
      Output.init,
      Field("backup", \.backup, .string, "The backup's name."),
      Field("same", \.same, .int, "How many files are what the backup has."),
      Field("changedSince", \.changedSince, .list(.path), "Files that changed after the backup began."),
      Field(
        "differing", \.differing, .list(.path),
        "Files that are not what the backup has, though nothing has touched them since."),
      Field("gone", \.gone, .list(.path), "Files that are no longer there."),
      Field("notCompared", \.notCompared, .list(.string), "Files that could not be compared, with the reason.")
    ),
    examples: [
      .init(
        "The newest backup is what the host has",
        with: "set: coturn-config\nkeyFile: /var/lib/runbook/backup.key",
        expect: ["output.changedSince.size() == 0", "output.gone.size() == 0"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.identity == nil, input.keyFile == nil else { return nil }
    return Finding(
      "backup.noKey", "without the identity or the host's key nobody can tell what the backup has",
      advice: "Give `identity` or `keyFile`.")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    let identities = try VaultWork.identities(input.identity)
    let hostDigest = try VaultWork.hostDigest(input.keyFile)
    let path = try context.vaultPath(input.vault)
    let limit = VaultWork.limit(input.limit, of: input.set, in: context)
    return try await VaultWork.run { checkpoint in
      let vault = try VaultRepository(opening: path)
      let backup = try VaultWork.choose(input.backup, of: input.set, in: vault)
      var manifest = backup.manifest
      if let identities {
        manifest = try withoutActuallyEscaping(checkpoint) { checkpoint in
          try vault.read(
            backup,
            BackupReading(
              identities: identities, hostDigest: hostDigest, limit: limit, allowsOutwardLinks: true,
              progress: { _ in try checkpoint() }))
        }
      }
      var comparison = BackupComparison()
      for member in manifest.members {
        try checkpoint()
        comparison.add(
          member, created: backup.created.seconds,
          hostDigest: manifest.digests == .hmacSHA256 ? hostDigest : nil)
      }
      return Self.result(comparison, of: backup)
    }
  }

  private static func result(_ comparison: BackupComparison, of backup: Backup) -> StepResult<Output> {
    let output = Output(
      backup: backup.name, same: comparison.same, changedSince: comparison.changedSince,
      differing: comparison.differing, gone: comparison.gone, notCompared: comparison.notCompared)
    if let first = output.differing.first {
      return .failed(
        output,
        Finding(
          "backup.differs",
          "\(String(output.differing.count)) files are not what the backup \(backup.name) has, though nothing has touched them since, such as \(first)",
          advice: "Restore the backup beside and compare both; verify it; look at the disk."))
    }
    let unread = output.notCompared.filter { !$0.hasSuffix("not its file") }
    if let first = unread.first {
      return .warned(
        output,
        Finding(
          "backup.notCompared", "\(String(unread.count)) files could not be compared, such as \(first)",
          advice: "Run this as a user who may read them."))
    }
    guard output.same > 0 || !output.changedSince.isEmpty || !output.gone.isEmpty || !output.notCompared.isEmpty else {
      return .failed(
        output,
        Finding(
          "backup.nothingToCompare", "the backup \(backup.name) has no file of the host",
          advice: "Name files of this host in the `paths` of the set: what commands print is not compared."))
    }
    return .done(output)
  }
}
