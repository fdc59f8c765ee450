internal import Schema

/// The keys of the source of a secret.
package enum SecretSourceKey: String, DocumentKey {
  case env, file, credential

  package static let mappingName = "secret source"

  package var declaration: KeyDeclaration {
    switch self {
    case .env: .init(.plain(.string), "A name of the environment, `.env` included.", .alternative, example: "API_TOKEN")
    case .file:
      .init(
        .plain(.path), "A file; one line break at its end is left out.", .alternative, example: "/etc/runbook/token")
    case .credential:
      .init(.plain(.string), "A credential of systemd (`LoadCredential`).", .alternative, example: "token")
    }
  }
}

/// The keys of one secret that a runbook declares: those of its source, and what is said of it.
package enum SecretKey: String, DocumentKey {
  case env, file, credential, optional, doc

  package static let mappingName = "secret"

  package var declaration: KeyDeclaration {
    switch self {
    case .env: SecretSourceKey.env.declaration
    case .file: SecretSourceKey.file.declaration
    case .credential: SecretSourceKey.credential.declaration
    case .optional: .init(.plain(.bool), "If `true`, it may be missing: `secrets.NAME.present` asks for it.")
    case .doc: .init(.prose, "What it is for.")
    }
  }
}
