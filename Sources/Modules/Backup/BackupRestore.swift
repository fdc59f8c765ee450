import Age
import Files
import Journal
package import Schema
package import Steps
import Vault

/// Puts a backup back.
package struct BackupRestore: StepModule {
  package struct Input: Sendable {
    package var vault: String?
    package var set: String
    package var backup: String?
    package var identity: Secret
    package var target: String
    package var replace: Bool
    package var only: String?
    package var outwardLinks: Bool
    package var keyFile: String?
    package var limit: Int?

    package init(
      vault: String?, set: String, backup: String?, identity: Secret, target: String, replace: Bool, only: String?,
      outwardLinks: Bool, keyFile: String?, limit: Int?
    ) {
      (self.vault, self.set, self.backup, self.identity) = (vault, set, backup, identity)
      (self.target, self.replace, self.only) = (target, replace, only)
      (self.outwardLinks, self.keyFile, self.limit) = (outwardLinks, keyFile, limit)
    }
  }

  package struct Output: Hashable, Sendable {
    package var backup: String
    package var created: Timestamp
    package var target: String
    package var files: Int
    package var bytes: Int
    package var kept: String?
    package var missing: [String]
    package var stripped: [String]
  }

  package static let declaration = ModuleDeclaration(
    "backup.restore", "Puts a backup into a folder, whole or not at all.",
    discussion: """
      It is written beside the target, under a name that begins with a dot, and held against both manifests while it is. Only when
      all of it is right and on the disk does it take its place, in one step. Until then the target is as it was, whatever
      happens; a process that dies leaves the folder beside it, which the next restore to the same target removes.

      The target has `files/` with the files by their paths on the host, `commands/`, and `manifest.json`. With `only`, a folder
      of the host such as /etc/coturn, the target gets what that folder had, and nothing else; with a file of the host, that file.

      A target that is not empty is refused, unless `replace: true`: then the old tree is kept beside it, and `kept` names it.
      To undo the restore, move it back.

      As root, files get the owners that they had, by name if this host knows the name, else by number; set-user-ID,
      set-group-ID and sticky bits are left out and told (`stripped`). As another user, all files belong to that user. Without
      `backup` the newest complete one is taken. Links that lead out of the backup are refused, unless `outwardLinks: true`.
      """,
    effect: .change, repetition: .atMostOnce, judges: true, deadline: .seconds(600),
    input: Record(
      Input.init,
      Field("vault", \.vault, .optional(.path), "The vault; the project's, if not given."),
      Field("set", \.set, .string, "The set."),
      Field("backup", \.backup, .optional(.string), "The backup's name; the newest complete one, if not given."),
      Field("identity", \.identity, .secret, "The age identity that decrypts, as its key file has it."),
      Field("target", \.target, .path, "The folder to restore to, absolute; the one that it lies in must be there."),
      Field(
        "replace", \.replace, .bool, default: false, "Whether the target may hold something, which is kept beside it."),
      Field("only", \.only, .optional(.path), "A folder or file of the host, which is all that the target gets."),
      Field("outwardLinks", \.outwardLinks, .bool, default: false, "Whether links may lead out of the target."),
      Field(
        "keyFile", \.keyFile, .optional(.path), "The host's key, with which the manifest beside the archive is checked."
      ),
      Field(
        "limit", \.limit, .optional(.byteSize.within(1...(1 << 40))),
        "The most that the files may have together; 256MiB or what the set may have, if not given.")
    ),
    output: Record(
      Output.init,
      Field("backup", \.backup, .string, "The backup's name."),
      Field("created", \.created, .timestamp, "When the set began to be read."),
      Field("target", \.target, .path, "The folder."),
      Field("files", \.files, .int, "How many files were written."),
      Field("bytes", \.bytes, .byteSize, "What the files of the backup have together."),
      Field("kept", \.kept, .optional(.path), "Where the old tree is kept."),
      Field("missing", \.missing, .list(.string), "What the backup lacks, since it was incomplete."),
      Field("stripped", \.stripped, .list(.string), "Members that lost a set-user-ID, set-group-ID or sticky bit.")
    ),
    examples: [
      .init(
        "The newest backup lies in a folder of its own",
        with: """
          set: coturn-config
          identity: ${secrets.backupIdentity}
          target: /srv/restored
          """, expect: ["output.missing.size() == 0"]),
      .init(
        "The configuration is put back, the present one kept",
        with: """
          set: coturn-config
          identity: ${secrets.backupIdentity}
          only: /etc/coturn
          target: /etc/coturn
          replace: true
          """),
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let identities = try VaultWork.identities(input.identity) ?? []
    let hostDigest = try VaultWork.hostDigest(input.keyFile)
    let progress = context.progress
    let path = try context.vaultPath(input.vault)
    let limit = VaultWork.limit(input.limit, of: input.set, in: context)
    return try await VaultWork.run { checkpoint in
      let vault = try VaultRepository(opening: path)
      let backup = try VaultWork.namingGoodBackup(besides: input.backup, of: input.set, in: vault, checkpoint) {
        try VaultWork.choose(input.backup, of: input.set, in: vault)
      }
      try Self.refuseOverlap(of: input.target, with: path)
      let root = try Self.root(input.only, in: backup, isReplacing: input.replace)
      let tree = try StagedTree(at: input.target, isReplacing: input.replace, root: root)
      try tree.requireRoom(for: backup.manifest.contentSize(below: root))
      progress("\(backup.name): reading \(byteSizeLiteral(Int64(backup.archiveSize)))")
      let total = backup.manifest.contentSize
      try VaultWork.namingGoodBackup(besides: backup.name, of: input.set, in: vault, checkpoint) {
        _ = try withoutActuallyEscaping(checkpoint) { checkpoint in
          var told = 0
          return try vault.read(
            backup,
            BackupReading(
              identities: identities, hostDigest: hostDigest, limit: limit,
              allowsOutwardLinks: input.outwardLinks,
              progress: { done in
                try checkpoint()
                let tenths = total > 0 ? done * 10 / total : 10
                if tenths > told {
                  told = tenths
                  progress("\(backup.name): \(tenths * 10) % of \(byteSizeLiteral(Int64(total)))")
                }
              }), into: tree)
        }
      }
      try checkpoint()
      let kept = try tree.putInPlace(keeping: "\(lastName(of: input.target)).before-\(Self.stamp(Moment.now().wall))")
      let output = Output(
        backup: backup.name, created: backup.created, target: input.target, files: tree.filesWritten,
        bytes: backup.manifest.contentSize(below: root), kept: kept,
        missing: backup.manifest.incomplete.map(\.text),
        stripped: tree.strippedNames.map { String(decoding: $0, as: UTF8.self) })
      return Self.result(output, input.backup == nil ? try VaultWork.loss(of: input.set, in: vault) : nil)
    }
  }

  private static func result(_ output: Output, _ loss: Finding?) -> StepResult<Output> {
    var warnings = [loss].compactMap(\.self)
    if let first = output.missing.first {
      warnings.append(
        Finding(
          "backup.incomplete",
          "the backup lacks \(String(output.missing.count)) \(output.missing.count == 1 ? "thing" : "things"), such as \(first)",
          advice: "Take what is missing from an older backup."))
    }
    if let first = output.stripped.first {
      warnings.append(
        Finding(
          "backup.bitsStripped",
          "\(String(output.stripped.count)) members lost a set-user-ID, set-group-ID or sticky bit, such as \(first)",
          advice: "Set it by hand if it is needed: chmod."))
    }
    return Finding.joined(warnings).map { .warned(output, $0) } ?? .done(output)
  }

  /// The parts of the name that a folder or file of the host has in the archive.
  private static func root(_ only: String?, in backup: Backup, isReplacing: Bool) throws -> [[UInt8]] {
    guard let only else { return [] }
    let parts = only.utf8.split(separator: 0x2F).map { Array($0) }
    let root = Array(BackupLayout.files.dropLast()) + parts.flatMap { [0x2F] + $0 }
    guard let found = backup.manifest.members.first(where: { $0.name == root || $0.name.starts(with: root + [0x2F]) })
    else {
      throw StepError.notStarted(
        "backup.notInBackup", "the backup \(backup.name) has nothing called \(only)",
        advice: "Give its absolute path on the host. The manifest beside each archive names what the archive has.")
    }
    if found.name == root, found.kind != .directory, isReplacing {
      throw StepError.notStarted(
        "backup.targetRefused", "\(only) is a file in the backup \(backup.name), and would replace the whole target",
        advice: "Restore it to a folder that is empty or not there yet, and copy it from there.")
    }
    return root.split(separator: 0x2F).map { Array($0) }
  }

  /// A vault that is moved aside with the tree that it lies in could not be read to its end.
  private static func refuseOverlap(of target: String, with vault: String) throws {
    guard let place = try? resolvedPath(parentFolder(of: target)), let vault = try? resolvedPath(vault) else { return }
    let target = (place == "/" ? "" : place) + "/" + lastName(of: target)
    guard target == vault || vault.hasPrefix(target + "/") || target.hasPrefix(vault + "/") else { return }
    throw StepError.notStarted(
      "backup.targetRefused", "\(target) and the vault \(vault) lie one in the other",
      advice: "Restore to another folder.")
  }

  /// As backups are named.
  private static func stamp(_ time: Timestamp) -> String {
    String(time.description.prefix(19)).filter { $0 != "-" && $0 != ":" } + "Z"
  }
}

extension BackupManifest {
  /// What the files below a folder of the archive have together.
  fileprivate func contentSize(below root: [[UInt8]]) -> Int {
    guard !root.isEmpty else { return contentSize }
    let name = Array(root.joined(separator: [0x2F]))
    return members.reduce(0) { sum, member in
      guard case .file(let size, _) = member.kind, member.name == name || member.name.starts(with: name + [0x2F])
      else { return sum }
      let (all, isOver) = sum.addingReportingOverflow(size)
      return isOver ? .max : all
    }
  }
}
