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
        .mapping(BackupRetentionKey.self), "Which backups `runbook backup prune` keeps. Without it, all.",
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
    case .last: .init(.count, "The newest so many are kept.", example: 3)
    case .daily: .init(.count, "The newest of each of so many days (UTC) that have one are kept.", example: 7)
    case .weekly: .init(.count, "The same by weeks, from Monday.", example: 4)
    case .monthly: .init(.count, "The same by months.", example: 12)
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
        .plain(.duration), "How long ago it may have been read last with nothing missing.", example: "35d")
    }
  }
}

/// The keys of `vault` in `runbook.yaml`.
package enum VaultKey: String, DocumentKey {
  case path, recipients
  case remote

  package static let mappingName = "vault"

  package var declaration: KeyDeclaration {
    switch self {
    case .path:
      .init(
        .plain(.path),
        "The vault's folder, absolute or relative to the project; `backups/vault` unless it says otherwise.",
        example: "/var/lib/runbook-vault")
    case .remote: .unsupported
    case .recipients:
      .init(
        .plain(.list(.string)), "Who can decrypt the backups of sets that name no recipients.",
        example: ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"])
    }
  }
}
