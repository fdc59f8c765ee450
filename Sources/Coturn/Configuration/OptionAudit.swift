import Schema

/// Item 32: options that are unknown, removed or not read as they were meant, and lines that end the server.
extension AuditNotes {
  mutating func auditLines() {
    let known = configuration.lines.contains { OptionTable.span(of: $0.name) != nil }
    if !known, !configuration.lines.isEmpty {
      add(
        .notAConfiguration, .word("file"), .critical, nil,
        "No line of this file is an option of coturn. The server would warn of each, and run with its defaults: as an open relay."
      )
    }
    for line in configuration.lines {
      if line.isRest, hasRoom(for: .lineCut) {
        add(
          .lineCut, .word("line"), .medium, line.number,
          "The line is longer than the 1023 bytes that coturn reads at a time: the rest is read as a line of its own.")
      }
      if let option = configuration.options[line.name] {
        audit(line, option)
      } else {
        auditUnknown(line)
      }
    }
    auditCombinations()
  }

  private mutating func audit(_ line: ConfigurationLine, _ option: ConfigurationOption) {
    switch option.kind {
    case .flag:
      guard ConfigurationOption.flag(line.value) == nil else { break }
      add(
        .optionEndsServer, 32, .critical, line.number,
        "The value of \(line.name) is neither on nor off\(line.hasComment ? ": a comment behind it belongs to the value" : ""). coturn logs \"Unknown boolean value\" and does not start.",
        instead: meantSwitch(line), endsServer: true)
    case .port where version >= CoturnVersion(4, 13):
      guard !ConfigurationOption.isPort(line.value) else { break }
      let meant = line.valueWithoutComment.trimmed
      add(
        .optionEndsServer, 32, .critical, line.number,
        "The value of \(line.name) is no port. From 4.13.0 on coturn does not start with it.",
        instead: UInt16(meant).map { "\(line.name)=\($0)" }, endsServer: true)
    case .ignored where line.name == "no-cli":
      add(
        .optionRemoved, 32, .low, line.number,
        "no-cli does nothing from 4.10.0 on but log an error: the CLI is off unless cli is set.", instead: "")
    case .ignored where line.name == "secret-ts-exp-time":
      add(.optionRemoved, 32, .low, line.number, "secret-ts-exp-time does nothing but log a warning.", instead: "")
    case .flag where line.name == "no-dtls" && version >= CoturnVersion(4, 17): break
    case .text, .path, .address: auditComment(line, option)
    case .secret where line.hasComment: auditComment(line, option)
    default: break
    }
    if line.name == "no-dtls", version >= CoturnVersion(4, 17), ConfigurationOption.flag(line.value) != nil {
      add(
        .optionRemoved, 32, .low, line.number,
        "no-dtls only logs a warning from 4.17.0 on: DTLS is off unless dtls is set.",
        instead: ConfigurationOption.flag(line.value) == true ? "" : "dtls")
    }
    if line.endsWithSemicolon, option.kind != .range { auditSemicolon(line, option) }
  }

  /// A switch as it was meant; nil if that cannot be told.
  private func meantSwitch(_ line: ConfigurationLine) -> String? {
    var value = line.valueWithoutComment.trimmed
    while value.hasSuffix(";") { value = String(value.dropLast()).trimmed }
    // Today the server does not start; a line that opens it is no mending.
    let on = Self.opening[line.name] == nil ? line.name : ""
    if value.isEmpty { return on }
    if let isOn = ConfigurationOption.flag(value) { return isOn ? on : "\(line.name)=no" }
    switch value.lowercased() {
    case "on", "enable", "enabled": return on
    case "off", "disable", "disabled": return "\(line.name)=no"
    default: return nil
    }
  }

  private mutating func auditComment(_ line: ConfigurationLine, _ option: ConfigurationOption) {
    guard line.hasComment, hasRoom(for: .valueHasComment) else { return }
    let meant = line.valueWithoutComment
    let isSecret = option.kind == .secret
    let severity: AuditSeverity =
      ["cert", "pkey", "realm", "static-auth-secret", "external-ip", "listening-ip", "relay-ip"].contains(line.name)
      ? .high : .medium
    add(
      .valueHasComment, .word("comment"), severity, line.number,
      "What stands behind the value of \(line.name) as a comment belongs to the value: coturn knows comments at the beginning of a line only.",
      instead: isSecret || meant.isEmpty ? nil : "\(line.name)=\(meant)")
  }

  private mutating func auditSemicolon(_ line: ConfigurationLine, _ option: ConfigurationOption) {
    guard option.kind != .flag || ConfigurationOption.flag(line.value) != nil else { return }
    let isSecret = option.kind == .secret
    var value = line.value
    while value.hasSuffix(";") { value = String(value.dropLast()).trimmed }
    add(
      .optionUnknown, 32, .medium, line.number,
      "The line ends in a semicolon, which belongs to the value of \(line.name). coturn warns of it.",
      instead: isSecret ? nil : value.isEmpty ? line.name : "\(line.name)=\(value)")
  }

  private mutating func auditUnknown(_ line: ConfigurationLine) {
    if let span = OptionTable.span(of: line.name) {
      if hasRoom(for: .optionUnknown) || hasRoom(for: .optionRemoved) { auditOther(line, span) }
      return
    }
    guard hasRoom(for: .optionUnknown) else { return noteUnlisted(.optionUnknown, 32, .low) }
    let meant = meantOption(line)
    let shown = meant == nil ? "" : " \"\(shownName(line))\""
    if let meant, let effect = Self.opening[meant] {
      add(
        .optionUnknown, 32, .medium, line.number,
        "coturn knows no option\(shown). It logs \"Bad configuration format\" and ignores the line. Take it away: \(meant), if that was meant, would open the server, since it \(effect).",
        instead: "")
      return
    }
    let suggestion = meant.map { "; did you mean \($0)?" } ?? "."
    add(
      .optionUnknown, 32, isAboutSecurity(meant ?? line.name) ? .medium : .low, line.number,
      "coturn knows no option\(shown). It logs \"Bad configuration format\" and goes on without the line\(suggestion)",
      instead: meant.flatMap { correction(line, $0) })
  }

  /// The options that open the server to more than it lets in without them, and how. A mistyped one is never put right.
  private static let opening = [
    "no-auth": "lets everybody relay", "oauth": "takes tokens in place of credentials",
    "no-auth-pings": "turns off the checks of the database",
    "no-dynamic-ip-list": "passes over the addresses that the database denies",
    "allow-loopback-peers": "lets clients reach this host itself",
    "allowed-peer-ip": "lets clients reach these peers though they are denied",
    "server-relay": "lets peers in without a permission",
    "cli": "turns on the telnet CLI", "web-admin": "turns on the web administration",
    "web-admin-listen-on-workers": "offers the web administration on the ports of clients",
    "prometheus": "shows metrics to whoever asks", "tlsv1": "turns on TLS 1.0", "tlsv1_1": "turns on TLS 1.1",
    "no-tlsv1_2": "turns off TLS 1.2", "dh566": "uses keys that can be broken",
    "dh1066": "uses keys that can be broken", "rfc5780": "answers to addresses that did not ask",
    "stun-backward-compatibility": "answers messages of the old protocol",
    "rfc3489-compatibility": "answers messages of the old protocol",
  ]

  /// An option of another version.
  private mutating func auditOther(_ line: ConfigurationLine, _ span: (since: CoturnVersion, before: CoturnVersion?)) {
    let name = line.name
    if version < span.since {
      add(
        .optionUnknown, 32, isAboutSecurity(name) ? .medium : .low, line.number,
        "\(name) exists from \(span.since) on: coturn \(version) logs \"Bad configuration format\" and goes on without it.",
        instead: Self.older(name, version))
      return
    }
    let removed = span.before.map { " It was removed in \($0)." } ?? ""
    let meaning = Self.meaningOfRemoved[name].map { " \($0)" } ?? ""
    add(
      .optionRemoved, 32, .low, line.number,
      "coturn \(version) does not know \(name): it logs \"Bad configuration format\" and goes on without it.\(removed)\(meaning)",
      instead: Self.newer(name, version))
  }

  private static let meaningOfRemoved = [
    "no-loopback-peers": "Loopback peers are refused unless allow-loopback-peers is set.",
    "no-tlsv1": "TLS 1.0 is off unless tlsv1 is set.",
    "no-tlsv1_1": "TLS 1.1 is off unless tlsv1_1 is set.",
    "no-sslv2": "SSL 2 cannot be had any more.",
    "no-sslv3": "SSL 3 cannot be had any more.",
    "no-stun-backward-compatibility": "The old messages are off unless stun-backward-compatibility is set.",
    "prod": "The SOFTWARE attribute is off unless software-attribute is set.",
    "no-http": "The web administration is off unless web-admin is set.",
    "dh2066": "Diffie-Hellman has 2066 bits unless another length is set.",
    "secret-ts-exp-time": "It had no effect before.",
  ]

  /// What stands for an option that was removed; empty: nothing is needed.
  private static func newer(_ name: String, _ version: CoturnVersion) -> String? {
    meaningOfRemoved[name] == nil && name != "ne" ? nil : ""
  }

  /// What an older version has in place of an option; empty: the same comes without it.
  private static func older(_ name: String, _ version: CoturnVersion) -> String? {
    switch name {
    case "no-software-attribute" where version >= CoturnVersion(4, 5, 0, 6): "prod"
    case "cli", "dtls", "rfc5780", "stun-backward-compatibility", "software-attribute", "tlsv1", "tlsv1_1": nil
    case "unauthorized-ratelimit", "unauthorized-ratelimit-rps", "no-rfc5780", "no-stun-backward-compatibility": ""
    case "udp-recvmmsg", "drop-invalid-packets", "stateless-nonce": ""
    default: nil
    }
  }

  /// The option that a mistyped name most likely means.
  private func meantOption(_ line: ConfigurationLine) -> String? {
    let name = shownName(line)
    guard name.count >= 3 else { return nil }
    if configuration.options[name] != nil { return name }
    let joined = name.replacing("_", with: "-").lowercased()
    if configuration.options[joined] != nil { return joined }
    return nearName(to: joined, among: configuration.options.names)
  }

  /// The part of a name that can be an option's, without the hyphens of a command line: what is behind may be a secret.
  private func shownName(_ line: ConfigurationLine) -> String {
    let letters = line.name.drop { $0 == "-" || $0 == "\u{FEFF}" }
    return String(letters.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
  }

  /// The line with the right name; nil if its value would have to be shown and may be secret, or is not of that option.
  private func correction(_ line: ConfigurationLine, _ name: String) -> String? {
    guard let option = configuration.options[name] else { return nil }
    let isNameAlone = line.name.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") || $0 == "\u{FEFF}" || $0 == ";"
    }
    guard isNameAlone, !line.value.hasSuffix(";"), !line.hasComment else { return nil }
    switch option.kind {
    case .flag: return ConfigurationOption.flag(line.value).map { $0 ? name : "\(name)=no" }
    case .presence: return line.value.isEmpty ? name : nil
    case .number: return Int(line.value).map { "\(name)=\($0)" }
    case .port: return UInt16(line.value).map { "\(name)=\($0)" }
    case .range: return PeerRange.meant(by: line).map { "\(name)=\($0)" }
    case .address:
      guard case .address = PeerRange.address(line.value), !line.value.isEmpty else { return nil }
      // Where the CLI, the web administration and the metrics listen: at this host, or it would open the server.
      let isForAdministration = ["cli-ip", "web-admin-ip", "prometheus-address"].contains(name)
      return isForAdministration && !Self.isLoopback(line.value) ? nil : "\(name)=\(line.value)"
    case .path, .text: return line.value.isEmpty ? nil : "\(name)=\(line.value)"
    case .secret, .ignored: return nil
    }
  }

  private func isAboutSecurity(_ name: String) -> Bool {
    [
      "peer", "auth", "secret", "user", "cred", "tls", "cert", "pkey", "quota", "bps", "relay", "realm", "cli", "deni",
      "allow", "nonce",
    ]
    .contains { name.contains($0) }
  }

  /// Options that end the server together.
  private mutating func auditCombinations() {
    if let udp = configuration.line(turningOn: "no-udp-relay"), let tcp = configuration.line(turningOn: "no-tcp-relay")
    {
      add(
        .optionEndsServer, 32, .critical, udp.number,
        "no-udp-relay and no-tcp-relay (line \(tcp.number)) together leave nothing to relay: coturn does not start.",
        instead: "", endsServer: true)
    }
    let asking = ["lt-cred-mech", "use-auth-secret", "static-auth-secret"].compactMap { name in
      name == "lt-cred-mech" ? configuration.line(turningOn: name) : configuration.last(name)
    }
    if let off = configuration.line(turningOn: "no-auth"), let on = asking.first {
      add(
        .optionEndsServer, 32, .critical, off.number,
        "no-auth and \(on.name) cannot be used together: coturn does not start.", instead: "", endsServer: true)
    }
    if let line = configuration.line(turningOn: "allow-loopback-peers"), version < CoturnVersion(4, 10),
      configuration.value("cli-password") == nil,
      !configuration.isOn("no-cli") || version < CoturnVersion(4, 5, 1, 2)
    {
      add(
        .optionEndsServer, 32, .critical, line.number,
        "allow-loopback-peers with an empty cli-password, and without no-cli, ends the server as it starts.",
        instead: "", endsServer: true)
    }
  }
}
