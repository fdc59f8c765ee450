import Schema

extension LogInterpreter {
  // MARK: Lines without a head

  /// Who may have written a line without a head.
  enum Writer {
    /// The server, the shell, the kernel or a logger.
    case anyone
    /// The server under its own name, or a client through it: neither tells of a crash, nor of what a logger left out.
    case server
    /// A client.
    case client
  }

  /// A line that goes on with the record before it, or is none of coturn's.
  mutating func continuation(_ line: Bytes, _ stream: Int, _ envelope: RecordTime?, _ writer: Writer = .anyone) {
    let text = line.withoutIndentation.trimmed
    let weight = continuedWeight(stream, envelope)
    let context = RecordContext(
      head: RecordHead(form: .bare, time: streams[stream].lastTime ?? RecordTime(seconds: 0, isWall: false), length: 0),
      stream: stream, envelope: envelope, weight: weight, isCut: false)
    if streams[stream].continues {
      if text.isEmpty || text.begins(with: "====") { return }
      if text.begins(with: "RFC 3489/5389/") {
        streams[stream].isBanner = true
        return
      }
      if streams[stream].isBanner, text.begins(with: "Version Coturn-") {
        streams[stream].isBanner = false
        return begin(text.dropping(15), stream, context.weight)
      }
      if text.begins(with: "CONFIG") { return configurationProblem(text, context) }
    }
    guard !text.isEmpty else { return }
    if writer == .anyone { return foreign(text, context) }
    let pretence = Self.pretence(text)
    if writer == .server, pretence != .ofOthers { return foreign(text, context) }
    facts.forgedLines += pretence == .nothing ? 0 : 1
  }

  /// What a line without a head says that would count.
  private enum Pretence { case nothing, ofServer, ofOthers }

  private static func pretence(_ text: Bytes) -> Pretence {
    if text.ends(with: "socket: Protocol not supported")
      || text.begins(with: "ERROR: Cannot open log file for writing: ")
    {
      return .ofServer
    }
    return suppressed(text) != nil || tellsOfCrash(text) ? .ofOthers : .nothing
  }

  /// Flags a line of a client that looks like one that counts.
  private mutating func flag(_ line: Bytes, _ head: RecordHead?) {
    let isPretence = head != nil || Self.pretence(line.withoutIndentation.trimmed) != .nothing
    facts.forgedLines += isPretence ? 1 : 0
  }

  /// What goes on with a record counts as often as it does; anything else once, if it lies in the window: a logger's own time
  /// tells, or that of the record before it.
  private mutating func continuedWeight(_ stream: Int, _ envelope: RecordTime?) -> Int {
    guard !streams[stream].continues else { return streams[stream].weight }
    guard let envelope, window != nil else { return min(1, streams[stream].weight) }
    return counted(envelope, 1)
  }

  /// What coturn, the shell and the kernel write without coturn's head.
  mutating func foreign(_ text: Bytes, _ context: RecordContext) {
    if text.ends(with: "socket: Protocol not supported") {
      facts.counts[CoturnLogKind.protocolNotSupported.place] += context.weight
    } else if text.begins(with: "ERROR: Cannot open log file for writing: ") {
      count(.cannotOpenLog, context)
    } else if let count = Self.suppressed(text) {
      let (sum, isTooLarge) = facts.suppressed.addingReportingOverflow(count)
      facts.suppressed = isTooLarge ? Int.max : sum
    } else if Self.tellsOfCrash(text) {
      crash(text, context)
    } else if !streams[context.stream].continues {
      facts.foreignLines += 1
    }
  }

  private static func tellsOfCrash(_ text: Bytes) -> Bool {
    text.contains("egfault") || text.contains("egmentation fault") || text.contains("SEGV")
      || text.contains("general protection") || text.contains("Main process exited, code=")
      || text.contains("Killed process ") || text.contains(" timed out. Killing")
  }

  /// How many messages a logger says that it left out: at most nine digits, as every number of a logger.
  private static func suppressed(_ text: Bytes) -> Int? {
    guard text.count < 300, let place = text.place(of: "uppressed "), let number = text.number(at: place + 10),
      number.length <= 9, text.begins(with: " message", at: place + 10 + number.length)
    else { return nil }
    return Int(number.value)
  }

  /// The kernel tells of a crash by the program's name; systemd tells of the same one.
  private mutating func crash(_ text: Bytes, _ context: RecordContext) {
    if text.contains("Killed process ") || text.contains(" timed out. Killing") || endsByFault(text) {
      return killing(text, context)
    }
    let isKernel = text.contains("segfault at ") || text.contains("general protection")
    let isSystemd = text.contains("status=11/SEGV")
    if isKernel {
      guard text.contains("turnserver") || text.contains("coturn") else { return }
      crashCredits += 1
    } else if isSystemd {
      guard text.contains("coturn") || text.contains("turnserver") else { return }
      if crashCredits > 0 {
        crashCredits -= 1
        return
      }
    } else if !text.contains("egmentation fault") {
      return
    }
    facts.counts[CoturnLogKind.segfault.place] += context.weight
  }

  /// Whether systemd says that a signal other than SIGSEGV ended a main process, as none does that asks for an end.
  private func endsByFault(_ text: Bytes) -> Bool {
    text.contains("Main process exited, code=") && !text.contains("code=exited")
      && !text.contains("status=11/SEGV") && !text.contains("status=15/TERM") && !text.contains("status=2/INT")
      && !text.contains("status=1/HUP")
  }

  /// `Out of memory: Killed process 4711 (turnserver)` of the kernel, and what systemd says of the end of a main process, behind it or
  /// alone. A server that did not stop in time was told to: that is no crash.
  private mutating func killing(_ text: Bytes, _ context: RecordContext) {
    guard text.contains("turnserver") || text.contains("coturn") else { return }
    if text.contains(" timed out. Killing") {
      killCredits += 1
    } else if text.contains("Killed process ") {
      guard text.contains("(turnserver)") || text.contains("(coturn)") else { return }
      killCredits += 1
      facts.counts[CoturnLogKind.killed.place] += context.weight
    } else if text.contains("status=9/KILL") {
      guard killCredits == 0 else {
        killCredits -= 1
        return
      }
      facts.counts[CoturnLogKind.killed.place] += context.weight
    } else {
      facts.counts[CoturnLogKind.aborted.place] += context.weight
    }
  }

  /// The banner on one line, as a logger may put it.
  mutating func flattenedBanner(_ text: Bytes, _ context: RecordContext) {
    guard let place = text.place(of: "Version Coturn-") else { return }
    begin(text.dropping(place + 15), context.stream, context.weight)
  }

  // MARK: Starts and versions

  /// A start of the server.
  ///
  /// - Parameter text: what follows `Coturn-`.
  mutating func begin(_ text: Bytes, _ stream: Int, _ weight: Int) {
    recognize(stream)
    let version = CoturnVersion(text.prefix(40).text)
    // 4.5.2 writes every record twice to standard output: the banner comes again at once.
    if streams[stream].hasStarted, streams[stream].recordsSinceStart == 1, version == CoturnVersion(4, 5, 2),
      version == facts.version
    {
      streams[stream].isDoubled = true
      facts.records -= facts.records / 2
      streams[stream].recordsSinceStart = 0
      return
    }
    // A start's first records stand before its banner: it is why time went back.
    if let reversal = streams[stream].lastReversal, streams[stream].recordsSinceStart - reversal < 500 {
      facts.timeReversals -= 1
    }
    streams[stream].lastReversal = nil
    sessions.leave(start: streams[stream].start)
    lastStart += 1
    streams[stream].start = lastStart
    streams[stream].hasStarted = true
    streams[stream].recordsSinceStart = 0
    facts.starts += weight > 0 ? 1 : 0
    facts.isTLSLost = false
    facts.isReloadFailed = nil
    facts.isDraining = false
    portCredits = 0
    guard let version else { return }
    facts.version = version
    facts.versions = version...version
    hasVersion = true
  }

  mutating func narrow(_ form: RecordHead.Form) {
    switch form {
    case .bare: narrow(upTo: CoturnVersion(4, 5, 1, 3))
    case .colon:
      narrow(from: CoturnVersion(4, 5, 2))
      narrow(upTo: CoturnVersion(4, 6, 1))
    case .thread:
      narrow(from: CoturnVersion(4, 6, 2))
      narrow(upTo: CoturnVersion(4, 16))
    case .line: narrow(from: CoturnVersion(4, 17))
    }
  }

  @inline(__always)
  mutating func narrow(from version: CoturnVersion) {
    if !hasVersion, facts.versions.lowerBound < version, version <= facts.versions.upperBound {
      facts.versions = version...facts.versions.upperBound
    }
  }

  @inline(__always)
  mutating func narrow(upTo version: CoturnVersion) {
    if !hasVersion, version < facts.versions.upperBound, facts.versions.lowerBound <= version {
      facts.versions = facts.versions.lowerBound...version
    }
  }

  // MARK: Text of clients

  /// Keeps a line that a client may have written, until it is known who did; false if no client can have.
  mutating func hold(_ line: Bytes, _ stream: Int, _ envelope: RecordTime?, _ weight: Int) -> Bool {
    guard var text = streams[stream].clientText else { return false }
    guard text.budget > 0 else {
      settle(stream)
      return false
    }
    text.budget -= line.count + 1
    streams[stream].clientText = nil
    switch text.kind {
    case .insideRecord(let start, let end):
      if line.contains(end) {
        close(start, line, stream, envelope, weight)
        return true
      }
      let head = heads.read(line)
      flag(line, head)
      streams[stream].clientText = text
      return true
    case .request(let hasEnded):
      if !hasEnded {
        let head = heads.read(line)
        flag(line, head)
        if line.trimmed.isEmpty { text.kind = .request(hasEnded: true) }
        streams[stream].clientText = text
        return true
      }
    case .name, .origin:
      // Another one begins: what stood between is settled first.
      if let head = heads.read(line), head.isError || head.form == .bare, Self.isOpener(line.dropping(head.length)) {
        streams[stream].clientText = text
        settle(stream)
        record(line, head, stream, envelope, weight)
        stay(text, stream)
        return true
      }
    }
    text.lines.append(ClientText.Line(bytes: line.array, envelope: envelope, weight: weight))
    streams[stream].clientText = text
    if text.budget <= 0 { settle(stream) }
    return true
  }

  /// The one that begins may be the client's too: what was left to the one before stays left.
  private mutating func stay(_ text: ClientText, _ stream: Int) {
    guard text.budget > 0 else { return }
    guard let next = streams[stream].clientText else {
      var rest = text
      rest.lines = []
      if case .name = rest.kind { rest.kind = .name(isCertain: false) }
      streams[stream].clientText = rest
      return
    }
    streams[stream].clientText?.budget = max(next.budget, text.budget)
  }

  private static func isOpener(_ text: Bytes) -> Bool {
    let start = text.prefix(120)
    return start.contains(": wrong username: ") || start.contains(": wrong realm: ")
      || start.contains(": Wrong origin format: ")
  }

  /// A record that was open behind its origin ends with this line.
  private mutating func close(
    _ start: [UInt8], _ line: Bytes, _ stream: Int, _ envelope: RecordTime?, _ weight: Int
  ) {
    if heads.read(line) != nil { facts.forgedLines += 1 }
    let whole = start + [0x20] + line.array
    whole.withUnsafeBufferPointer { whole in
      guard let base = whole.baseAddress else { return }
      let record = Bytes(start: base, count: whole.count)
      guard let head = heads.read(record) else { return }
      interpret(record, head, stream, envelope, streams[stream].weight, false)
    }
  }

  /// Tells which of the lines that were kept a client wrote, and reads the others.
  mutating func settle(_ stream: Int) {
    guard let text = streams[stream].clientText else { return }
    streams[stream].clientText = nil
    let lines = text.lines.map { line in (line: line, head: line.bytes.reading { heads.read($0) }) }
    let answer = lines.lastIndex { isAnswer($0.line.bytes, $0.head, to: text) }
    var isCertain = false
    if case .name(isCertain: true) = text.kind { isCertain = true }
    // A client's lines follow one another: one without a head before the answer is the client's, as all before it.
    let lastOfClient = answer.flatMap { answer in lines[..<answer].lastIndex { $0.head == nil } }
    for (place, (line, head)) in lines.enumerated() {
      let isBeforeAnswer = answer.map { place < $0 } ?? (place == 0)
      var isForged = isCertain && isBeforeAnswer || lastOfClient.map { place <= $0 } ?? false
      if let head, !isForged {
        isForged =
          head.time.isBefore(text.time, by: 1)
          || lines[place...].contains { later in later.head.map { $0.time.isBefore(head.time, by: 1) } ?? false }
      }
      line.bytes.reading { bytes in
        if isForged {
          flag(bytes, head)
        } else if let head = heads.read(bytes) {
          record(bytes, head, stream, line.envelope, line.weight)
        } else {
          continuation(bytes, stream, line.envelope, .client)
        }
      }
    }
  }

  /// Whether a line is what the server says last of a refused name: 400, by the same thread and of the same session.
  private func isAnswer(_ line: [UInt8], _ head: RecordHead?, to text: ClientText) -> Bool {
    guard let head, head.thread == text.thread, !head.time.isBefore(text.time) else { return false }
    return line.reading { line in
      guard line.contains("processed, error 400: ") else { return false }
      guard let session = text.session else { return true }
      let body = line.dropping(head.length)
      return body.begins(with: "session ") && body.number(at: 8)?.value == session
    }
  }
}

extension [UInt8] {
  fileprivate func reading<R>(_ body: (Bytes) -> R) -> R {
    withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress, !buffer.isEmpty else {
        var empty: UInt8 = 0
        return withUnsafePointer(to: &empty) { body(Bytes(start: $0, count: 0)) }
      }
      return body(Bytes(start: start, count: buffer.count))
    }
  }
}
