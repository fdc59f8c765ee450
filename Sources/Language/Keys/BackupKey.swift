internal import Backups
internal import Schema

/// The keys of a backup set.
package enum BackupKey: String, DocumentKey {
  case backup, title, doc, paths, ifPresent, excludes, commands, links, specialFiles, recipients, minRecipients, maxSize
  case keep, expect

  package static let mappingName = "backup set"
  package static let foreign = ["include": "paths", "exclude": "excludes", "retention": "keep"]

  package var declaration: KeyDeclaration {
    switch self {
    case .backup: .init(.name(.hyphenated), "Its name, that of its file.", .required, example: "coturn-config")
    case .title: .init(.plain(.string), "What it is called.", example: "The configuration of coturn")
    case .doc: .init(.prose, "What it is for.")
    case .paths:
      .init(
        .plain(.list(.path)),
        "Files and folders, absolute or relative to the project. One that is missing fails the backup.",
        .required, example: ["/etc/turnserver.conf"])
    case .ifPresent:
      .init(.plain(.list(.path)), "The same, of what may be missing.", example: ["/etc/default/coturn"])
    case .excludes:
      .init(
        .plain(.list(.string)),
        "Patterns of what is left out: `*` within a name, `**` for any number of folders. Without a slash, a name in any folder.",
        example: ["*.bak", "/etc/coturn/cache/**"])
    case .commands:
      .init(.list(CapturedCommandKey.self), "Commands whose output is kept as a file of `commands/`.")
    case .links:
      .init(
        .plain(.enumeration(LinkPolicy.allCases.map(\.rawValue))),
        "What happens to symbolic links below the paths: `follow`, the usual, stores what they point to; `keep` stores the link."
      )
    case .specialFiles:
      .init(
        .plain(.enumeration(SpecialFilePolicy.allCases.map(\.rawValue))),
        "What happens to pipes, sockets and devices: `refuse`, the usual, fails the backup; `skip` leaves them out.")
    case .recipients:
      .init(
        .plain(.list(.string)),
        "Who can decrypt it: recipients of age. Without it, those of `vault` in `runbook.yaml`.",
        example: ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"])
    case .minRecipients:
      .init(.count, "How many recipients there must be at least; 2 unless it says otherwise.", example: 2)
    case .maxSize:
      .init(
        .plain(.byteSize), "What its files may have together, 256MiB unless it says otherwise.", example: "16MiB")
    case .keep:
      .init(
        .mapping(BackupRetentionKey.self),
        "Which backups `runbook backup prune` and `backup.prune` keep. Without it, all.",
        example: ["last": 3, "monthly": 12])
    case .expect: .init(.mapping(BackupExpectationKey.self), "What every backup must satisfy.")
    }
  }

  private typealias LinkPolicy = BackupSet.LinkPolicy
  private typealias SpecialFilePolicy = BackupSet.SpecialFilePolicy
}

/// The keys of one command of a backup set.
package enum CapturedCommandKey: String, DocumentKey {
  case name, command, timeout

  package static let mappingName = "captured command"

  package var declaration: KeyDeclaration {
    switch self {
    case .name: .init(.name(.hyphenated), "Of the file.", .required, example: "coturn-version")
    case .command:
      .init(
        .plain(.list(.string)), "The program and its arguments; no shell reads them.", .required,
        example: ["dpkg-query", "-W", "coturn"])
    case .timeout: .init(.plain(.duration), "How long it may take, 30s unless it says otherwise.", example: "10s")
    }
  }
}

/// The keys of `keep` of a backup set.
package enum BackupRetentionKey: String, DocumentKey {
  case last, daily, weekly, monthly

  package static let mappingName = "backup retention"

  package var declaration: KeyDeclaration {
    switch self {
    case .last: .init(.count, "How many of the newest backups are kept.", example: 3)
    case .daily:
      .init(
        .count, "For how many days the newest backup of the day is kept. Days without one do not count.", example: 7)
    case .weekly: .init(.count, "The same for weeks, which begin on Monday.", example: 4)
    case .monthly: .init(.count, "The same for months.", example: 12)
    }
  }
}

/// The keys of `expect` of a backup set.
package enum BackupExpectationKey: String, DocumentKey {
  case files, minSize, notOlderThan

  package static let mappingName = "backup expectation"

  package var declaration: KeyDeclaration {
    switch self {
    case .files:
      .init(.plain(.list(.path)), "Files that must be in it.", example: ["/etc/turnserver.conf"])
    case .minSize: .init(.plain(.byteSize), "The least that its files have together.", example: "100B")
    case .notOlderThan:
      .init(
        .plain(.duration), "How long ago the set may last have been read with nothing missing.", example: "35d")
    }
  }
}

/// The keys of `vault` in `runbook.yaml`.
package enum VaultKey: String, DocumentKey {
  case path, recipients
  case remote, sshKey, knownHosts

  package static let mappingName = "vault"

  package var declaration: KeyDeclaration {
    switch self {
    case .path:
      .init(
        .plain(.path),
        "The vault's folder, absolute or relative to the project; `backups/vault` unless it says otherwise.",
        example: "/var/lib/runbook-vault")
    case .remote:
      .init(
        .plain(.string),
        "A repository that each backup is pushed to: a path, `ssh://USER@HOST:PORT/PATH` or `USER@HOST:PATH`. Without it, backups stay on this host.",
        example: "ssh://backup@vault.example.com/srv/vault.git")
    case .sshKey:
      .init(
        .plain(.path), "The private key for it, an Ed25519 key without a passphrase. Without it, ssh chooses.",
        example: "/etc/runbook/vault.key")
    case .knownHosts:
      .init(
        .plain(.path),
        "The file with its host key, as ssh has it. Without it, those that ssh knows. An unlisted key is refused.",
        example: "/etc/runbook/known_hosts")
    case .recipients:
      .init(
        .plain(.list(.string)), "Who can decrypt the backups of sets that name no recipients.",
        example: ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"])
    }
  }
}
