import Age
import Backups
package import Journal
package import Schema
package import Steps
import Vault

/// Whether the backups of a vault can be restored.
package struct BackupVerify: StepModule {
  package struct Input: Sendable {
    package var vault: String?
    package var set: String?
    package var backup: String?
    package var identity: Secret?
    package var keyFile: String?
    package var budget: Int?
    package var period: Duration
    package var recipients: Int
    package var limit: Int?

    package init(
      vault: String?, set: String?, backup: String?, identity: Secret?, keyFile: String?, budget: Int?,
      period: Duration,
      recipients: Int, limit: Int?
    ) {
      self.vault = vault
      self.set = set
      self.backup = backup
      self.identity = identity
      self.keyFile = keyFile
      self.budget = budget
      self.period = period
      self.recipients = recipients
      self.limit = limit
    }
  }

  package struct Output: Hashable, Sendable {
    package var backups: Int
    package var verified: [String]
    package var contentVerified: Bool
    package var bytes: Int
    package var remaining: Int
    package var damaged: [String]
    package var secondTry: [String]
    package var oldest: Timestamp?

    init() {
      (backups, verified, contentVerified, bytes, remaining) = (0, [], false, 0, 0)
      (damaged, secondTry, oldest) = ([], [], nil)
    }

    package init(
      backups: Int, verified: [String], contentVerified: Bool, bytes: Int, remaining: Int, damaged: [String],
      secondTry: [String], oldest: Timestamp?
    ) {
      (self.backups, self.verified, self.contentVerified, self.bytes) = (backups, verified, contentVerified, bytes)
      (self.remaining, self.damaged, self.secondTry, self.oldest) = (remaining, damaged, secondTry, oldest)
    }
  }

  package static let declaration = ModuleDeclaration(
    "backup.verify", "Reads backups to their end, as a restore does, and writes nothing of them.",
    discussion: """
      A backup is read from git, decrypted, decompressed, and every member is held against both manifests, by the code that
      restores. It fails if anything is not what was written: one altered byte is enough. It also fails if the tag of a backup is
      missing or points to something else, if a commit cannot be read, and if an archive is encrypted to fewer than `recipients`.

      Without `identity` nobody can decrypt anything: the archives are held against the digests in their manifests, and the step
      warns that their content was not read. Hosts that make backups should not have the identity; verify on one that has.

      With `budget` it reads a part of the vault each time: those first that were not read for longest, at least one. The vault
      keeps when each was read. If one was not read within `period`, the step warns.

      A backup that can be read only at the second try is told as a warning: look at the disk.
      """,
    effect: .record, judges: true, deadline: .seconds(600),
    input: Record(
      Input.init,
      Field("vault", \.vault, .optional(.path), "The vault; the project's, if not given."),
      Field("set", \.set, .optional(.string), "The set; all of them, if not given."),
      Field("backup", \.backup, .optional(.string), "One backup of the set, by its name."),
      Field("identity", \.identity, .optional(.secret), "The age identity that decrypts, as its key file has it."),
      Field(
        "keyFile", \.keyFile, .optional(.path),
        "The host's key, with which the manifests beside the archives are checked."),
      Field(
        "budget", \.budget, .optional(.byteSize), "How much is read at most, in bytes of archives; all, if not given."),
      Field(
        "period", \.period, .duration, default: .seconds(30 * 86_400), "Within which all backups should be read once."),
      Field(
        "recipients", \.recipients, .int.within(1...100), default: 2,
        "To how many recipients each archive must be encrypted at least."),
      Field(
        "limit", \.limit, .optional(.byteSize.within(1...(1 << 40))),
        "The most that the files of one backup may have together; 256MiB or what the set may have, if not given.")
    ),
    output: Record(
      Output.init,
      Field("backups", \.backups, .int, "How many there are."),
      Field("verified", \.verified, .list(.string), "Those that were read and found whole, as `SET/NAME`."),
      Field("contentVerified", \.contentVerified, .bool, "Whether they were decrypted and their files checked."),
      Field("bytes", \.bytes, .byteSize, "How much was read."),
      Field("remaining", \.remaining, .int, "How many were not looked at this time."),
      Field("damaged", \.damaged, .list(.string), "Those that are not whole."),
      Field("secondTry", \.secondTry, .list(.string), "Those that could be read only at the second try."),
      Field(
        "oldest", \.oldest, .optional(.timestamp),
        "When the one that was not read for longest was read; absent if one never was, or none was decrypted.")
    ),
    examples: [
      .init(
        "All backups can be restored",
        with: "identity: ${secrets.backupIdentity}", expect: ["output.contentVerified"]),
      .init(
        "A part of the vault is read each time",
        with: "identity: ${secrets.backupIdentity}\nbudget: 200MiB\nperiod: 30d"),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.backup != nil, input.set == nil else { return nil }
    return Finding("backup.setMissing", "a backup is named, and its set is not", advice: "Give `set` too.")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    let identities = try VaultWork.identities(input.identity)
    let hostDigest = try VaultWork.hostDigest(input.keyFile)
    let progress = context.progress
    let path = try context.vaultPath(input.vault)
    let limit = VaultWork.limit(input.limit, of: input.set, in: context)
    return try await VaultWork.run { checkpoint in
      let vault = try VaultRepository(opening: path)
      var input = input
      input.limit = limit
      return try Self.verify(input, identities, hostDigest, vault, progress, checkpoint)
    }
  }

  private static func verify(
    _ input: Input, _ identities: [AgeIdentity]?, _ hostDigest: BackupReading.HostDigest?,
    _ vault: borrowing VaultRepository, _ progress: @Sendable (String) -> Void, _ checkpoint: () throws -> Void
  ) throws -> StepResult<Output> {
    var output = Output()
    output.contentVerified = identities != nil
    var failures: [Finding] = []
    var all: [Backup] = []
    for set in try input.set.map({ [$0] }) ?? vault.sets() {
      let content = try vault.content(of: set)
      all += content.backups
      for lost in content.lost where input.backup.map({ $0 == lost.name }) ?? true {
        output.damaged.append("\(set)/\(lost.name)")
        failures.append(StepError(lost.error).finding)
      }
      _ = try vault.checkCommits(of: set)
    }
    if output.damaged.isEmpty, let name = input.backup { all = [try vault.backup(name, of: input.set ?? "")] }
    guard !all.isEmpty || !failures.isEmpty else {
      throw StepError.failed(
        "backup.none", "the vault has no backup\(input.set.map { " of the set \($0)" } ?? "")",
        advice: "Make one with `backup.create`.")
    }
    output.backups = all.count
    var record = vault.verificationRecord()

    let order = all.enumerated().sorted {
      (record[$0.element] ?? .unixEpoch, $0.offset) < (record[$1.element] ?? .unixEpoch, $1.offset)
    }
    for backup in order.map(\.element) {
      let name = VerificationRecord.key(of: backup)
      if let budget = input.budget, output.bytes > 0, output.bytes + backup.archiveSize > budget {
        output.remaining += 1
        continue
      }
      progress("\(name): reading")
      output.bytes += backup.archiveSize
      do {
        let isSecond = try secondTry {
          try check(backup, input, identities, hostDigest, vault, checkpoint)
        }
        if isSecond { output.secondTry.append(name) }
        output.verified.append(name)
        if identities != nil { record[backup] = Moment.now().wall }
      } catch let fault as ArchiveFault {
        output.damaged.append(name)
        failures.append(named(Finding(fault), name))
      } catch let error as VaultError {
        output.damaged.append(name)
        failures.append(named(StepError(error).finding, name))
      } catch let error as StepError {
        output.damaged.append(name)
        failures.append(named(error.finding, name))
      } catch {
        // It is to end: what was read until then was read.
        _ = save(&record, all, input, identities, vault)
        throw error
      }
    }
    output.oldest = all.contains { record[$0] == nil } ? nil : all.compactMap { record[$0] }.min()

    let warnings = warnings(input, output, all, record, save(&record, all, input, identities, vault))
    // None could be opened at all: whether they are whole is not known.
    if let first = failures.first, failures.allSatisfy({ $0.code == "backup.wrongIdentity" }), output.verified.isEmpty {
      throw StepError(.broken, first)
    }
    if let finding = Finding.joined(failures) { return .failed(output, finding) }
    return Finding.joined(warnings).map { .warned(output, $0) } ?? .done(output)
  }

  private static func check(
    _ backup: Backup, _ input: Input, _ identities: [AgeIdentity]?, _ hostDigest: BackupReading.HostDigest?,
    _ vault: borrowing VaultRepository, _ checkpoint: () throws -> Void
  ) throws {
    try vault.checkTag(of: backup)
    let recipients = try vault.recipientCount(of: backup)
    guard recipients >= input.recipients else {
      throw StepError.failed(
        "backup.tooFewRecipients",
        "the archive is encrypted to \(String(recipients)) recipients, and \(String(input.recipients)) are asked for",
        advice: "Make a new backup of the set with all its recipients: if one key is lost, nobody can read this one.")
    }
    guard let identities else {
      try vault.checkArchive(of: backup) { _ in try checkpoint() }
      return
    }
    try withoutActuallyEscaping(checkpoint) { checkpoint in
      _ = try vault.read(
        backup,
        BackupReading(
          identities: identities, hostDigest: hostDigest, limit: input.limit ?? BackupSet.usualMaxSize,
          allowsOutwardLinks: true,
          progress: { _ in try checkpoint() }))
    }
  }

  /// True if it took a second try. What the second try says counts; another identity would be as wrong.
  private static func secondTry(_ work: () throws -> Void) throws -> Bool {
    do {
      try work()
      return false
    } catch let fault as ArchiveFault where fault.kind == .damaged {
      try work()
      return true
    } catch is VaultError {
      try work()
      return true
    }
  }

  private static func named(_ finding: Finding, _ name: String) -> Finding {
    Finding(finding.code, "\(name): \(finding.sentence)", advice: finding.advisory)
  }

  /// Why it could not be written down; nil if it was, or nothing had to be.
  private static func save(
    _ record: inout VerificationRecord, _ all: [Backup], _ input: Input, _ identities: [AgeIdentity]?,
    _ vault: borrowing VaultRepository
  ) -> VaultError? {
    guard identities != nil else { return nil }
    if input.set == nil { record.keep(only: all) }
    do throws(VaultError) {
      try vault.write(record)
      return nil
    } catch { return error }
  }

  private static func warnings(
    _ input: Input, _ output: Output, _ all: [Backup], _ record: VerificationRecord, _ unsaved: VaultError?
  ) -> [Finding] {
    var warnings: [Finding] = []
    if !output.secondTry.isEmpty {
      warnings.append(
        Finding(
          "backup.secondTry",
          "\(output.secondTry.joined(separator: ", ")) could be read only at the second try",
          advice: "Look at the disk of the vault, and at the kernel's log, before it fails for good."))
    }
    guard output.contentVerified else {
      warnings.append(
        Finding(
          "backup.contentNotVerified",
          "the content was not read, since there is no identity: only git, the manifests and the digests of the archives were checked",
          advice: "Verify with an identity too, on a host that may have it."))
      return warnings
    }
    if let unsaved {
      warnings.append(
        Finding(
          "backup.verificationNotRecorded",
          "the times at which backups were read could not be recorded: \(unsaved.message)",
          advice: "Check that this user may write into the folder of the vault, and that its disk has room."))
    }
    let due = Moment.now().wall.earlier(by: input.period) ?? .unixEpoch
    let overdue = all.filter { (record[$0] ?? .unixEpoch) < due }.count
    if overdue > 0, input.budget != nil {
      warnings.append(
        Finding(
          "backup.verificationOverdue",
          "\(String(overdue)) of \(String(all.count)) backups were not read within the period",
          advice: "Run this more often, or with a larger `budget`; the first time round this is to be expected."))
    }
    return warnings
  }
}
