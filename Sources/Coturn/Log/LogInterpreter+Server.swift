extension LogInterpreter {
  // MARK: Records of the server

  /// Records that name no session.
  mutating func other(_ whole: Bytes, _ line: Bytes, _ context: RecordContext) {
    // Up to 4.6.1 the word stands in the text, later beside the level too.
    let text = whole.begins(with: "WARNING: ") ? whole.dropping(9) : whole
    guard text.count > 0 else { return }
    switch text[0] {
    case 0x63: lowerC(text, context)
    case 0x41 where text.begins(with: "A peer IP "):
      narrow(upTo: CoturnVersion(4, 6, 2))
      denied(text, context)
    case 0x43: configuration(text, context)
    case 0x42 where text.begins(with: "Bad configuration format: "): count(.badFormat, context)
    case 0x42 where text.begins(with: "Black listing: "): recognize(context.stream)
    case 0x44 where text.begins(with: "Default realm: "): recognize(context.stream)
    case 0x44 where text.begins(with: "Draining then terminating"):
      narrow(from: CoturnVersion(4, 6, 3))
      drain(context)
    case 0x54 where text.begins(with: "Terminating on signal"):
      recognize(context.stream)
      facts.terminations += context.weight
    case 0x44 where text.begins(with: "DTLS"), 0x54 where text.begins(with: "TLS"),
      0x53 where text.begins(with: "SSL23: "):
      certificates(text, context)
    case 0x4C where text.begins(with: "Listener address to use: "): recognize(context.stream)
    case 0x52 where text.begins(with: "Reloading TLS certificates and keys"):
      recognize(context.stream)
      facts.reloads += context.weight
      facts.isReloadFailed = false
    case 0x52 where text.begins(with: "Relay address to use: "): recognize(context.stream)
    case 0x52 where text.begins(with: "RFC 3489/5389/"): flattenedBanner(text, context)
    case 0x34 where text.begins(with: "401 rate-limit exceeded from "):
      narrow(from: CoturnVersion(4, 14))
      limited(text.dropping(29), context)
    case 0x34 where text.begins(with: "401 rate-limit bucket collision from "): recognize(context.stream)
    case 0x75 where text.begins(with: "unauthorized-response rate-limit exceeded from "):
      narrow(from: CoturnVersion(4, 17))
      limited(text.dropping(47), context)
    case 0x6C where text.begins(with: "log file opened: ") || text.begins(with: "log file reopened: "):
      recognize(context.stream)
      facts.logReopened += context.weight
    case 0x74
    where text.begins(with: "tls-listening-port ") && text.contains("the TLS and DTLS listeners are disabled"):
      narrow(from: CoturnVersion(4, 15))
      listenersLost(context)
    case 0x53 where text.begins(with: "SSL read error: ") || text.begins(with: "SSL write error: "):
      if text[4] == 0x72 { count(.readError, context) }
      shared(text.dropping(text[4] == 0x72 ? 16 : 17), context)
    default: rest(text, line, context)
    }
  }

  private mutating func lowerC(_ text: Bytes, _ context: RecordContext) {
    if text.begins(with: "check_stun_auth: ") {
      narrow(upTo: CoturnVersion(4, 6, 2))
      authentication(text.dropping(17), nil, context)
    } else if text.begins(with: "cannot find certificate file: ") {
      count(.certificateNotFound, context)
      if facts.reloads > 0 { facts.isReloadFailed = true }
    } else if text.begins(with: "cannot find private key file: ") {
      count(.keyNotFound, context)
      if facts.reloads > 0 { facts.isReloadFailed = true }
    } else if text.begins(with: "cannot start TLS and DTLS listeners") {
      listenersLost(context)
    } else if text.contains(": no available ports ") {
      count(.portsExhausted, context)
      portCredits += 1
    }
  }

  private mutating func listenersLost(_ context: RecordContext) {
    count(.listenersDisabled, context)
    facts.isTLSLost = true
  }

  private mutating func configuration(_ text: Bytes, _ context: RecordContext) {
    if text.begins(with: "Coturn Version Coturn-") {
      narrow(from: CoturnVersion(4, 6, 2))
      begin(text.dropping(22), context.stream, context.weight)
    } else if text.begins(with: "CONFIG") || text.begins(with: "Config") {
      configurationProblem(text, context)
    }
  }

  /// `CONFIG: …`, `CONFIG ERROR: …`, `CONFIG WARNING: …`.
  mutating func configurationProblem(_ text: Bytes, _ context: RecordContext) {
    if text.contains(": Empty cli-password") {
      count(.cliPasswordEmpty, context)
    } else if text.contains(": allow_loopback_peers ") {
      count(.allowLoopbackPeers, context)
    }
  }

  /// `TLS: ERROR: invalid private key` and its siblings: the certificate that was served before goes on being served. What tells
  /// of a key that cannot be read stands before it.
  private mutating func certificates(_ text: Bytes, _ context: RecordContext) {
    guard let place = text.prefix(16).place(of: ": ERROR: ") else { return }
    let rest = text.dropping(place + 9)
    let isDecisive = rest.begins(with: "invalid private key") || rest.begins(with: "no certificate found")
    guard isDecisive || rest.begins(with: "no valid private key found") else { return }
    if isDecisive { count(.reloadFailed, context) }
    facts.isReloadFailed = true
  }

  mutating func drain(_ context: RecordContext) {
    recognize(context.stream)
    guard !facts.isDraining else { return }
    facts.isDraining = true
    count(.draining, context)
  }

  private mutating func limited(_ text: Bytes, _ context: RecordContext) {
    count(.rateLimited, context)
    let end = text.place(of: 0x2C) ?? text.count
    let whole = text.prefix(end)
    guard context.weight > 0, let address = Self.address(whole.prefix(whole.place(of: 0x20) ?? end)) else { return }
    facts.clients.add(address) { $0.rateLimits += context.weight }
  }

  /// `A peer IP 10.0.0.5 denied in the range: 10.0.0.0-10.255.255.255`, with its siblings of later versions.
  mutating func denied(_ text: Bytes, _ context: RecordContext) {
    count(.peerDenied, context)
    guard context.weight > 0, let end = text.place(of: " denied", from: 10) else { return }
    let peer = text.piece(10..<end)
    let rest = text.dropping(end + 7)
    var range = Array("scope".utf8)
    if rest.begins(with: " in the range: ") || rest.begins(with: " in the range= ") {
      let value = rest.dropping(15)
      range = value.prefix(value.place(of: 0x20) ?? value.count).trimmed.array
    } else {
      narrow(from: CoturnVersion(4, 13, 1))
    }
    facts.deniedPeers.add(peer.array + [0] + range) { $0 += context.weight }
  }

  // MARK: Authentication

  /// What follows `check_stun_auth: `.
  mutating func authentication(_ text: Bytes, _ session: UInt64?, _ context: RecordContext) {
    let body = text.trimmed
    if body.begins(with: "Cannot find credentials of user <") {
      let isWhole = body[body.count - 1] == 0x3E
      failure(body.piece(33..<max(33, body.count - (isWhole ? 1 : 0))), .unknownOrExpired, context)
    } else if body.begins(with: "user "), body.ends(with: " credentials are incorrect"), body.count > 30 {
      failure(body.piece(5..<body.count - 26), .wrongPassword, context)
    } else if text.begins(with: "wrong username: ") {
      malformed(text.dropping(16), 512, session, context)
    } else if text.begins(with: "wrong realm: ") {
      malformed(text.dropping(13), 127, session, context)
    }
  }

  private mutating func failure(_ user: Bytes, _ kind: CoturnLogKind, _ context: RecordContext) {
    if Self.isProbe(user) {
      recognize(context.stream)
      facts.probeFailures += context.weight
      return
    }
    count(kind, context)
    guard context.weight > 0 else { return }
    let isExpired = kind == .unknownOrExpired && Self.isExpired(user, context)
    if isExpired { facts.expired += context.weight }
    facts.users.add(user) {
      if kind == .wrongPassword { $0.wrongPassword += context.weight } else { $0.unknownOrExpired += context.weight }
      if isExpired { $0.expired += context.weight }
    }
  }

  /// Whether a REST name, `1760000000:alice`, was over when it was used; false if the record has no wall time.
  private static func isExpired(_ user: Bytes, _ context: RecordContext) -> Bool {
    let time = context.head.time.isWall ? context.head.time : context.envelope
    guard let time, time.isWall, let expiry = user.number(at: 0), (9...11).contains(expiry.length),
      user.count == expiry.length || user[expiry.length] == 0x3A
    else { return false }
    return Int64(truncatingIfNeeded: expiry.value) < time.seconds
  }

  /// A name with characters that none may have, a newline perhaps.
  mutating func malformed(_ name: Bytes, _ limit: Int, _ session: UInt64?, _ context: RecordContext) {
    count(.malformedName, context)
    guard context.head.form != .line, name.count < limit else { return }
    streams[context.stream].clientText = ClientText(
      kind: .name(isCertain: !name.hasForbiddenCharacters), budget: limit + 1 - name.count, time: context.head.time,
      thread: context.head.thread, session: session, isBare: isInBlock)
  }

  // MARK: Records with text of clients, and those of two

  private mutating func rest(_ text: Bytes, _ line: Bytes, _ context: RecordContext) {
    if text.prefix(80).contains(": Wrong origin format: ") {
      openText(.origin, 1023 - line.count, context)
    } else if text.prefix(80).contains(": HTTP connection input: ") {
      openText(.request(hasEnded: false), 1023 - line.count, context)
    } else if let place = text.prefix(80).place(of: ": wrong username: ") {
      malformed(text.dropping(place + 18), 512, nil, context)
    } else if text.prefix(80).contains(": no available ports ") {
      count(.portsExhausted, context)
      portCredits += 1
    } else if text.begins(with: "socket: Protocol not supported") {
      count(.protocolNotSupported, context)
    } else if text.prefix(64).contains(": no available ports") {
      count(.portsExhausted, context)
    }
  }

  private mutating func openText(_ kind: ClientText.Kind, _ budget: Int, _ context: RecordContext) {
    recognize(context.stream)
    guard context.head.form != .line, budget > 0 else { return }
    streams[context.stream].clientText = ClientText(
      kind: kind, budget: budget, time: context.head.time, thread: context.head.thread, session: nil,
      isBare: isInBlock)
  }

  /// A record that goes on behind a newline in its origin.
  mutating func openInside(_ line: Bytes, _ end: StaticString, _ limit: Int, _ context: RecordContext) {
    guard context.head.form != .line else { return }
    streams[context.stream].clientText = ClientText(
      kind: .insideRecord(line: line.array, end: end), budget: limit, time: context.head.time,
      thread: context.head.thread, session: nil, isBare: isInBlock)
  }

  /// A record without a line feed of its own: what follows on its line is another one.
  private mutating func shared(_ rest: Bytes, _ context: RecordContext) {
    // Each one is read inside the one before it: there is an end to it.
    guard rest.count > 0, rest.count < 4096, let head = heads.read(rest) else { return }
    record(rest, head, context.stream, context.envelope, streams[context.stream].weight == 0 ? 1 : context.weight)
  }
}

extension Bytes {
  /// What coturn refuses in a name, but for line feeds.
  fileprivate var hasForbiddenCharacters: Bool {
    for place in 0..<count {
      switch self[place] {
      case 0x20, 0x09, 0x27, 0x22, 0x0D, 0x5C: return true
      default: break
      }
    }
    let lowercase = array.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
    return lowercase.withUnsafeBufferPointer { name in
      guard let start = name.baseAddress else { return false }
      let name = Bytes(start: start, count: name.count)
      return name.contains("union") && name.contains("select")
    }
  }
}
