internal import Files
internal import Schema

/// Where a secret comes from. The secret itself never stands in a document.
struct SecretSource: Sendable {
  enum Location: Sendable {
    /// A name of the environment, `.env` included.
    case environment(String)
    /// A file, absolute or relative to the project; one line break at its end is left out.
    case file(String)
    /// A credential that systemd hands over: a file in the folder that `CREDENTIALS_DIRECTORY` names.
    case credential(String)
  }

  var place: Location
  /// Where the document says so.
  var range: SourceRange
  /// What the secret is for, as a sentence names it: `the secret "token"`.
  var subject: String
  /// What to do if it is missing; nil for what its kind of place suggests.
  var advice: String?

  /// The most that is read as one secret.
  private static let maximumSize = 65_536

  /// Reads `{env: NAME}`, `{file: PATH}` or `{credential: NAME}`.
  init?(_ node: YAMLNode, subject: String, log: IssueLog) {
    if case .scalar(let scalar) = node {
      log.error(
        "secret-in-clear", "\(subject) stands here in clear text", at: scalar.range,
        suggestion: "say where it comes from: {env: NAME}, {file: PATH} or {credential: NAME}")
      return nil
    }
    Self.reportClearText(in: node, of: subject, log: log)
    guard let reader = MappingReader<SecretSourceKey>(node, subject: "the source of \(subject)", log: log) else {
      return nil
    }
    self.init(reader, subject: subject)
  }

  /// Reports a secret that stands under a key that the language does not have, so that nothing shows its line.
  static func reportClearText(in node: YAMLNode, of subject: String, log: IssueLog) {
    guard case .mapping(let mapping) = node else { return }
    for entry in mapping.entries where clearKeys.contains(entry.key.text.lowercased()) {
      guard case .scalar(let scalar) = entry.value, !scalar.isMissing else { continue }
      log.error(
        "secret-in-clear", "\(subject) stands here in clear text", at: scalar.range,
        suggestion: "say where it comes from: {env: NAME}, {file: PATH} or {credential: NAME}")
    }
  }

  /// Under which keys people write a secret itself.
  private static let clearKeys: Set = [
    "value", "default", "text", "password", "pass", "passwd", "pwd", "sharedsecret", "static-auth-secret", "token",
  ]

  /// Reads the one of the keys of ``SecretSourceKey`` that is there.
  init?<Key: DocumentKey>(_ reader: MappingReader<Key>, subject: String) {
    let given = reader.alternatives
    guard given.count == 1, let key = given.first, let node = reader[key],
      let kind = SecretSourceKey(rawValue: key.name)
    else {
      let message =
        given.isEmpty ? "\(subject) needs one of env, file and credential" : "\(subject) has more than one source"
      reader.log.error("secret-source", message, at: reader.range)
      return nil
    }
    guard let text = reader.text(key) else { return nil }
    switch kind {
    case .env: place = .environment(text)
    case .file: place = .file(text)
    case .credential:
      guard !text.isEmpty, !text.contains("/"), text != ".", text != ".." else {
        reader.log.error(
          "secret-source", "the name of a credential is the name of a file, without /", at: node.range,
          suggestion: "write the NAME of LoadCredential=NAME:PATH")
        return nil
      }
      place = .credential(text)
    }
    range = node.range
    self.subject = subject
  }

  init(environment name: String, subject: String, range: SourceRange, advice: String? = nil) {
    place = .environment(name)
    self.subject = subject
    self.range = range
    self.advice = advice
  }

  /// The name of the environment that the secret is read from.
  var environmentName: String? { if case .environment(let name) = place { name } else { nil } }

  /// The name of the credential that systemd hands over; nil for a secret from elsewhere.
  var credentialName: String? { if case .credential(let name) = place { name } else { nil } }

  /// The secret; nil, with a report, if there is none. An empty one is none.
  func secret(_ environment: [String: String], root: String, log: IssueLog) -> Secret? {
    guard let text = text(environment, root: root, log: log) else { return nil }
    guard !text.isEmpty else {
      log.error("missing-secret", "\(subject) is empty: \(origin)", at: range, suggestion: "put the secret there")
      return nil
    }
    guard !text.contains("\0") else {
      log.error(
        "missing-secret", "\(subject) holds a NUL character: \(origin)", at: range,
        suggestion: "take the NUL character out")
      return nil
    }
    if text.count < SecretMasking.reliableLength {
      log.warning(
        "secret-short", "\(subject) has fewer than \(SecretMasking.reliableLength) characters: \(origin)", at: range,
        suggestion: "take a longer one: this one is guessed quickly, and masked only where it stands alone")
    }
    return Secret(text)
  }

  /// Where it comes from, as a sentence names it.
  var origin: String {
    switch place {
    case .environment(let name): "\(name) of the environment"
    case .file(let path): path
    case .credential(let name): "the credential \(name)"
    }
  }

  private func text(_ environment: [String: String], root: String, log: IssueLog) -> String? {
    switch place {
    case .environment(let name):
      if let value = environment[name] { return value }
      log.error(
        "missing-secret", "\(subject) is missing: \(name) is not set", at: range,
        suggestion: advice ?? "set \(name) in the environment or in .env")
      return nil
    case .file(let path): return read(path.hasPrefix("/") ? path : "\(root)/\(path)", log)
    case .credential(let name):
      guard let folder = environment["CREDENTIALS_DIRECTORY"] else {
        log.error(
          "missing-secret", "\(subject) is missing: CREDENTIALS_DIRECTORY is not set", at: range,
          suggestion: "run it as a systemd unit with LoadCredential=\(name):PATH")
        return nil
      }
      return read("\(folder)/\(name)", log)
    }
  }

  private func read(_ path: String, _ log: IssueLog) -> String? {
    do {
      let content = try readFile(path, limit: Self.maximumSize)
      if content.metadata.mode & 0o007 != 0 {
        log.warning(
          "secret-readable", "everybody on this machine can read \(path)", at: range, suggestion: "chmod o= \(path)")
      }
      guard var text = String(validating: content.bytes, as: UTF8.self) else {
        log.error(
          "missing-secret", "\(subject) is not UTF-8 text: \(path)", at: range,
          suggestion: "encode it, for example with base64")
        return nil
      }
      // "\r\n" is one character.
      if text.hasSuffix("\n") || text.hasSuffix("\r\n") { text.removeLast() }
      return text
    } catch {
      log.error(
        "missing-secret", "\(subject) is missing: \(path) \(error.clause)", at: range,
        suggestion: error.isMissing
          ? "write it into the file, for this user alone: (umask 077; cat >\(path))"
          : "check the path, and that this user may read the file")
      return nil
    }
  }
}
