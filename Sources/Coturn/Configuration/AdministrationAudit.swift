import Addresses

/// Items 16, 17 and 31: what can be reached besides STUN and TURN.
extension AuditNotes {
  mutating func auditAdministration() {
    auditCommandLineInterface()
    auditWebAdministration()
    auditMetrics()
  }

  private mutating func auditCommandLineInterface() {
    guard configuration.hasCommandLineInterface else { return }
    let isAskedFor = version >= CoturnVersion(4, 10)
    let switchLine = configuration.line(turningOn: "cli")
    let password = configuration.last("cli-password")
    if let password, !password.value.isEmpty {
      if !password.value.hasPrefix("$5$") {
        add(
          .cliOpen, 16, .medium, password.number,
          "The telnet CLI is on, and its password stands in plain text and goes over the wire in plain text. Turn the CLI off, or write the hash that turnadmin -P -p PASSWORD prints.",
          instead: isAskedFor ? nil : "no-cli")
      } else {
        add(
          .cliOpen, 16, .low, (isAskedFor ? switchLine : password)?.number,
          "The telnet CLI is on: whoever has its password can end sessions and change settings, and it goes over the wire in plain text.",
          instead: isAskedFor ? "" : "no-cli")
      }
    } else {
      add(
        .cliOpen, 16, .high, nil,
        "The telnet CLI is on, and asks for no password: before 4.5.1.0 it is, unless no-cli is set.", instead: "no-cli"
      )
    }
    if let line = configuration.last("cli-ip"), !Self.isLoopback(line.value) {
      add(
        .cliPublic, 16, .high, line.number,
        "The telnet CLI listens on \(line.value), where others can reach it.", instead: "cli-ip=127.0.0.1")
    }
  }

  private mutating func auditWebAdministration() {
    guard configuration.hasWebAdministration, version >= CoturnVersion(4, 5, 1) else { return }
    if let line = configuration.line(turningOn: "web-admin-listen-on-workers") {
      add(
        .webAdministrationPublic, 17, .high, line.number,
        "The web administration answers on the TLS port that every client reaches.", instead: "")
    }
    if let line = configuration.last("web-admin-ip"), !Self.isLoopback(line.value) {
      add(
        .webAdministrationPublic, 17, .high, line.number,
        "The web administration listens on \(line.value), where others can reach it.",
        instead: "web-admin-ip=127.0.0.1")
    }
  }

  private mutating func auditMetrics() {
    let isOn = configuration.isOn("prometheus") || configuration.isOn("prometheus-tls")
    guard isOn, let line = configuration.last("prometheus") ?? configuration.last("prometheus-tls") else { return }
    let address = configuration.value("prometheus-address")
    let isEncrypted = configuration.isOn("prometheus-tls")
    let port = configuration.value("prometheus-port") ?? "9641"
    if address.map(Self.isUnspecified) ?? true {
      add(
        .metricsPublic, 31, .medium, configuration.last("prometheus-address")?.number ?? line.number,
        "The metrics are served on every address of this host, port \(port)\(isEncrypted ? "" : ", over plain HTTP"), to everybody who asks.\(version < CoturnVersion(4, 6, 3) ? " Only a firewall can keep them out before 4.6.3." : "")\(version < CoturnVersion(4, 6) ? " Every series names its user." : "")",
        instead: version < CoturnVersion(4, 6, 3)
          ? nil
          : configuration.last("prometheus-address") == nil
            ? "\(line.name)\nprometheus-address=127.0.0.1" : "prometheus-address=127.0.0.1")
    } else if let address, !Self.isLoopback(address), !isEncrypted {
      add(
        .metricsPublic, 31, .low, configuration.last("prometheus-address")?.number ?? line.number,
        "The metrics are served on \(address), port \(port), over plain HTTP: whoever is on the way can read them.",
        instead: version >= CoturnVersion(4, 14) && configuration.listensOnTLS
          ? "prometheus-address=\(address)\nprometheus-tls" : nil)
    }
    if let labels = configuration.line(turningOn: "prometheus-username-labels") {
      add(
        .userLabels, 31, .low, labels.number,
        "Every user gets metrics of its own: names of users stand in them, and with time-limited credentials there is no end of series.",
        instead: "")
    }
  }

  static func isLoopback(_ text: String) -> Bool {
    guard case .address(let address) = PeerRange.address(text), !text.isEmpty else { return text == "localhost" }
    switch address {
    case .v4(let number): return number >> 24 == 127
    case .v6(let high, let low): return high == 0 && low == 1
    }
  }

  static func isUnspecified(_ text: String) -> Bool {
    guard case .address(let address) = PeerRange.address(text) else { return false }
    return PeerRange.isUnspecified(address)
  }
}
