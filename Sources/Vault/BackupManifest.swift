package import Age
package import Schema

/// What a backup holds, member by member. It is written twice: in the archive, as its last member, and beside the archive in the
/// repository, if nobody needs a key to read it. docs/vault.md has the shape of the JSON.
package struct BackupManifest: Hashable, Sendable {
  package static let version = 1

  /// How the contents of files are told apart.
  package enum Digests: String, Hashable, Sendable {
    /// In the archive: anybody who has decrypted it can check it.
    case sha256
    /// In the repository, under the key of the host that made the backup: a plain hash of a file that is known but for a password
    /// would let the password be guessed.
    case hmacSHA256 = "hmac-sha256"
  }

  /// One file, folder or link.
  package struct Member: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      /// Its size in bytes, and the digest of its content in lower-case hex.
      case file(size: Int, digest: String)
      case directory
      case symbolicLink(target: [UInt8])
    }

    /// What is to be known of how it was read.
    package enum Note: String, Hashable, Sendable {
      /// Something was appended while it was read; what was there before is whole.
      case grew
      /// A copy through SQLite's backup interface, all transactions until then included.
      case sqlite
      /// What a link pointed to.
      case followed
    }

    /// In the archive: `files/etc/turnserver.conf`, `commands/version`. Without a slash at its end.
    package var name: [UInt8]
    package var kind: Kind
    /// The twelve permission bits.
    package var mode: UInt32
    package var user: Int
    package var group: Int
    /// As the host called them; nil if it had no name.
    package var userName: String?
    package var groupName: String?
    /// When the content was last changed.
    package var modified: Timestamp
    package var notes: [Note]

    package init(
      name: [UInt8], kind: Kind, mode: UInt32, user: Int, group: Int, userName: String? = nil,
      groupName: String? = nil, modified: Timestamp, notes: [Note] = []
    ) {
      self.name = name
      self.kind = kind
      self.mode = mode
      self.user = user
      self.group = group
      self.userName = userName
      self.groupName = groupName
      self.modified = modified
      self.notes = notes
    }

    /// Where it was on the host; nil for what was no file there, such as the output of a command.
    package var path: [UInt8]? {
      name.starts(with: BackupLayout.files) ? [0x2F] + name.dropFirst(BackupLayout.files.count) : nil
    }
  }

  /// What should be in the backup and is not, or not as it was.
  package struct Missing: Hashable, Sendable {
    package var path: [UInt8]
    /// As it stands behind the path: `it does not exist`.
    package var reason: String

    package init(path: [UInt8], reason: String) {
      self.path = path
      self.reason = reason
    }
  }

  /// The encrypted archive; nil in the manifest that is in the archive itself.
  package struct Archive: Hashable, Sendable {
    /// In bytes.
    package var size: Int
    /// In lower-case hex.
    package var sha256: String

    package init(size: Int, sha256: String) {
      self.size = size
      self.sha256 = sha256
    }
  }

  package var set: String
  package var host: String
  /// When the set began to be read; nil in the manifest that is in the archive, which depends on nothing but what was read.
  package var created: Timestamp?
  package var archive: Archive?
  /// Who can decrypt it; nil in the manifest that is in the archive.
  package var recipients: [AgeRecipient]?
  package var digests: Digests
  /// By name, byte for byte.
  package var members: [Member]
  package var incomplete: [Missing]

  package init(
    set: String, host: String, created: Timestamp? = nil, archive: Archive? = nil,
    recipients: [AgeRecipient]? = nil, digests: Digests, members: [Member], incomplete: [Missing] = []
  ) {
    self.set = set
    self.host = host
    self.created = created
    self.archive = archive
    self.recipients = recipients
    self.digests = digests
    self.members = members
    self.incomplete = incomplete
  }

  /// What its files have together, in bytes.
  package var contentSize: Int {
    members.reduce(0) { sum, member in
      guard case .file(let size, _) = member.kind else { return sum }
      let (all, isOver) = sum.addingReportingOverflow(size)
      return isOver ? .max : all
    }
  }

  package var fileCount: Int { members.count { if case .file = $0.kind { true } else { false } } }
}
