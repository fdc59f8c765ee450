/// A turnserver.conf as one version of coturn takes it.
package struct TurnConfiguration: Sendable {
  /// The version whose rules are applied: the nearest one that is known.
  package let version: CoturnVersion
  /// Every line that says something, known to the version or not.
  package let lines: [ConfigurationLine]
  package let options: OptionTable
  private let places: [String: [Int]]

  package init(_ bytes: [UInt8], _ version: CoturnVersion) {
    let known = min(max(version, .oldestKnown), .newestKnown)
    let lines = ConfigurationLine.lines(of: bytes, known)
    var places: [String: [Int]] = [:]
    for (index, line) in lines.enumerated() { places[line.name, default: []].append(index) }
    self.version = known
    self.lines = lines
    self.places = places
    options = OptionTable(known)
  }

  /// The lines of an option, if the version knows it.
  package func all(_ name: String) -> [ConfigurationLine] {
    options[name] == nil ? [] : (places[name] ?? []).map { lines[$0] }
  }

  /// The line of an option that decides: the last.
  package func last(_ name: String) -> ConfigurationLine? {
    options[name] == nil ? nil : places[name]?.last.map { lines[$0] }
  }

  /// The value of an option; nil if it is missing or empty.
  package func value(_ name: String) -> String? {
    last(name).flatMap { $0.value.isEmpty ? nil : $0.value }
  }

  /// The number of an option; nil if it is missing.
  package func number(_ name: String) -> Int? { last(name).map { ConfigurationOption.number($0.value) } }

  /// Whether a switch is on.
  package func isOn(_ name: String) -> Bool { line(turningOn: name) != nil }

  /// The line that turns a switch on; nil if it is off.
  package func line(turningOn name: String) -> ConfigurationLine? {
    guard let line = last(name), let option = options[name] else { return nil }
    switch option.kind {
    case .presence: return line
    case .flag: return ConfigurationOption.flag(line.value) == true ? line : nil
    default: return nil
    }
  }
}

extension TurnConfiguration {
  /// How clients prove themselves.
  package enum Authentication: Hashable, Sendable {
    /// Everybody gets an allocation: `no-auth`, or nothing that would ask for a credential.
    case none(asked: ConfigurationLine?)
    /// Users with passwords.
    case users
    /// Time-limited credentials that are derived from a shared secret.
    case sharedSecret
  }

  package var sharedSecretLine: ConfigurationLine? {
    [last("use-auth-secret"), last("static-auth-secret")].compactMap(\.self).min { $0.number < $1.number }
  }

  /// The users of the file that the server takes, if it takes users at all.
  package var users: [UserLine] { all("user").compactMap(UserLine.init) }

  /// What `lt-cred-mech`, the shared secret and `no-auth` come to, in the order in which they stand.
  package var authentication: Authentication {
    if let line = line(turningOn: "no-auth") { return .none(asked: line) }
    guard asksWithoutSwitch else { return .none(asked: nil) }
    return sharedSecretLine == nil ? .users : .sharedSecret
  }

  /// Whether clients would be asked for a credential if `no-auth` were not there.
  package var asksWithoutSwitch: Bool {
    var asks = false
    for line in lines {
      switch line.name {
      case "use-auth-secret", "static-auth-secret": asks = true
      case "lt-cred-mech": asks = ConfigurationOption.flag(line.value) == true
      default: break
      }
    }
    return asks || sharedSecretLine == nil && !users.isEmpty
  }

  /// Whether it relays at all.
  package var relays: Bool { !isOn("stun-only") }

  /// Whether both the certificate and its key are named. coturn would look for the other by a name of its own.
  private var hasCertificate: Bool { value("cert") != nil && value("pkey") != nil }

  /// Whether it would listen for TLS if it had a certificate and its key.
  package var wantsTLS: Bool { !isOn("no-tls") }

  /// Whether it would listen for DTLS: unless it is turned off, and from 4.17.0 on only if asked for.
  package var wantsDTLS: Bool { version < CoturnVersion(4, 17) ? !isOn("no-dtls") : isOn("dtls") }

  /// Whether it listens for TLS, if the certificate and its key can be read.
  package var listensOnTLS: Bool { hasCertificate && wantsTLS }

  /// Whether it listens for DTLS, if the certificate and its key can be read.
  package var listensOnDTLS: Bool { hasCertificate && wantsDTLS }

  /// Whether the telnet CLI listens: without a password up to 4.5.0.8, with one up to 4.9, if asked for from 4.10 on.
  package var hasCommandLineInterface: Bool {
    if version >= CoturnVersion(4, 10) { return isOn("cli") && value("cli-password") != nil }
    if isOn("no-cli") { return false }
    return version < CoturnVersion(4, 5, 1) || value("cli-password") != nil
  }

  /// Whether the web administration answers: always in 4.5.0, unless `no-http` is set.
  package var hasWebAdministration: Bool {
    if version < CoturnVersion(4, 5, 1) { return !isOn("no-http") }
    return isOn("web-admin") && !(version >= CoturnVersion(4, 6, 2) && isOn("no-tls"))
  }
}

/// One `user=NAME:PASSWORD` that the server takes.
package struct UserLine: Hashable, Sendable {
  package let line: Int
  package let name: String
  /// A password, or a key as `0x` and 32 hexadecimal digits. Secret.
  package let password: String

  package init?(_ line: ConfigurationLine) {
    let parts = line.value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    let password = String(parts[1].drop { $0 == " " || $0 == "\t" })
    if password.hasPrefix("0x"), !Self.isKey(password) { return nil }
    self.line = line.number
    name = String(parts[0])
    self.password = password
  }

  package var isKey: Bool { Self.isKey(password) }

  private static func isKey(_ text: String) -> Bool {
    text.hasPrefix("0x") && text.utf8.count >= 34 && text.dropFirst(2).prefix(32).allSatisfy(\.isHexDigit)
  }
}
