internal import Addresses
internal import Schema

/// A server that `runbook.yaml` declares, its secrets not yet read.
struct TargetDeclaration: Sendable {
  var name: String
  var server: String
  /// Where it speaks TLS, where that is another than ``server``.
  var tlsServer: String?
  var username: String?
  var credential: SecretSource?
  var secret: SecretSource?
  var realm: String?
  var ca: NamedFile?
  var certificate: NamedFile?
  var key: NamedFile?
  var host: String
  var labels: [String: String]
  var range: SourceRange

  /// Reads one entry of `targets`.
  init?(name: YAMLNode.Scalar, _ node: YAMLNode, log: IssueLog) {
    SecretSource.reportClearText(in: node, of: "a secret of the target \"\(name.text)\"", log: log)
    guard let reader = MappingReader<TargetKey>(node, subject: "the target \"\(name.text)\"", log: log) else {
      return nil
    }
    let errors = log.issues.count
    self.name = name.text
    range = name.range
    let isNamed = isDocumentName(name.text) && name.text != "all"
    if !isNamed {
      log.error(
        "target-name", "a target's name is made of lower-case letters, digits and hyphens, and is not \"all\"",
        at: name.range, suggestion: "rename the target")
    }
    username = reader.text(.username)
    credential = reader[.credential].flatMap {
      SecretSource($0, subject: "the credential of the target \"\(name.text)\"", log: log)
    }
    secret = reader[.secret].flatMap {
      SecretSource($0, subject: "the secret of the target \"\(name.text)\"", log: log)
    }
    realm = reader.text(.realm)
    ca = Self.file(reader, .ca)
    certificate = Self.file(reader, .certificate)
    key = Self.file(reader, .key)
    labels = [:]
    if case .members(let members) = reader.literal(.labels) {
      for member in members { if case .string(let text) = member.value { labels[member.name] = text } }
    }
    if credential != nil, secret != nil {
      log.error(
        "two-credentials", "a target has a credential or a REST secret, not both: coturn accepts only one kind",
        at: reader.keyRange(.secret) ?? reader.range, suggestion: "remove the one that the server does not use")
    }
    if reader[.credential] != nil, reader[.username] == nil {
      log.error("missing-key", "a target with a credential needs the key \"username\"", at: reader.range)
    }
    for (given, other) in [(TargetKey.certificate, TargetKey.key), (.key, .certificate)]
    where reader[given] != nil && reader[other] == nil {
      log.error("missing-key", "a target with a \(given.name) needs the key \"\(other.name)\"", at: reader.range)
    }
    server = reader.text(.server) ?? ""
    tlsServer = reader.text(.tlsServer).flatMap {
      checkedURI($0, named: "tlsServer", .turns, at: reader[.tlsServer]?.range ?? reader.range, log: log)
    }
    host = reader.text(.host) ?? turnHost(server) ?? ""
    guard log.issues.count == errors, !server.isEmpty, !host.isEmpty else { return nil }
    Self.checkName(username, at: reader[.username]?.range ?? reader.range, log: log)
  }

  private static func file(_ reader: MappingReader<TargetKey>, _ key: TargetKey) -> NamedFile? {
    reader.text(key).flatMap { path in reader[key].map { NamedFile(path: path, range: $0.range) } }
  }

  static let serverName = "TURN_SERVER"
  static let tlsServerName = "TURN_TLS_SERVER"
  private static let credentialName = "TURN_CREDENTIAL"
  private static let secretName = "TURN_SECRET"
  /// The names of the environment that the one target takes secrets from.
  static let defaultSecretNames: Set = [credentialName, secretName]

  /// The one target of a project that declares none, from the names of ``ProjectEnvironment/targetNames``: `TURN_SERVER`, or
  /// `TURN_TLS_SERVER` alone, and what belongs to it. Nil if neither is set, or one is no URI, which is reported.
  init?(_ environment: ProjectEnvironment, log: IssueLog) {
    let places = environment.places
    func place(_ name: String) -> SourceRange { places[name] ?? SourceRange(file: "$\(name)", line: 1, column: 1) }
    func value(_ name: String) -> String? { environment.values[name].flatMap { $0.isEmpty ? nil : $0 } }
    func file(_ name: String) -> NamedFile? { value(name).map { NamedFile(path: $0, range: place(name)) } }
    let errors = log.issues.count
    func uri(_ text: String?, _ name: String, _ scheme: ServerURI.Scheme) -> String? {
      text.flatMap { checkedURI($0, named: name, scheme, at: place(name), log: log) }
    }
    let plain = uri(environment.values[Self.serverName], Self.serverName, .turn)
    tlsServer = uri(value(Self.tlsServerName), Self.tlsServerName, .turns)
    guard log.issues.count == errors, let server = plain ?? tlsServer else { return nil }
    name = "default"
    self.server = server
    host = turnHost(server) ?? ""
    username = value("TURN_USERNAME")
    labels = [:]
    range = place(plain == nil ? Self.tlsServerName : Self.serverName)
    realm = value("TURN_REALM")
    ca = file("TURN_CA")
    certificate = file("TURN_CERT")
    key = file("TURN_KEY")
    for (given, other) in [
      ("TURN_CERT", "TURN_KEY"), ("TURN_KEY", "TURN_CERT"), (Self.credentialName, "TURN_USERNAME"),
    ]
    where value(given) != nil && value(other) == nil {
      log.error(
        "missing-key", "\(given) is set and \(other) is not: one is of no use without the other", at: place(given),
        suggestion: environment.nameMeant(for: other))
    }
    if value(Self.secretName) != nil, value(Self.credentialName) != nil {
      log.error(
        "two-credentials", "\(Self.credentialName) and \(Self.secretName) are both set; a server takes only one kind",
        at: place(Self.secretName), suggestion: "unset the one that the server does not use")
    }
    if value(Self.secretName) != nil {
      secret = SecretSource(
        environment: Self.secretName, subject: "the secret of the target", range: place(Self.secretName))
    } else if username != nil {
      let range = places[Self.credentialName] ?? place("TURN_USERNAME")
      credential = SecretSource(
        environment: Self.credentialName, subject: "the credential of the target", range: range,
        advice: environment.nameMeant(for: Self.credentialName) ?? environment.nameMeant(for: Self.secretName))
    }
    // An error names what was meant already.
    if log.issues.count == errors { environment.warnOfMistypedNames(log: log) }
    Self.checkName(username, at: place("TURN_USERNAME"), log: log)
  }

  /// Warns of a name of time-limited credentials whose time is in milliseconds: no server would let it end.
  private static func checkName(_ username: String?, at place: SourceRange, log: IssueLog) {
    guard let time = username?.prefix(while: { $0 != ":" }), time.utf8.count == 13,
      time.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return }
    log.warning(
      "time-in-milliseconds", "the user name begins with a time in milliseconds; servers read it as seconds",
      at: place, suggestion: "the name of a time-limited credential is SECONDS:NAME, here \(time.dropLast(3)):NAME")
  }

  /// The names of the environment that its secrets are read from.
  var secretNames: [String] { [credential, secret].compactMap { $0?.environmentName } }

  /// The server with its secrets; nil, with a report, if one is missing.
  func server(_ environment: [String: String], root: String, log: IssueLog) -> TURNServer? {
    let password = credential.map { $0.secret(environment, root: root, log: log) }
    let shared = secret.map { $0.secret(environment, root: root, log: log) }
    // A secret that is declared and was not found.
    if case .some(.none) = password { return nil }
    if case .some(.none) = shared { return nil }
    let files = certificateFiles(root: root)
    return TURNServer(
      name: name, uri: server, tlsURI: tlsServer, host: host, username: username,
      credential: password.flatMap(\.self), secret: shared.flatMap(\.self), realm: realm, ca: files.ca,
      certificate: files.certificate, key: files.key, labels: labels)
  }
}

/// The host of a STUN or TURN URI (RFC 7064, RFC 7065); nil if the text is none.
private func turnHost(_ uri: String) -> String? { (try? ServerURI(parsing: uri))?.host }

/// The text, where it is the URI of a server, and of one over TLS where the scheme is; nil, with a report, if it is not.
///
/// - Parameter scheme: the one to write where the text has none.
private func checkedURI(
  _ text: String, named name: String, _ scheme: ServerURI.Scheme, at place: SourceRange, log: IssueLog
) -> String? {
  do { _ = try ValueType.turnURI.parse(text) } catch {
    log.error("type-mismatch", "\(name): \(error.message)", at: place, suggestion: uriAdvice(on: text, scheme))
    return nil
  }
  guard scheme.isSecure, (try? ServerURI(parsing: text))?.scheme.isSecure != true else { return text }
  log.error(
    "type-mismatch", "\(name): \"\(text)\" is not encrypted; turns: and stuns: are", at: place,
    suggestion: "write a URI that begins with turns: or stuns:")
  return nil
}
