import Addresses

/// Items 7 to 9 and 12 to 15: whom clients may reach through the server.
extension AuditNotes {
  /// Blocks that belong to somebody's own network, with what coturn denies of itself from some version on.
  private static let privateBlocks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]
    .compactMap(AddressBlock.init)
  private static let linkLocalBlocks = ["169.254.0.0/16", "fe80::/10", "fc00::/7"].compactMap(AddressBlock.init)
  private static let loopbackBlocks = ["127.0.0.0/8", "0.0.0.0/8"].compactMap(AddressBlock.init)
  /// Where clouds tell a host its credentials: 169.254.169.254.
  private static let metadata = IPAddress.v4(0xA9FE_A9FE)
  private static let multicastBlocks = ["224.0.0.0/4", "ff00::/8"].compactMap(AddressBlock.init)

  mutating func auditPeers() {
    for line in configuration.all("denied-peer-ip") { audit(line, isDenied: true) }
    for line in configuration.all("allowed-peer-ip") { audit(line, isDenied: false) }
    guard configuration.relays else { return }
    auditLoopback()
    auditPrivateBlocks(denied)
    auditAllowed(denied)
    auditMulticast(denied)
    auditTCPRelay()
    if let line = configuration.line(turningOn: "server-relay") {
      add(
        .serverRelay, 30, .critical, line.number,
        "server-relay takes packets from peers without a permission: anybody can send to the clients of this server.",
        instead: "")
    }
  }

  private mutating func audit(_ line: ConfigurationLine, isDenied: Bool) {
    let effect = isDenied ? "denied" : "allowed"
    switch PeerRange(line.value) {
    case .dropped:
      guard hasRoom(for: .peerRangeDropped) else { return }
      let reason =
        line.hasComment
        ? "A comment behind the range belongs to the value"
        : line.value.contains("/")
          ? "coturn knows no CIDR notation, only FIRST-LAST" : "That is no address, and no FIRST-LAST"
      let endsServer = version >= CoturnVersion(4, 11)
      let fate =
        endsServer
        ? "coturn \(version) does not start with it"
        : "coturn logs \"Wrong address format\" and drops the range, so that nothing is \(effect) by it"
      let (instead, explanation) = replacement(of: line, isDenied: isDenied)
      add(
        .peerRangeDropped, 9, .critical, line.number, "\(reason): \(fate).\(explanation)", instead: instead,
        endsServer: endsServer)
    case .named:
      add(
        .peerRangeUnclear, 9, .medium, line.number,
        "The range holds a host's name, which coturn looks up when it starts, and drops the range if there is none. Write the address."
      )
    case .range(let first, let last): audit(line, first, last, isDenied: isDenied)
    }
  }

  /// What to write in the place of a range that coturn drops, and why, if that is not plain.
  private func replacement(of line: ConfigurationLine, isDenied: Bool) -> (instead: String?, explanation: String) {
    guard let (first, last) = PeerRange.intended(by: line) else { return (nil, "") }
    if PeerRange.matchesTooMuch(first, last) {
      guard isDenied else {
        return (
          "",
          " As FIRST-LAST it would allow every IPv4 peer, even if denied-peer-ip denies it, since coturn passes over an end that is 0.0.0.0 or ::. Delete the line."
        )
      }
      if first.family == .ipv4 { return (unspecified(first), "") }
      return (
        "",
        " No range that begins with :: is right: coturn passes over that end, and would deny every IPv4 peer. Delete the line; the loopback can have one of its own, denied-peer-ip=::1."
      )
    }
    if !isDenied {
      let blocks = PeerRange.opened(by: first, last, version)
      if !blocks.isEmpty {
        return (
          "",
          " As FIRST-LAST it would open \(listed(blocks)), even if denied-peer-ip denies them: delete the line."
        )
      }
    }
    return ("\(line.name)=\(PeerRange.written(first, last))", "")
  }

  /// The line for a range that begins behind its end; nil if it cannot be told which was meant.
  private func ordered(
    _ line: ConfigurationLine, _ first: IPAddress, _ last: IPAddress, isDenied: Bool
  ) -> String? {
    if let (first, last) = PeerRange.shorthand(line.value) { return "\(line.name)=\(PeerRange.written(first, last))" }
    guard PeerRange.hasWholeEnds(line.value) else { return nil }
    if !isDenied, !PeerRange.opened(by: last, first, version).isEmpty { return "" }
    return "\(line.name)=\(last)-\(first)"
  }

  private mutating func audit(_ line: ConfigurationLine, _ first: IPAddress, _ last: IPAddress, isDenied: Bool) {
    if PeerRange.matchesTooMuch(first, last) {
      if isDenied {
        let isBehindDoubleColon = PeerRange.isUnspecified(first) && first.family == .ipv6
        let advice =
          isBehindDoubleColon
          ? " No range that begins with :: is right; the loopback can have a line of its own, denied-peer-ip=::1." : ""
        add(
          .peerRangeDeniesAll, 13, .high, line.number,
          "coturn passes over an end that is 0.0.0.0 or ::, and compares only the other: this range denies every IPv4 peer, so that nobody can relay.\(advice)",
          instead: PeerRange.isUnspecified(first) ? unspecified(first) : nil)
      } else {
        add(
          .peersAllowed, .word("allow"), .critical, line.number,
          "coturn passes over an end that is 0.0.0.0 or ::, and compares only the other: this range allows every IPv4 peer, even if denied-peer-ip denies it.",
          instead: "")
      }
      return
    }
    if first.family == last.family, !PeerRange.isOrdered(first, last) {
      let reading = Self.otherReading(of: line.value, first, last).map { ": coturn reads it as \($0)" } ?? ""
      add(
        .peerRangeUnclear, 9, .high, line.number, "The range begins behind its end, and matches nothing\(reading).",
        instead: ordered(line, first, last, isDenied: isDenied))
      return
    }
    if first.family != last.family {
      add(
        .peerRangeUnclear, 9, .high, line.number,
        "The range begins with one IP version and ends with the other. Write a range for each.")
      return
    }
    if let text = Self.otherReading(of: line.value, first, last) {
      add(
        .peerRangeUnclear, 9, .high, line.number,
        "An address is written short or with leading zeros, which counts as octal: coturn reads the range as \(text).")
    }
    if version < PeerRanges.comparesWhole, PeerRanges.underblocks(first, last) {
      add(
        .peerRangeUnderblocks, 12, .high, line.number,
        "Up to 4.15 coturn compares IPv6 addresses octet by octet: of a range that is not a whole block, most addresses do not match. Write it as ranges that end where a block ends.",
        instead: Self.wholeBlock(line.name, first, last))
    }
  }

  /// A line that denies the unspecified address and nothing else.
  private func unspecified(_ address: IPAddress) -> String? {
    if address.family == .ipv4 { return "denied-peer-ip=0.0.0.0-0.255.255.255" }
    // No range that begins with :: is right; from here on coturn denies it of itself.
    return version >= CoturnVersion(4, 5, 2) ? "" : nil
  }

  /// What coturn reads, where an address is not written in the usual form.
  private static func otherReading(of text: String, _ first: IPAddress, _ last: IPAddress) -> String? {
    if text == "\(first)-\(last)" { return nil }
    let ends = text.split(separator: "-", maxSplits: 1).map(\.trimmed)
    guard ends.contains(where: { IPAddress($0) == nil }) else { return nil }
    return first == last ? "\(first)" : "\(first)-\(last)"
  }

  /// The block whose last address was left out, as `fc00::-fdff::` means `fc00::-fdff:ffff:…`.
  private static func wholeBlock(_ option: String, _ first: IPAddress, _ last: IPAddress) -> String? {
    var octets = last.octets
    while octets.last == 0 { octets.removeLast() }
    guard !octets.isEmpty else { return nil }
    let whole = octets + Array(repeating: 0xFF, count: 16 - octets.count)
    guard let end = IPAddress(octets: whole), !PeerRanges.underblocks(first, end) else { return nil }
    return "\(option)=\(first)-\(end)"
  }

  private mutating func auditLoopback() {
    if let line = configuration.line(turningOn: "allow-loopback-peers") {
      add(
        .loopbackPeers, 7, .critical, line.number,
        "allow-loopback-peers lets clients reach what listens on this host's own loopback: databases, the CLI, metrics.",
        instead: "")
    }
    guard version < CoturnVersion(4, 5, 1) else { return }
    if let line = configuration.line(turningOn: "no-loopback-peers") {
      add(
        .optionRemoved, 32, .info, line.number,
        "no-loopback-peers is needed up to 4.5.0.8 only. From 4.5.1.0 on coturn refuses loopback peers by default and logs \"Bad configuration format\" for this line: delete it when you upgrade.",
        instead: nil)
    } else {
      add(
        .loopbackPeers, 7, .critical, nil,
        "Before 4.5.1.0 coturn relays to this host's own loopback unless no-loopback-peers is set.",
        instead: "no-loopback-peers")
    }
  }

  private mutating func auditPrivateBlocks(_ denied: PeerRanges) {
    let missing = Self.privateBlocks.filter { !denied.covers($0.first, $0.last) }
    if !missing.isEmpty {
      add(
        .privatePeers, 8, .high, nil,
        "Clients can reach \(listed(missing.map(\.text))) through this server: coturn does not deny private networks of itself.",
        instead: missing.map(\.denial).joined(separator: "\n"))
    }
    if version < CoturnVersion(4, 13, 1) {
      let open = Self.linkLocalBlocks.filter { !denied.covers($0.first, $0.last) }
      if !open.isEmpty {
        add(
          .linkLocalPeers, .word("link-local"), .medium, nil,
          "Clients can reach \(listed(open.map(\.text))) through this server; 169.254.169.254 is where clouds keep a host's credentials. coturn denies them of itself from 4.13.1 on.",
          instead: open.map(\.denial).joined(separator: "\n"))
      }
    }
    if version < CoturnVersion(4, 5, 2), !configuration.all("denied-peer-ip").isEmpty {
      let unlisted = Self.loopbackBlocks.filter { !denied.covers($0.first, $0.last) }
      if !unlisted.isEmpty {
        add(
          .loopbackUnlisted, .word("evidence"), .info, nil,
          "The denied ranges leave out \(listed(unlisted.map(\.text))). coturn \(version) needs them: it takes 0.0.0.0 and ::1 for no loopback before 4.5.2.",
          instead: unlisted.map(\.denial).joined(separator: "\n"))
      }
    }
  }

  private mutating func auditAllowed(_ denied: PeerRanges) {
    for line in configuration.all("allowed-peer-ip") where hasRoom(for: .peersAllowed) {
      guard case .range(let first, let last) = PeerRange(line.value), !PeerRange.matchesTooMuch(first, last) else {
        continue
      }
      let opened = PeerRange.opened(by: first, last, version)
      if !opened.isEmpty {
        add(
          .peersAllowed, .word("allow"), .critical, line.number,
          "allowed-peer-ip wins over denied-peer-ip: this range opens \(listed(opened)) to every client, even if denied-peer-ip denies them.",
          instead: "")
        continue
      }
      guard first.family == last.family, PeerRange.isOrdered(first, last) else { continue }
      let ranges = PeerRanges([(first, last)], version)
      if ranges.covers(Self.metadata, Self.metadata) {
        add(
          .peersAllowed, .word("allow"), .high, line.number,
          "allowed-peer-ip wins over denied-peer-ip: clients reach \(Self.metadata), where clouds keep a host's credentials."
        )
        continue
      }
      let touched = (Self.privateBlocks + Self.linkLocalBlocks).filter { ranges.touches($0.first, $0.last) }
      guard let block = touched.first, !isOwnAddress(first, last) else { continue }
      let isOne = first == last
      add(
        .peersAllowed, .word("allow"), isOne ? .info : .medium, line.number,
        "allowed-peer-ip wins over denied-peer-ip: \(isOne ? "the address is" : "addresses of the range are") inside \(block.text), so that clients reach hosts of a private network. Keep it only if that is wanted."
      )
    }
  }

  /// Whether a range is one address that the configuration gives to the server itself: relays talk to each other by it.
  private func isOwnAddress(_ first: IPAddress, _ last: IPAddress) -> Bool {
    guard first == last else { return false }
    let own = ["listening-ip", "relay-ip", "external-ip"].flatMap { configuration.all($0) }.flatMap {
      $0.value.split(separator: "/").map(String.init)
    }
    return own.contains { PeerRange.address($0) == .address(first) }
  }

  private mutating func auditMulticast(_ denied: PeerRanges) {
    guard !configuration.isOn("no-multicast-peers") else { return }
    if Self.multicastBlocks.allSatisfy({ denied.covers($0.first, $0.last) }) { return }
    add(
      .multicastPeers, 14, .low, configuration.last("no-multicast-peers")?.number,
      "Clients can send to multicast groups of this server's network: no-multicast-peers is missing.",
      instead: "no-multicast-peers")
  }

  private mutating func auditTCPRelay() {
    guard !configuration.isOn("no-tcp-relay"), canAllocateTCP else { return }
    add(
      .tcpRelay, 15, .medium, configuration.last("no-tcp-relay")?.number,
      "Clients can open TCP connections through this server (RFC 6062): web and mail servers, databases, port scans. WebRTC does not need it: no-tcp-relay is missing.",
      instead: configuration.isOn("no-udp-relay") ? nil : "no-tcp-relay")
    if let line = configuration.line(turningOn: "mobility") {
      add(
        .tcpRelay, 15, .medium, line.number,
        "With mobility an allocation outlives its client's connection, and with TCP relaying its connections to peers too. Add no-tcp-relay.",
        instead: configuration.isOn("no-udp-relay") ? nil : "mobility\nno-tcp-relay")
    }
  }

  /// Whether a client can connect by TCP or TLS, as a TCP allocation demands.
  private var canAllocateTCP: Bool { !configuration.isOn("no-tcp") || configuration.listensOnTLS }

  private func listed(_ texts: [String]) -> String {
    guard let last = texts.last, texts.count > 1 else { return texts.first ?? "" }
    return texts.dropLast().joined(separator: ", ") + " and " + last
  }
}
