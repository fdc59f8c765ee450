package import Schema

/// The server under test as a journal names it: without anything secret.
package struct TargetFacts: Hashable, Sendable {
  package var name: String
  /// Its URI.
  package var server: String
  /// The URI under which it speaks TLS, where that is another.
  package var tlsServer: String?
  package var host: String
  package var realm: String?
  package var labels: [String: String]

  package init(
    name: String, server: String = "", tlsServer: String? = nil, host: String = "", realm: String? = nil,
    labels: [String: String] = [:]
  ) {
    self.name = name
    self.server = server
    self.tlsServer = tlsServer
    self.host = host
    self.realm = realm
    self.labels = labels
  }

  package init(_ server: TURNServer) {
    self.init(
      name: server.name, server: server.uri, tlsServer: server.tlsURI, host: server.host, realm: server.realm,
      labels: server.labels)
  }

  package static let record = Record(
    Self.init(name:server:tlsServer:host:realm:labels:),
    Field("name", \.name, .string, "The name under which the project declares it."),
    Field("server", \.server, .string, "Its URI."),
    Field("tlsServer", \.tlsServer, .optional(.string), "The URI under which it speaks TLS, if that is another."),
    Field("host", \.host, .string, "The host of the URI."),
    Field("realm", \.realm, .optional(.string), "The realm that it is expected to use."),
    Field("labels", \.labels, .map(.string), default: [:], "Its labels.")
  )
}

/// Who started a run, as the kernel and sudo tell it.
package struct ActorFacts: Hashable, Sendable {
  package var uid: Int
  package var euid: Int
  /// The user who logged in, which su and sudo do not change; nil if nobody did, or the kernel does not tell.
  package var loginUid: Int?
  /// Who called sudo, by its own word; nil if it was not used.
  package var sudoUser: String?

  package init(uid: Int = 0, euid: Int = 0, loginUid: Int? = nil, sudoUser: String? = nil) {
    self.uid = uid
    self.euid = euid
    self.loginUid = loginUid
    self.sudoUser = sudoUser
  }

  package static let record = Record(
    Self.init(uid:euid:loginUid:sudoUser:),
    Field("uid", \.uid, .int, "Real user id."),
    Field("euid", \.euid, .int, "Effective user id."),
    Field("loginUid", \.loginUid, .optional(.int), "User id of the login, which su and sudo do not change."),
    Field("sudoUser", \.sudoUser, .optional(.string), "Who called sudo, as sudo tells it.")
  )
}

/// The program that runs it.
package struct ToolFacts: Hashable, Sendable {
  package var version: String
  /// The digest of the executable, in hex; nil if it could not be read.
  package var sha256: String?

  package init(version: String, sha256: String? = nil) {
    self.version = version
    self.sha256 = sha256
  }

  package static let record = Record(
    Self.init(version:sha256:),
    Field("version", \.version, .string, "Version of runbook."),
    Field("sha256", \.sha256, .optional(.string), "SHA-256 of the executable, in hex.")
  )
}

/// The types of what a module or a check takes and gives, once in a run.
package struct TypesDeclared: JournalEvent {
  /// The module's name, or `checks/NAME`.
  package var use: String
  /// The module's; nil for a check, whose bytes lie beside the journal.
  package var version: Int?
  package var input: ValueType
  package var output: ValueType

  package init(use: String, version: Int?, input: ValueType, output: ValueType) {
    self.use = use
    self.version = version
    self.input = input.shape
    self.output = output.shape
  }

  package static let type = "types.declared"
  package static let summary = "What a module or check takes and gives, before the first step that uses it."
  package static let record = Record(
    Self.init,
    Field("use", \.use, .string, "The module, or checks/NAME."),
    Field("version", \.version, .optional(.int), "Version of the module; null for a check."),
    Field("input", \.input, .type, "Type of the input."),
    Field("output", \.output, .type, "Type of the output.")
  )
}
