internal import Addresses
internal import Schema

/// A server that `runbook.yaml` declares, its secrets not yet read.
struct TargetDeclaration: Sendable {
  var name: String
  var server: String
  var username: String?
  var credential: SecretSource?
  var secret: SecretSource?
  var ca: String?
  var host: String
  var labels: [String: String]
  var range: SourceRange

  static let keys = KeyTable(
    known: ["server", "username", "credential", "secret", "ca", "host", "labels"], required: ["server"])

  /// Reads one entry of `targets`.
  init?(name: Node.Scalar, _ node: Node, log: IssueLog) {
    guard let reader = MappingReader(node, subject: "the target \"\(name.text)\"", Self.keys, log: log) else {
      return nil
    }
    let errors = log.issues.count
    self.name = name.text
    range = name.range
    let isNamed = isDocumentName(name.text) && name.text != "all"
    if !isNamed {
      log.error(
        "target-name", "a target's name is made of lower-case letters, digits and hyphens, and is not \"all\"",
        at: name.range)
    }
    username = reader.text("username")
    credential = reader["credential"].flatMap {
      SecretSource($0, subject: "the credential of the target \"\(name.text)\"", log: log)
    }
    secret = reader["secret"].flatMap {
      SecretSource($0, subject: "the secret of the target \"\(name.text)\"", log: log)
    }
    ca = Self.text(reader, "ca", .path)
    labels = [:]
    if case .members(let members) = reader.literal("labels", as: .map(.string)) {
      for member in members { if case .string(let text) = member.value { labels[member.name] = text } }
    }
    if credential != nil, secret != nil {
      log.error(
        "two-credentials", "a target has a credential or a REST secret, not both: coturn accepts only one kind",
        at: reader.keyRange("secret") ?? reader.range)
    }
    if reader["credential"] != nil, reader["username"] == nil {
      log.error("missing-key", "a target with a credential needs the key \"username\"", at: reader.range)
    }
    server = Self.text(reader, "server", .turnURI) ?? ""
    host = Self.text(reader, "host", .host) ?? turnHost(server) ?? ""
    guard log.issues.count == errors, !server.isEmpty, !host.isEmpty else { return nil }
  }

  private static func text(_ reader: MappingReader, _ key: String, _ type: ValueType) -> String? {
    if case .string(let text) = reader.literal(key, as: type) { text } else { nil }
  }

  private static let credentialName = "TURN_CREDENTIAL"
  private static let secretName = "TURN_SECRET"
  /// The names of the environment that the one target takes secrets from.
  static let defaultSecretNames: Set = [credentialName, secretName]

  /// The one target of a project that declares none, from `TURN_SERVER`, `TURN_USERNAME` and `TURN_CREDENTIAL` or
  /// `TURN_SECRET`, and `TURN_CA`; nil where `TURN_SERVER` is not set, or is no URI, which is reported.
  init?(environment: [String: String], log: IssueLog) {
    guard let server = environment["TURN_SERVER"] else { return nil }
    let range = SourceRange(file: ".env", line: 1, column: 1)
    do { _ = try ValueType.turnURI.parse(server) } catch {
      log.error("type-mismatch", "TURN_SERVER: \(error.message)", at: range)
      return nil
    }
    name = "default"
    self.server = server
    host = turnHost(server) ?? ""
    username = environment["TURN_USERNAME"]
    labels = [:]
    self.range = range
    ca = environment["TURN_CA"]
    if environment[Self.secretName] != nil, environment[Self.credentialName] != nil {
      log.error(
        "two-credentials", "\(Self.credentialName) and \(Self.secretName) are both set; a server takes only one kind",
        at: range)
    }
    if environment[Self.secretName] != nil {
      secret = SecretSource(environment: Self.secretName, subject: "the secret of the target", range: range)
    } else if environment[Self.credentialName] != nil || username != nil {
      credential = SecretSource(
        environment: Self.credentialName, subject: "the credential of the target", range: range)
    }
  }

  /// The server with its secrets; nil, with a report, where one is missing.
  func server(_ environment: [String: String], root: String, log: IssueLog) -> TURNServer? {
    let password = credential.map { $0.secret(environment, root: root, log: log) }
    let shared = secret.map { $0.secret(environment, root: root, log: log) }
    // A secret that is declared and was not found.
    if case .some(.none) = password { return nil }
    if case .some(.none) = shared { return nil }
    return TURNServer(
      name: name, uri: server, host: host, username: username, credential: password.flatMap(\.self),
      secret: shared.flatMap(\.self), ca: ca.map { $0.hasPrefix("/") ? $0 : "\(root)/\($0)" }, labels: labels)
  }
}

/// The host of a STUN or TURN URI (RFC 7064, RFC 7065); nil where the text is none.
private func turnHost(_ uri: String) -> String? { (try? ServerURI(parsing: uri))?.host }
