package import Addresses

/// A turnserver.conf for a purpose, in which the audit finds nothing but what the version itself brings.
package struct HardenedConfiguration: Sendable {
  package enum Purpose: String, Hashable, Sendable, CaseIterable {
    /// TURN over UDP and TCP; TLS if a certificate is given.
    case minimal
    /// The same with TLS, and a log that tells who did what.
    case recommended
    /// Only TLS 1.2 and later, on one port: no client's name or key material goes over a plain connection.
    case highSecurity = "high-security"
  }

  package enum Access: Hashable, Sendable {
    /// Time-limited credentials that are derived from it. Secret.
    case sharedSecret(String)
    /// Users and their keys, which stand for their passwords. Secret.
    case users([(name: String, key: UserKey)])

    package static func == (one: Access, other: Access) -> Bool { one.lines == other.lines }
    package func hash(into hasher: inout Hasher) { hasher.combine(lines) }

    fileprivate var lines: [String] {
      switch self {
      case .sharedSecret(let secret): ["use-auth-secret", "static-auth-secret=\(secret)"]
      case .users(let users): ["lt-cred-mech"] + users.map { "user=\($0.name):\($0.key.text)" }
      }
    }
  }

  /// Why there can be no such file.
  package struct Refusal: Error, Hashable, Sendable {
    /// What cannot be, in a sentence without a full stop; never with a secret.
    package let message: String
  }

  package var version: CoturnVersion
  package var purpose: Purpose
  package var realm: String
  /// By which clients and peers reach the server.
  package var publicAddress: IPAddress
  /// Of the host, if a NAT stands before it.
  package var privateAddress: IPAddress?
  package var access: Access
  package var listeningPort: UInt16 = 3478
  package var tlsListeningPort: UInt16 = 5349
  package var relayPorts: ClosedRange<UInt16> = 49_152...65_535
  /// The files of certificate and key.
  package var certificate: (chain: String, key: String)?
  /// nil: the system's log.
  package var logFile: String?

  package init(
    _ purpose: Purpose, for version: CoturnVersion, realm: String, publicAddress: IPAddress,
    privateAddress: IPAddress? = nil, access: Access
  ) {
    self.version = version
    self.purpose = purpose
    self.realm = realm
    self.publicAddress = publicAddress
    self.privateAddress = privateAddress
    self.access = access
  }

  /// The file, and what the audit still says of it.
  package func generate() throws(Refusal) -> (text: String, remaining: [AuditFinding]) {
    try check()
    let text = sections.map { section in section.map { $0 + "\n" }.joined() }.joined(separator: "\n")
    let findings = ConfigurationAudit(Array(text.utf8), version).findings.filter { !$0.ifNotBackported }
    if let worst = findings.first(where: { $0.severity >= .high }) {
      throw Refusal(message: String(worst.message.dropLast()))
    }
    return (text, findings)
  }

  private func check() throws(Refusal) {
    guard version >= .oldestKnown, version <= .newestKnown else {
      throw Refusal(
        message:
          "files are written for coturn \(CoturnVersion.oldestKnown) to \(CoturnVersion.newestKnown), not for \(version)"
      )
    }
    if purpose != .minimal, certificate == nil {
      throw Refusal(
        message:
          "the purpose \(purpose.rawValue) needs a certificate and its key: --cert FILE --pkey FILE, or --purpose minimal"
      )
    }
    if let privateAddress, privateAddress.family != publicAddress.family {
      throw Refusal(message: "the public and the private address are of different IP versions")
    }
    for (name, address) in [("public", publicAddress), ("private", privateAddress ?? publicAddress)] {
      if let kind = Self.unusable(address) {
        throw Refusal(message: "the \(name) address \(address) is \(kind): no client or peer reaches a server by it")
      }
    }
    if listeningPort == tlsListeningPort { throw Refusal(message: "the plain port and the TLS port are the same") }
    if listeningPort == 0 || tlsListeningPort == 0 || relayPorts.lowerBound == 0 {
      throw Refusal(message: "a port is 0, by which nobody can reach anything")
    }
    if relayPorts.contains(listeningPort) {
      throw Refusal(message: "the plain port \(listeningPort) is one of the relay ports \(relayPortsText)")
    }
    if certificate != nil, relayPorts.contains(tlsListeningPort) {
      throw Refusal(message: "the TLS port \(tlsListeningPort) is one of the relay ports \(relayPortsText)")
    }
    for (name, text) in [
      ("realm", realm), ("certificate", certificate?.chain), ("key", certificate?.key), ("log file", logFile),
    ] {
      guard let text else { continue }
      guard Self.isPlain(text) else {
        throw Refusal(
          message:
            "the \(name) is empty or longer than 512 bytes, begins with =, or holds a blank, a quote, a #, a semicolon or a control character, which coturn would misread"
        )
      }
    }
    if realm.utf8.count > Self.longestRealm {
      throw Refusal(
        message:
          "the realm has \(realm.utf8.count) bytes; coturn keeps \(Self.longestRealm) of them, so that nobody can log in"
      )
    }
    for (name, path) in [("certificate", certificate?.chain), ("key", certificate?.key), ("log file", logFile)] {
      if let path, !path.hasPrefix("/") { throw Refusal(message: "the path of the \(name) does not begin with /") }
    }
    switch access {
    case .sharedSecret(let secret):
      guard Self.isPlain(secret) else {
        throw Refusal(
          message:
            "the shared secret is empty or longer than 512 bytes, begins with =, or holds a blank, a quote, a #, a semicolon or a control character, which coturn would misread"
        )
      }
    case .users(let users):
      guard !users.isEmpty else { throw Refusal(message: "there is no user") }
      for user in users where !Self.isPlain(user.name) || user.name.contains(":") {
        throw Refusal(
          message:
            "a user's name is empty or longer than 512 bytes, begins with =, or holds a blank, a colon, a quote, a #, a semicolon or a control character"
        )
      }
    }
  }

  private var relayPortsText: String { "\(relayPorts.lowerBound) to \(relayPorts.upperBound)" }

  /// As many bytes as coturn keeps of a realm.
  private static let longestRealm = 127

  /// What an address is, if no server can be reached by it from elsewhere.
  private static func unusable(_ address: IPAddress) -> String? {
    switch address.unmapped {
    case .v4(let number):
      switch number >> 24 {
      case 0: return "unspecified"
      case 127: return "a loopback address"
      case 224...239: return "a multicast address"
      default: break
      }
      if number == .max { return "the broadcast address" }
      return number >> 16 == 0xA9FE ? "a link-local address" : nil
    case .v6(let high, let low):
      if high == 0, low <= 1 { return low == 0 ? "unspecified" : "a loopback address" }
      if high >> 56 == 0xFF { return "a multicast address" }
      return high >> 54 == 0xFE80 >> 6 ? "a link-local address" : nil
    }
  }

  /// Whether coturn reads a value back as it is written. It drops every = before a value, and cuts lines of more than 1023 bytes.
  private static func isPlain(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.first != UInt8(ascii: "=") && text.utf8.count <= 512
      && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && !"\"#;".unicodeScalars.contains($0) }
  }

  private func knows(_ name: String) -> Bool { OptionTable(version)[name] != nil }

  /// Those of some lines whose options the version knows.
  private func known(_ lines: String...) -> [String] {
    let options = OptionTable(version)
    return lines.filter { options[String($0.prefix { $0 != "=" })] != nil }
  }

  private var sections: [[String]] {
    [
      head, addresses, ["# Who is let in.", "realm=\(realm)"] + access.lines, encryption, peers, limits, administration,
      logging,
    ]
  }

  private var head: [String] {
    [
      "# coturn \(version), purpose \(purpose.rawValue). It holds secrets: mode 0640, owner root, group of the service.",
      "# A comment behind a value would belong to the value.",
    ]
  }

  private var addresses: [String] {
    let own = privateAddress ?? publicAddress
    var lines = ["# Where it listens and relays.", "listening-ip=\(own)", "relay-ip=\(own)"]
    if let privateAddress { lines.append("external-ip=\(publicAddress)/\(privateAddress)") }
    lines += ["listening-port=\(listeningPort)"]
    if certificate != nil { lines.append("tls-listening-port=\(tlsListeningPort)") }
    lines += ["min-port=\(relayPorts.lowerBound)", "max-port=\(relayPorts.upperBound)"]
    if purpose == .highSecurity { lines += ["# TLS only.", "no-udp", "no-tcp"] }
    return lines + ["fingerprint"]
  }

  private var encryption: [String] {
    guard let certificate else { return ["# No certificate, no TLS.", "no-tls"] + noDTLS }
    var lines = ["# TLS.", "cert=\(certificate.chain)", "pkey=\(certificate.key)"]
    lines += known("no-tlsv1", "no-tlsv1_1", "dh2066") + noDTLS
    if purpose == .highSecurity { lines.append("cipher-list=\(CipherList.recommended(for: version))") }
    return lines
  }

  /// From 4.17.0 on DTLS is off, and turning it off logs a warning.
  private var noDTLS: [String] { version < CoturnVersion(4, 17) ? ["no-dtls"] : [] }

  private var peers: [String] {
    var lines = ["# Whom clients do not reach through it.", "no-multicast-peers", "no-tcp-relay"]
    lines += known("no-loopback-peers")
    let blocks = Self.deniedBlocks + (purpose == .highSecurity ? Self.reservedBlocks : [])
    let ranges = blocks.compactMap { block -> (first: IPAddress, last: IPAddress)? in
      let parts = block.split(separator: "/")
      guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]) else { return nil }
      return PeerRange.block(address, length)
    }
    lines += ranges.map { $0.first == $0.last ? "denied-peer-ip=\($0.first)" : "denied-peer-ip=\($0.first)-\($0.last)" }
    let denied = PeerRanges(ranges, version)
    // Relays of this server talk to each other by these addresses.
    let own = [publicAddress, privateAddress].compactMap(\.self).filter {
      denied.touches($0, $0) && !Self.isLoopback($0)
    }
    return lines + own.map { "allowed-peer-ip=\($0)" }
  }

  private static func isLoopback(_ address: IPAddress) -> Bool { AuditNotes.isLoopback("\(address)") }

  /// Networks that belong to somebody, this host's own among them, and IPv6 addresses with an IPv4 address inside.
  ///
  /// coturn passes over an end of `::`, so that `::/128` and `::/96` cannot be denied: from 4.5.2 on `::` is refused of itself.
  private static let deniedBlocks = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "2002::/16", "fc00::/7", "fe80::/10",
  ]
  /// What is reserved besides: documentation, benchmarks, relics, the future.
  private static let reservedBlocks = [
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "fec0::/10", "ff00::/8",
  ]

  private var limits: [String] {
    let (user, total) =
      switch purpose {
      case .minimal: (12, 1200)
      case .recommended: (12, 1200)
      case .highSecurity: (6, 600)
      }
    return [
      "# How much they may take; max-bps counts bytes in a second, of one session.", "user-quota=\(user)",
      "total-quota=\(total)", "max-bps=1250000", "stale-nonce=600",
    ] + known("unauthorized-ratelimit")
  }

  /// In the folder that `RuntimeDirectory=turnserver` makes for the server's user.
  package static let pidFile = "/run/turnserver/turnserver.pid"

  private var administration: [String] {
    var lines = ["# What it does not offer."]
    if version < CoturnVersion(4, 10) { lines.append("no-cli") }
    lines += known("no-http")
    if version < CoturnVersion(4, 7) { lines += known("no-rfc5780", "no-stun-backward-compatibility") }
    lines += knows("no-software-attribute") ? ["no-software-attribute"] : known("prod")
    return lines
  }

  private var logging: [String] {
    var lines = ["# Its log."]
    lines += logFile.map { ["log-file=\($0)", "simple-log"] } ?? ["syslog"]
    lines.append("no-stdout-log")
    // From 4.17.0 on times are written of themselves.
    if version < CoturnVersion(4, 17) { lines += known("new-log-timestamp") }
    if purpose != .minimal { lines.append("verbose") }
    return lines + [
      "# By this file p1-outage knows the server. It needs RuntimeDirectory=turnserver in the unit of systemd, and no empty --pidfile=.",
      "pidfile=\(Self.pidFile)",
    ]
  }
}
