/// Items 22 and 26 to 29: how much clients may take, and for how long.
extension AuditNotes {
  mutating func auditLimits() {
    auditNonces()
    auditLifetimes()
    auditAmplification()
    guard configuration.relays else { return }
    auditQuotas()
    if let line = configuration.line(turningOn: "mobility"), version < CoturnVersion(4, 17) {
      add(
        .mobilityOn, 22, .medium, line.number,
        "mobility lets users pass their quota before 4.17, and flood the server with resumed sessions before 4.16. Turn it off unless clients need it.",
        instead: "")
    }
  }

  private mutating func auditQuotas() {
    let values = ["user-quota": "12", "total-quota": "1200", "max-bps": "1250000"]
    let hint = "max-bps counts bytes in a second: 1250000 are 10 Mbit/s for each session."
    var missing: [String] = []
    for name in ["user-quota", "total-quota", "max-bps"] {
      guard let line = configuration.last(name) else {
        missing.append(name)
        continue
      }
      guard (configuration.number(name) ?? 0) <= 0, let value = values[name] else { continue }
      add(
        .quotaMissing, 26, .medium, line.number,
        "\(name) of 0 is no limit at all.\(name == "max-bps" ? " \(hint)" : "")", instead: "\(name)=\(value)")
    }
    if !missing.isEmpty {
      add(
        .quotaMissing, 26, missing.count > 1 ? .medium : .low, nil,
        "\(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") missing: one user, or all together, can take all ports and all bandwidth. \(missing.contains("max-bps") ? hint : "")"
          .trimmed, instead: missing.map { "\($0)=\(values[$0] ?? "")" }.joined(separator: "\n"))
    }
    auditBits()
    auditCapacity()
  }

  /// Whole megabits that were most likely meant as such: the option counts bytes.
  private mutating func auditBits() {
    guard let line = configuration.last("max-bps"), let limit = configuration.number("max-bps"), limit >= 2_000_000,
      limit.isMultiple(of: 1_000_000)
    else { return }
    let megabits = limit / 1_000_000
    add(
      .limitInBits, .word("max-bps"), .info, line.number,
      "max-bps counts bytes in a second: \(limit) are \(megabits * 8) Mbit/s for each session. If \(megabits) Mbit/s are meant, write \(limit / 8)."
    )
  }

  private mutating func auditCapacity() {
    guard let line = configuration.last("bps-capacity"), let capacity = configuration.number("bps-capacity") else {
      return
    }
    let hasLimit = (configuration.number("max-bps") ?? 0) > 0
    if capacity <= 0 {
      add(
        .quotaMissing, 26, .medium, line.number,
        "bps-capacity of 0 is no limit at all. It counts bytes in a second, of all sessions together, and needs max-bps.",
        instead: hasLimit
          ? "bps-capacity=\(max(125_000_000, configuration.number("max-bps") ?? 0))"
          : "max-bps=1250000\nbps-capacity=125000000")
    } else if !hasLimit {
      add(
        .capacityWithoutLimit, 26, .critical, line.number,
        "coturn does not start with bps-capacity and without max-bps. Both count bytes in a second.",
        instead: "max-bps=\(min(1_250_000, capacity))\nbps-capacity=\(capacity)", endsServer: true)
    }
  }

  private mutating func auditNonces() {
    guard let line = configuration.last("stale-nonce"), !line.value.isEmpty,
      configuration.number("stale-nonce") ?? 0 <= 0
    else { return }
    add(
      .nonceNeverExpires, 28, .medium, line.number,
      "stale-nonce of \(ConfigurationOption.number(line.value) == 0 && line.value != "0" ? "no number" : line.value) lets a nonce live for ever, so that recorded requests can be played again.",
      instead: "stale-nonce=600")
  }

  private mutating func auditLifetimes() {
    for (name, standard, section) in [("permission-lifetime", 300, "9"), ("channel-lifetime", 600, "12")] {
      guard let line = configuration.last(name), !line.value.isEmpty, configuration.number(name) != standard else {
        continue
      }
      let seconds = configuration.number(name) ?? 0
      add(
        .lifetimeUnusual, 29, seconds <= 0 ? .medium : .low, line.number,
        "\(name) of \(seconds) s is not the \(standard) s of RFC 8656, section \(section), by which clients refresh: \(seconds < standard ? "media stops in the middle of calls" : "what a client gave up stays open").",
        instead: "\(name)=\(standard)")
    }
  }

  /// Answers that are larger than what asks for them, or go where the question did not come from.
  private mutating func auditAmplification() {
    guard !configuration.isOn("no-udp") else { return }
    if version < CoturnVersion(4, 7) {
      auditAmplificationDefaults()
    } else {
      for name in ["rfc5780", "stun-backward-compatibility", "rfc3489-compatibility", "software-attribute"] {
        guard let line = configuration.line(turningOn: name) else { continue }
        add(
          .amplification, 27, .low, line.number,
          "\(name) makes answers to forged requests larger\(name == "rfc5780" ? ", or sends them from another address" : "").",
          instead: "")
      }
      if configuration.last("software-attribute") == nil, let line = configuration.last("no-software-attribute"),
        ConfigurationOption.flag(line.value) == false
      {
        add(
          .amplification, 27, .low, line.number,
          "no-software-attribute turned off makes answers to forged requests larger.", instead: "no-software-attribute")
      }
    }
    if version >= CoturnVersion(4, 14), !configuration.isOn("unauthorized-ratelimit") {
      add(
        .amplification, 27, .low, configuration.last("unauthorized-ratelimit")?.number,
        "Refusals (401) go out as fast as forged requests come in: unauthorized-ratelimit is missing.",
        instead: "unauthorized-ratelimit")
    }
  }

  private mutating func auditAmplificationDefaults() {
    var missing: [String] = []
    for name in ["no-rfc5780", "no-stun-backward-compatibility"]
    where configuration.options[name] != nil && !configuration.isOn(name) {
      missing.append(name)
    }
    if let software = ["no-software-attribute", "prod"].first(where: { configuration.options[$0] != nil }),
      !configuration.isOn("no-software-attribute"), !configuration.isOn("prod")
    {
      missing.append(software)
    }
    if !missing.isEmpty {
      add(
        .amplification, 27, .low, nil,
        "\(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") missing: up to 4.6 answers to forged requests are made larger, or sent from another address, by default.",
        instead: missing.joined(separator: "\n"))
    }
    if version < CoturnVersion(4, 6) {
      add(
        .amplification, 27, .low, nil,
        "RFC 5780 and the messages of RFC 3489 cannot be turned off before 4.6.0: answers to forged requests go out from other addresses too.",
        ifNotBackported: true)
    }
  }
}
