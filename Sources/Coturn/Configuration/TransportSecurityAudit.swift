/// Items 24 and 25: versions and suites of TLS.
extension AuditNotes {
  mutating func auditTransportSecurity() {
    auditVersions()
    auditDiffieHellman()
    auditCiphers()
  }

  private var isEncrypted: Bool { configuration.listensOnTLS || configuration.listensOnDTLS }

  private mutating func auditVersions() {
    for name in ["tlsv1", "tlsv1_1"] {
      guard let line = configuration.line(turningOn: name) else { continue }
      add(
        .oldTLS, 24, .medium, line.number,
        "\(name) turns on \(name == "tlsv1" ? "TLS 1.0" : "TLS 1.1"), which is broken and forbidden (RFC 8996).",
        instead: "")
    }
    guard isEncrypted else { return }
    if version < CoturnVersion(4, 7) {
      let missing = ["no-tlsv1", "no-tlsv1_1"].filter { !configuration.isOn($0) }
      if !missing.isEmpty {
        add(
          .oldTLS, 24, .medium, missing.compactMap { configuration.last($0)?.number }.first,
          "TLS 1.0 and 1.1 are broken and forbidden (RFC 8996), and on up to 4.6 unless turned off: \(missing.joined(separator: " and ")) \(missing.count == 1 ? "is" : "are") missing.",
          instead: missing.joined(separator: "\n"))
      }
    }
    guard let line = configuration.line(turningOn: "no-tlsv1_2") else { return }
    if version < CoturnVersion(4, 6, 2) {
      add(
        .oldTLS, 24, .high, line.number,
        "no-tlsv1_2 turns off the best version that clients can have up to 4.6.1.", instead: "")
    } else if configuration.listensOnDTLS {
      add(
        .dtlsCapped, 24, .medium, line.number,
        "no-tlsv1_2 leaves DTLS 1.0 only, which is broken and forbidden (RFC 8996). Without DTLS it would leave TLS 1.3.",
        instead: version < CoturnVersion(4, 17) ? "no-tlsv1_2\nno-dtls" : "")
    }
  }

  private mutating func auditDiffieHellman() {
    for (name, bits, severity) in [("dh566", 566, AuditSeverity.high), ("dh1066", 1066, .medium)] {
      guard let line = configuration.line(turningOn: name) else { continue }
      add(
        .weakDiffieHellman, 25, severity, line.number,
        "\(name) uses a Diffie-Hellman group of \(bits) bits, which can be broken; without it the group has \(version < CoturnVersion(4, 5, 1, 2) ? "1066 unless dh2066 is set" : "2066").",
        instead: version < CoturnVersion(4, 5, 1, 2) ? "dh2066" : "")
    }
  }

  private mutating func auditCiphers() {
    guard let line = configuration.last("cipher-list"), !line.value.isEmpty else { return }
    let list = CipherList(line.value)
    let recommended = "cipher-list=\(CipherList.recommended(for: version))"
    let unknown =
      list.unknown.isEmpty ? "" : " (OpenSSL does not know \(list.unknown.prefix(3).joined(separator: ", ")))"
    if !list.selectsSuites {
      let reason =
        list.namesTLS13 && list.unknown.isEmpty ? "names suites of TLS 1.3 only" : "selects no suite\(unknown)"
      let effect =
        version < CoturnVersion(4, 6, 2) || !list.namesTLS13
        ? "coturn starts, says that it uses the list, and no client can connect by TLS"
        : "coturn starts, and no client can connect by TLS 1.2 or DTLS"
      add(
        .cipherListBroken, 25, .high, line.number, "The cipher-list \(reason): \(effect).", instead: recommended)
      return
    }
    if !list.weak.isEmpty {
      add(
        .cipherListWeak, 25, .medium, line.number,
        "The cipher-list selects weak suites by \(list.weak.joined(separator: ", ")): broken ciphers, or a key exchange without forward secrecy.",
        instead: list.strong.map { "cipher-list=\(Self.quoted($0))" } ?? recommended)
    } else if !list.unknown.isEmpty {
      add(
        .cipherListWeak, 25, .low, line.number,
        "The cipher-list holds words that OpenSSL does not know, and passes over: \(list.unknown.prefix(5).joined(separator: ", ")).",
        instead: list.strong.map { "cipher-list=\(Self.quoted($0))" })
    }
  }

  private static func quoted(_ list: String) -> String { "\"\(list)\"" }
}
