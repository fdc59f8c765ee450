/// What a record is about besides its text.
struct RecordContext {
  var head: RecordHead
  var stream: Int
  var envelope: RecordTime?
  /// How often it counts: 0 outside the window.
  var weight: Int
  var isCut: Bool
}

/// Errors of a method that still wait for their second record, which the same thread writes for the message.
struct PairedErrors {
  private var waiting = [(start: Int, session: UInt64, code: Int)](repeating: (0, 0, 0), count: 64)
  private var next = 0

  mutating func add(_ start: Int, _ session: UInt64, _ code: Int) {
    waiting[next] = (start, session, code)
    next = (next + 1) % waiting.count
  }

  /// Whether the error was told of by its method.
  mutating func take(_ start: Int, _ session: UInt64, _ code: Int) -> Bool {
    guard let place = waiting.firstIndex(where: { $0 == (start, session, code) }) else { return false }
    waiting[place] = (0, 0, 0)
    return true
  }
}

extension LogInterpreter {
  /// Reads the text of a record. What most records tell of is told apart by their first bytes.
  @inline(__always)
  mutating func interpret(
    _ line: Bytes, _ head: RecordHead, _ stream: Int, _ envelope: RecordTime?, _ weight: Int, _ isCut: Bool
  ) {
    let text = line.dropping(head.length)
    let context = RecordContext(head: head, stream: stream, envelope: envelope, weight: weight, isCut: isCut)
    guard text.count > 0 else {
      streams[stream].continues = true
      return
    }
    if text[0] == 0x73, text.begins(with: "session "), let number = text.number(at: 8),
      number.length == 18 || number.length == 19,
      text.begins(with: ": ", at: 8 + number.length)
    {
      recognize(stream)
      return session(number.value, text.dropping(10 + number.length), line, context)
    }
    if text[0] == 0x49, text.begins(with: "IPv4. ") || text.begins(with: "IPv6. ") { return recognize(stream) }
    if text[0] == 0x68, text.begins(with: "handle_udp_packet: New UDP endpoint") { return recognize(stream) }
    other(text, line, context)
  }

  // MARK: Records of a session

  @inline(__always)
  private mutating func session(_ id: UInt64, _ text: Bytes, _ line: Bytes, _ context: RecordContext) {
    guard text.count > 1 else { return }
    switch text[0] {
    case 0x72 where text.begins(with: "realm <"): packet(id, text, line, context)
    case 0x6F where text.begins(with: "origin <"): packet(id, text, line, context)
    case 0x75 where text.begins(with: "usage: "): usage(id, text, isPeer: false, context)
    case 0x70 where text.begins(with: "peer usage: "): usage(id, text, isPeer: true, context)
    case 0x6E where text.begins(with: "new, realm=<"): opened(id, text, context)
    case 0x63 where text.begins(with: "closed (2nd stage), user <"): closed(id, text, line, context)
    case 0x63 where text.begins(with: "check_stun_auth: "):
      narrow(from: CoturnVersion(4, 6, 3))
      authentication(text.dropping(17), id, context)
    case 0x41 where text.begins(with: "A peer IP "):
      narrow(from: CoturnVersion(4, 6, 3))
      denied(text, context)
    default: event(id, text, context)
    }
  }

  @inline(__always)
  private mutating func packet(_ id: UInt64, _ text: Bytes, _ line: Bytes, _ context: RecordContext) {
    facts.isVerbose = true
    if text.ends(with: "processed, success") {
      if text.ends(with: ": incoming packet ALLOCATE processed, success") { allocated(text, context) }
      return
    }
    refused(id, text, line, context)
  }

  private mutating func allocated(_ text: Bytes, _ context: RecordContext) {
    facts.allocationsSucceeded += context.weight
    if context.weight > 0, let user = Self.packetUser(text) { facts.users.add(user) { $0.allocated += context.weight } }
  }

  /// The user of a `realm <…> user <…>: incoming packet …`: a name holds no blanks, an origin before it may hold anything.
  private static func packetUser(_ text: Bytes) -> Bytes? {
    guard let end = text.lastPlace(of: ">: incoming packet ") else { return nil }
    guard let start = text.prefix(end).lastPlace(of: "> user <") else { return nil }
    return text.piece(start + 8..<end)
  }

  private mutating func refused(_ id: UInt64, _ text: Bytes, _ line: Bytes, _ context: RecordContext) {
    guard let place = text.lastPlace(of: " processed, error "), let code = text.number(at: place + 18) else {
      if text.begins(with: "origin <"), !context.isCut { openInside(line, ">: incoming packet ", 127, context) }
      return
    }
    guard code.length <= 9, let user = Self.packetUser(text) else { return }
    let isMessage = text.prefix(place).ends(with: "incoming packet message")
    let isAllocate = text.prefix(place).ends(with: "incoming packet ALLOCATE")
    let reason = text.dropping(place + 18 + code.length)
    let start = streams[context.stream].start
    if code.value == 401 { return unauthorized(id, user, context) }
    if !isMessage {
      methodErrors.add(start, id, Int(code.value))
    } else if methodErrors.take(start, id, Int(code.value)) {
      return
    }
    if isAllocate, ![400, 438].contains(code.value) { facts.allocationsRefused += context.weight }
    switch code.value {
    case 438: count(.staleNonce, context)
    case 486:
      count(.quotaExceeded, context)
      if context.weight > 0 { facts.users.add(user) { $0.quota += context.weight } }
    case 508:
      if context.weight > 0 { facts.users.add(user) { $0.ports += context.weight } }
      if portCredits > 0 { portCredits -= 1 } else { count(.portsExhausted, context) }
    case 403 where reason.contains("draining"): drain(context)
    case 403 where reason.contains("Forbidden IP"):
      facts.forbidden += context.weight
      guard context.weight > 0 else { return }
      facts.users.add(user) { $0.forbidden += context.weight }
      sessions.update(start, id) { $0.forbidden += context.weight }
    default: break
    }
  }

  /// 401: without a user it asks for credentials, with one it refuses them.
  private mutating func unauthorized(_ id: UInt64, _ user: Bytes, _ context: RecordContext) {
    guard !user.isEmpty else {
      facts.challenges += context.weight
      return
    }
    guard context.weight > 0, !Self.isProbe(user) else { return }
    sessions.update(streams[context.stream].start, id) { $0.failures += context.weight }
  }

  /// Whether a name is that of the credentials probe, also with the expiry of a REST name before it.
  static func isProbe(_ user: Bytes) -> Bool {
    guard user.ends(with: "runbook-probe") else { return false }
    let rest = user.count - 13
    if rest == 0 { return true }
    return user[rest - 1] == 0x3A && user.number(at: 0)?.length == rest - 1
  }

  @inline(__always)
  private mutating func usage(_ id: UInt64, _ text: Bytes, isPeer: Bool, _ context: RecordContext) {
    facts.isVerbose = true
    if isPeer { narrow(from: CoturnVersion(4, 5, 1, 2)) }
    guard let (traffic, rest) = Self.traffic(text) else { return }
    let weight = UInt64(max(0, context.weight))
    if isPeer {
      let relayed = traffic.receivedBytes.addingSaturated(traffic.sentBytes, times: 1)
      facts.relayedBytes = (facts.relayedBytes ?? 0).addingSaturated(relayed, times: weight)
    }
    let user = Self.usageUser(rest, isPeer)
    sessions.update(streams[context.stream].start, id) { session in
      if isPeer {
        session.peer = session.peer ?? CoturnTraffic()
        session.peer?.add(traffic, times: weight)
      } else {
        session.client = session.client ?? CoturnTraffic()
        session.client?.add(traffic, times: weight)
      }
      if session.user.isEmpty, let user, !user.isEmpty { session.user = user.array }
    }
  }

  /// `…, rp=1, rb=2, sp=3, sb=4` at the end of a text, and what stands before it.
  @inline(__always)
  private static func traffic(_ text: Bytes) -> (CoturnTraffic, rest: Bytes)? {
    var end = text.count
    while end > 0, text[end - 1] == 0x20 || text[end - 1] == 0x0D { end -= 1 }
    func figure(_ first: UInt8, _ second: UInt8) -> UInt64? {
      var value: UInt64 = 0
      var scale: UInt64 = 1
      var place = end
      // What is longer is no figure of coturn: what stands before it is no `=` then.
      while place > 0, end - place < 18, text[place - 1] &- 0x30 < 10 {
        value = value &+ UInt64(text[place - 1] &- 0x30) &* scale
        scale = scale &* 10
        place -= 1
      }
      guard place < end, place >= 5, text[place - 1] == 0x3D, text[place - 2] == second, text[place - 3] == first,
        text[place - 4] == 0x20, text[place - 5] == 0x2C
      else { return nil }
      end = place - 5
      return value
    }
    guard let sentBytes = figure(0x73, 0x62), let sentPackets = figure(0x73, 0x70),
      let receivedBytes = figure(0x72, 0x62), let receivedPackets = figure(0x72, 0x70)
    else { return nil }
    let traffic = CoturnTraffic(
      receivedPackets: receivedPackets, receivedBytes: receivedBytes, sentPackets: sentPackets, sentBytes: sentBytes)
    return (traffic, text.prefix(end))
  }

  /// The user of `usage: realm=<…>, username=<…>`: no realm of a server holds `>, username=<`.
  @inline(__always)
  private static func usageUser(_ text: Bytes, _ isPeer: Bool) -> Bytes? {
    guard text.count > 0, text[text.count - 1] == 0x3E else { return nil }
    guard let start = text.place(of: ">, username=<", from: isPeer ? 19 : 14) else { return nil }
    return text.piece(start + 13..<max(start + 13, text.count - 1))
  }

  private mutating func opened(_ id: UInt64, _ text: Bytes, _ context: RecordContext) {
    facts.isVerbose = true
    facts.opened += context.weight
    var user: Bytes?
    if let start = text.place(of: ">, username=<"), let end = text.lastPlace(of: ">, lifetime="), start + 13 <= end {
      user = text.piece(start + 13..<end)
    }
    sessions.update(streams[context.stream].start, id) { session in
      session.isAllocated = true
      session.isCounted = context.weight > 0
      if let user { session.user = user.array }
    }
  }

  private mutating func closed(_ id: UInt64, _ text: Bytes, _ line: Bytes, _ context: RecordContext) {
    facts.isVerbose = true
    let reasonPlace = text.lastPlace(of: ", reason: ")
    if reasonPlace == nil, !context.isCut {
      return openInside(line, ", reason: ", 127, context)
    }
    let session = sessions.close(streams[context.stream].start, id)
    let isAllocated = session?.isAllocated ?? false
    if isAllocated { facts.closed += context.weight } else { facts.closedWithoutAllocation += context.weight }
    guard context.weight > 0 else { return }
    if context.isCut || reasonPlace == nil {
      facts.closeReasons.add(Array("(record cut)".utf8)) { $0 += context.weight }
    } else if let reasonPlace {
      facts.closeReasons.add(text.dropping(reasonPlace + 10).trimmed) { $0 += context.weight }
    }
    guard let address = Self.remoteAddress(text, before: reasonPlace ?? text.count) else { return }
    let failures = session?.failures ?? 0
    let forbidden = session?.forbidden ?? 0
    guard failures > 0 || forbidden > 0 || !isAllocated else { return }
    facts.clients.add(address) { client in
      client.failures += failures
      client.forbidden += forbidden
      if !isAllocated { client.withoutAllocation += context.weight }
    }
  }

  /// The client's address of a closing record, without the port and without brackets.
  private static func remoteAddress(_ text: Bytes, before end: Int) -> Bytes? {
    guard let start = text.prefix(end).lastPlace(of: ", remote ") else { return nil }
    return address(text.piece(start + 9..<end))
  }

  /// The address of `192.0.2.1:3478` or `[2001:db8::1]:3478`.
  static func address(_ text: Bytes) -> Bytes? {
    guard text.count > 0 else { return nil }
    if text[0] == 0x5B { return text.place(of: 0x5D).map { text.piece(1..<$0) } }
    var colons = 0
    var last = text.count
    for place in 0..<text.count where text[place] == 0x3A {
      colons += 1
      last = place
    }
    return colons == 1 ? text.prefix(last) : text
  }

  /// Further records of a session: events of its sockets.
  private mutating func event(_ id: UInt64, _ text: Bytes, _ context: RecordContext) {
    if text.contains(" socket error: ") { count(.socketError, context) }
    if text.begins(with: "SSL read error: ") { count(.readError, context) }
  }

  @inline(__always)
  mutating func count(_ kind: CoturnLogKind, _ context: RecordContext) {
    recognize(context.stream)
    facts.counts[kind.place] += context.weight
  }
}
