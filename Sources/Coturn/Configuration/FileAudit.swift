import Addresses

/// Item 33, and what else the file says of this host: files, ports, addresses, databases.
extension AuditNotes {
  mutating func auditFiles() {
    auditPrivileges()
    auditCertificateFiles()
    auditCertificateAndKey()
    auditPaths()
    auditPorts()
    auditAddresses()
    auditDatabases()
  }

  private var privilegedPorts: [ConfigurationLine] {
    ["listening-port", "tls-listening-port", "alt-listening-port", "alt-tls-listening-port"].flatMap {
      configuration.all($0)
    }
    .filter { (1..<1024).contains(ConfigurationOption.number($0.value)) }
  }

  private mutating func auditPrivileges() {
    if let line = configuration.last("proc-user"), line.value == "root" {
      add(.runsAsRoot, 33, .high, line.number, "The server keeps the rights of root. Give it a user of its own.")
    }
    for line in privilegedPorts {
      add(
        .privilegedPort, 33, .low, line.number,
        "Port \(ConfigurationOption.number(line.value)) can be opened by root, or with CAP_NET_BIND_SERVICE. Make sure that the server does not run as root for it: AmbientCapabilities=CAP_NET_BIND_SERVICE in its unit."
      )
    }
    if let key = configuration.last("pkey"), !privilegedPorts.isEmpty, !key.value.isEmpty,
      configuration.value("proc-user") == nil, !Self.isPrivateFolder(key.value)
    {
      add(
        .keyUnreadable, 33, .low, key.number,
        "The server's own user has to read the key, at the start and when certificates are renewed: look at the owner and the mode of \(key.value)."
      )
    }
  }

  private static func isPrivateFolder(_ path: String) -> Bool {
    ["/etc/letsencrypt/live/", "/etc/letsencrypt/archive/", "/root/", "/etc/ssl/private/"].contains {
      path.hasPrefix($0)
    }
  }

  private mutating func auditCertificateFiles() {
    for name in ["pkey", "cert"] {
      guard let line = configuration.last(name), !line.value.isEmpty else { continue }
      let file = line.value.split(separator: "/").last ?? ""
      if ["turn_server_cert.pem", "turn_server_pkey.pem", "turn_client_cert.pem", "turn_client_pkey.pem"].contains(file)
      {
        add(
          .sampleKey, 33, .medium, line.number,
          "The file has the name of one that coturn ships as an example (examples/etc/\(file)), whose private key is public. Compare them, and take a certificate of your own."
        )
      }
      guard Self.isPrivateFolder(line.value), name == "pkey" || line.value.hasPrefix("/root/") else { continue }
      let folder =
        line.value.hasPrefix("/etc/letsencrypt/")
        ? "/etc/letsencrypt/live and archive are"
        : "\(line.value.split(separator: "/").dropLast().map { "/" + $0 }.joined()) is"
      if let user = configuration.value("proc-user") {
        add(
          .keyUnreadable, 33, .medium, line.number,
          "\(folder) open to root only. The server reads the key as root when it starts, but as \(user) when certificates are reloaded, which then fails. Copy certificate and key for \(user) in a hook of the renewal."
        )
      } else {
        add(
          .keyUnreadable, 33, line.value.hasPrefix("/etc/ssl/private/") ? .medium : .critical, line.number,
          "\(folder) open to root only. If the service runs as a user of its own (turnserver, coturn), it cannot read the key, and goes on without TLS: it logs \"cannot find\" once. Copy certificate and key for that user in a hook of the renewal."
        )
      }
    }
  }

  /// A certificate without its key, or a key without its certificate: coturn then looks for a file of its own name.
  private mutating func auditCertificateAndKey() {
    guard configuration.wantsTLS || configuration.wantsDTLS else { return }
    for (name, other, file) in [
      ("cert", "pkey", "turn_server_pkey.pem"), ("pkey", "cert", "turn_server_cert.pem"),
    ] {
      guard let line = configuration.last(name), !line.value.isEmpty, configuration.value(other) == nil else {
        continue
      }
      add(
        .certificateWithoutKey, 33, .high, line.number,
        "\(name) is set without \(other). Unless \(file) lies in a folder that coturn searches, and belongs to it, coturn logs \"cannot start TLS and DTLS listeners\" and goes on without TLS. Add \(other)=/path/of/its/\(other == "pkey" ? "key" : "certificate")."
      )
    }
  }

  private mutating func auditPaths() {
    let names = [
      "cert", "pkey", "secret-key-file", "dh-file", "CA-file", "userdb", "db", "prometheus-cert", "prometheus-key",
    ]
    for name in names {
      guard let line = configuration.last(name), !line.value.isEmpty, !line.value.hasPrefix("/") else { continue }
      add(
        .relativePath, .word("paths"), .medium, line.number,
        "\(name) is a relative path: what it means depends on the folder that the server is started in. Write it from / on."
      )
    }
  }

  private mutating func auditPorts() {
    if let line = configuration.last("listening-port"), ConfigurationOption.number(line.value) == 5349 {
      add(
        .portsConfusing, .word("ports"), .medium, line.number,
        "Port 5349 is where clients of turns: expect TLS, and here it is the plain port.",
        instead: configuration.number("tls-listening-port") == 3478 ? nil : "listening-port=3478")
    }
    if let line = configuration.last("tls-listening-port"), ConfigurationOption.number(line.value) == 3478 {
      add(
        .portsConfusing, .word("ports"), .medium, line.number,
        "Port 3478 is where clients of turn: expect no TLS, and here it is the TLS port.",
        instead: configuration.number("listening-port") == 5349 ? nil : "tls-listening-port=5349")
    }
    let names = configuration.options.names.filter {
      configuration.options[$0]?.kind == .port || $0 == "multiplex-peer-port"
    }
    for name in names {
      guard let line = configuration.last(name), !isUsablePort(line), !endsServer(line) else { continue }
      add(
        .portsConfusing, .word("ports"), .high, line.number,
        "The value of \(name) is no port: ports go from 1 to 65535. \(effectOfNoPort(line))")
    }
    guard ["min-port", "max-port"].allSatisfy({ configuration.last($0).map { isUsablePort($0) } ?? true }) else {
      return
    }
    let lowest = configuration.number("min-port") ?? 49_152
    let highest = configuration.number("max-port") ?? 65_535
    if lowest > highest, let line = configuration.last("max-port") ?? configuration.last("min-port") {
      add(
        .portsConfusing, .word("ports"), .high, line.number,
        "The range of relay ports begins at \(lowest) and ends at \(highest): it holds none.")
    }
  }

  /// Whether coturn has a port of a line, or takes its 0 for one of its own choice.
  private func isUsablePort(_ line: ConfigurationLine) -> Bool {
    if line.value.isEmpty { return version >= CoturnVersion(4, 13) }
    let number = ConfigurationOption.number(line.value)
    if (1...65_535).contains(number) { return true }
    let isZero = line.value.contains { $0.isNumber } && number == 0
    let ownChoice = ["alt-listening-port", "alt-tls-listening-port", "tcp-proxy-port", "multiplex-peer-port"]
    return isZero && ownChoice.contains(line.name)
  }

  /// Whether coturn does not start with a line, which is told with the other lines of that kind.
  private func endsServer(_ line: ConfigurationLine) -> Bool {
    configuration.options[line.name]?.kind == .port && version >= CoturnVersion(4, 13)
      && !ConfigurationOption.isPort(line.value)
  }

  private func effectOfNoPort(_ line: ConfigurationLine) -> String {
    let number = ConfigurationOption.number(line.value)
    let isRelayPort = line.name == "min-port" || line.name == "max-port"
    let kept = number > 65_535 && number <= Int(Int32.max) ? " Of this one it keeps 16 bits: \(number % 65_536)." : ""
    let crash = isRelayPort ? " With no port between min-port and max-port it crashes at the first allocation." : ""
    return "coturn starts all the same, with another port than is meant.\(kept)\(crash)"
  }

  private mutating func auditAddresses() {
    for name in ["listening-ip", "relay-ip"] {
      for line in configuration.all(name) where PeerRange.address(line.value) == .nothing && !line.hasComment {
        add(
          .addressInvalid, .word("address"), .high, line.number,
          "The value of \(name) is no address: coturn logs an error and goes on without it, or does not start.")
      }
    }
    var hasOne = false
    for line in configuration.all("external-ip") {
      let parts = line.value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      let isPlaceholder = parts.contains {
        PeerRange.address($0) == .nothing || $0.contains("_") || $0.lowercased().contains("your")
      }
      if line.value.isEmpty || parts.count > 2 || isPlaceholder, !line.hasComment {
        add(
          .addressInvalid, .word("external-ip"), .high, line.number,
          "The value of external-ip is no address: coturn logs \"Wrong address format\", and clients are given an address that nobody reaches from outside. Write PUBLIC or PUBLIC/PRIVATE."
        )
      } else if parts.count == 1 {
        if hasOne {
          add(
            .addressInvalid, .word("external-ip"), .high, line.number,
            "external-ip without a private address counts once: coturn logs an error and passes over this one. Write PUBLIC/PRIVATE for each relay address."
          )
        }
        hasOne = true
      }
    }
  }

  private mutating func auditDatabases() {
    let kinds = [
      "psql-userdb": "PostgreSQL", "sql-userdb": "PostgreSQL", "mysql-userdb": "MySQL", "mongo-userdb": "MongoDB",
      "redis-userdb": "Redis", "redis-statsdb": "Redis",
    ]
    for (name, kind) in kinds.sorted(by: { $0.key < $1.key }) {
      guard let line = configuration.last(name) else { continue }
      if name != "redis-statsdb" {
        add(
          .databaseDriver, .word("db"), .info, line.number,
          "The file cannot tell whether this build of coturn has \(kind): look for \"\(kind) supported\" where the server logs its start. Without it the option is unknown, and every login fails (\"Cannot find credentials\").\(kind == "MongoDB" ? " Debian's coturn has not." : "")"
        )
      }
      if Self.holdsPassword(line.value) {
        add(
          .databasePassword, .word("secret"), .low, line.number,
          "The password of the database stands in this file: keep the file from others, and leave the line out of reports and copies."
        )
      }
    }
  }

  private static func holdsPassword(_ text: String) -> Bool {
    let words = text.split { " \t&?".contains($0) }
    if words.contains(where: { $0.hasPrefix("password=") && $0.count > 9 }) { return true }
    guard let scheme = text.firstRange(of: "://") else { return false }
    let authority = text[scheme.upperBound...].prefix { $0 != "/" }
    guard let at = authority.lastIndex(of: "@") else { return false }
    return authority[..<at].contains(":")
  }
}
