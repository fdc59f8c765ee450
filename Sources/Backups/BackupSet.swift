package import Age

/// What is backed up together: one document `backups/NAME.yaml`.
package struct BackupSet: Hashable, Sendable {
  /// What happens to a symbolic link below ``paths``.
  package enum LinkPolicy: String, Hashable, Sendable, CaseIterable {
    /// What it points to is stored in its place.
    case follow
    /// It is stored as a link.
    case keep
  }

  /// What happens to a pipe, socket or device below ``paths``.
  package enum SpecialFilePolicy: String, Hashable, Sendable, CaseIterable {
    /// It makes the backup incomplete.
    case refuse
    /// It is left out without a word.
    case skip
  }

  /// The document's name, which is the set's.
  package var name: String
  package var title: String
  package var doc: String
  /// Files and folders, absolute.
  package var paths: [String]
  /// The same, of what may be missing.
  package var optionalPaths: [String]
  /// Patterns of fnmatch(3) on absolute paths; `**` stands for any number of folders; one without a slash is for names in any folder.
  package var excludes: [String]
  package var commands: [CapturedCommand]
  package var links: LinkPolicy
  package var specialFiles: SpecialFilePolicy
  /// Who can decrypt it.
  package var recipients: [AgeRecipient]
  /// How many recipients there must be at least.
  package var minimumRecipients: Int
  /// What its files may have together, in bytes.
  package var maxSize: Int
  /// Which backups are kept; nil if all are.
  package var retention: BackupRetention?
  package var expectations: BackupExpectations

  package static let usualMinimumRecipients = 2
  package static let usualMaxSize = 256 << 20

  package init(
    name: String, title: String? = nil, doc: String = "", paths: [String], optionalPaths: [String] = [],
    excludes: [String] = [],
    commands: [CapturedCommand] = [], links: LinkPolicy = .follow, specialFiles: SpecialFilePolicy = .refuse,
    recipients: [AgeRecipient], minimumRecipients: Int = usualMinimumRecipients, maxSize: Int = usualMaxSize,
    retention: BackupRetention? = nil, expectations: BackupExpectations = BackupExpectations()
  ) {
    self.name = name
    self.title = title ?? name
    self.doc = doc
    self.paths = paths
    self.optionalPaths = optionalPaths
    self.excludes = excludes
    self.commands = commands
    self.links = links
    self.specialFiles = specialFiles
    self.recipients = recipients
    self.minimumRecipients = minimumRecipients
    self.maxSize = maxSize
    self.retention = retention
    self.expectations = expectations
  }
}

/// A command whose standard output is backed up as a file.
package struct CapturedCommand: Hashable, Sendable {
  /// Of the file.
  package var name: String
  /// The program and its arguments; no shell reads them.
  package var command: [String]
  package var timeout: Duration

  package static let usualTimeout: Duration = .seconds(30)

  package init(name: String, command: [String], timeout: Duration = usualTimeout) {
    self.name = name
    self.command = command
    self.timeout = timeout
  }
}

/// What every backup of a set must satisfy.
package struct BackupExpectations: Hashable, Sendable {
  /// Paths of files that must be in it.
  package var files: [String]
  /// The least that its files have together, in bytes.
  package var minimumSize: Int?
  /// How long ago the set may have been read last, with nothing missing.
  package var notOlderThan: Duration?

  package init(files: [String] = [], minimumSize: Int? = nil, notOlderThan: Duration? = nil) {
    self.files = files
    self.minimumSize = minimumSize
    self.notOlderThan = notOlderThan
  }
}

/// Which backups of a set are kept: those that any of the rules names. Days, weeks (from Monday) and months are those of UTC.
package struct BackupRetention: Hashable, Sendable {
  /// The newest so many.
  package var last: Int
  /// The newest of each of so many days that have one.
  package var daily: Int
  package var weekly: Int
  package var monthly: Int

  package init(last: Int = 0, daily: Int = 0, weekly: Int = 0, monthly: Int = 0) {
    self.last = last
    self.daily = daily
    self.weekly = weekly
    self.monthly = monthly
  }
}

/// Where a project keeps its backups: `vault` of `runbook.yaml`.
package struct VaultSettings: Hashable, Sendable {
  /// The bare git repository, absolute.
  package var path: String
  /// The file with the key under which files are compared without their content being told: outside git, readable to its owner
  /// alone. It is made when it is first needed.
  package var keyFile: String
  /// The sets of `backups/`, by name.
  package var sets: [String: BackupSet]
  /// Documents of `backups/` that have faults, by name.
  package var faultySets: [String]
  /// Where backups are pushed to; nil if they stay on this host.
  package var remote: VaultRemote?

  package init(
    path: String, keyFile: String, sets: [String: BackupSet], faultySets: [String] = [], remote: VaultRemote? = nil
  ) {
    self.path = path
    self.keyFile = keyFile
    self.sets = sets
    self.faultySets = faultySets
    self.remote = remote
  }
}
