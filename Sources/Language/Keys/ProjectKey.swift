internal import Schema

/// The keys of `runbook.yaml`.
package enum ProjectKey: String, DocumentKey {
  case project, targets, state, retention, vault, channels, silence
  case evidence, waivers

  package static let mappingName = "project"

  package var declaration: KeyDeclaration {
    switch self {
    case .project: .init(.plain(.string), "The project's name. Without it, that of its folder.", example: "shop")
    case .targets:
      .init(
        .named(TargetKey.self, by: .hyphenated), "The servers under test.",
        example: ["eu": ["server": "turn:turn.example.com"]])
    case .state:
      .init(
        .plain(.path),
        "Where runs are kept, unless `RUNBOOK_STATE` names a folder. Without it, `/var/lib/runbook` for `/etc/runbook`, "
          + "else `.runbook` in the project.", example: "/var/lib/runbook")
    case .retention:
      .init(
        .mapping(RetentionKey.self), "Which past runs `runbook prune` removes.",
        example: ["olderThan": "90d", "keep": 100])
    case .vault:
      .init(
        .mapping(VaultKey.self), "Where backups are kept, see docs/vault.md.",
        example: ["path": "/var/lib/runbook-vault"])
    case .channels:
      .init(
        .named(ChannelKey.self, by: .hyphenated), "Who is told of what, and how, see L50.",
        example: ["log": ["kind": "file", "path": "notices.jsonl"]])
    case .silence:
      .init(
        .named(SilenceKey.self, by: .hyphenated), "When people are not told of what can wait, see L51.",
        example: ["nights": ["from": "22:00", "to": "06:00", "zone": "Europe/Berlin"]])
    case .evidence: .unsupported
    case .waivers: .unsupported
    }
  }
}

/// The keys of `retention` in `runbook.yaml`.
package enum RetentionKey: String, DocumentKey {
  case olderThan, keep, keepFailed

  package static let mappingName = "retention"

  package var declaration: KeyDeclaration {
    switch self {
    case .olderThan: .init(.plain(.duration), "Runs that ended longer ago are removed.", example: "90d")
    case .keep: .init(.count, "All but the newest so many runs of each runbook are removed.", example: 100)
    case .keepFailed: .init(.plain(.bool), "If `true`, only runs that passed are removed.")
    }
  }
}

/// The keys of one target of `runbook.yaml`.
package enum TargetKey: String, DocumentKey {
  case server, tlsServer, username, credential, secret, realm, ca, certificate, key, host, labels

  package static let mappingName = "target"

  package var declaration: KeyDeclaration {
    switch self {
    case .server: .init(.plain(.turnURI), "Its URI.", .required, example: "turn:turn.example.com:3478?transport=udp")
    case .tlsServer:
      .init(
        .plain(.string), "The URI where it speaks TLS, if that is elsewhere.", example: "turns:turn.example.com:5349")
    case .username: .init(.plain(.string), "The user name of a long-term credential.", example: "probe")
    case .credential:
      .init(
        .mapping(SecretSourceKey.self), "The password of `username`.", with: ["username"],
        example: ["env": "PROBE_PASSWORD"])
    case .secret:
      .init(
        .mapping(SecretSourceKey.self), "The REST secret, from which time-limited credentials are made.",
        example: ["file": "/etc/runbook/turn-secret"])
    case .realm: .init(.plain(.string), "The realm that the server is expected to use.", example: "example.com")
    case .ca: .init(.plain(.path), "A file of certificates, trusted in place of the system's.", example: "ca.pem")
    case .certificate:
      .init(.plain(.path), "The certificate to show if the server asks for one.", with: ["key"], example: "probe.pem")
    case .key:
      .init(.plain(.path), "The file of that certificate's private key.", with: ["certificate"], example: "probe.key")
    case .host:
      .init(.plain(.host), "The host that it runs on. Without it, that of `server`.", example: "turn1.example.com")
    case .labels:
      .init(.plain(.map(.string)), "What `--target LABEL=VALUE` chooses by.", example: ["region": "eu"])
    }
  }
}
