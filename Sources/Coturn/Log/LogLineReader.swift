import Logs
import Schema

/// Takes from each line what its logger put around it, and gives the rest to the interpreter.
final class LogLineReader {
  private(set) var interpreter: LogInterpreter
  private var clock = LogClock(reference: .unixEpoch)
  /// Parts of a message that a container's runtime cut.
  private var partial: [UInt8] = []
  private static let joinedLimit = 1 << 20
  /// The stream of the line before: a line without anything around it goes on with its record.
  private var currentStream = 0

  init(_ interpreter: LogInterpreter) { self.interpreter = interpreter }

  func begin(_ reference: Timestamp, tail: [UInt8]) {
    clock = LogClock(reference: reference)
    partial = []
    interpreter.anchor = nil
    guard let seconds = lastSeconds(tail) else { return }
    interpreter.anchor = .init(start: reference.seconds - seconds, lastSeconds: seconds)
  }

  /// The seconds of the last record of a log that has no wall time; nil if there is none.
  private func lastSeconds(_ tail: [UInt8]) -> Int64? {
    tail.withUnsafeBytes { tail in
      guard let text = tail.bytes else { return nil }
      var end = text.count
      while end > 0 {
        let start = text.prefix(end - 1).lastPlace(of: "\n").map { $0 + 1 } ?? 0
        if let head = interpreter.heads.read(text.piece(start..<end)) {
          return head.time.isWall ? nil : head.time.seconds
        }
        end = start
      }
      return nil
    }
  }

  func end() {
    for stream in interpreter.streams.indices { interpreter.settle(stream) }
    interpreter.previousLine = nil
  }

  /// Reads whole lines; gives how many they are.
  func read(_ block: UnsafeRawBufferPointer) -> Int {
    guard let block = block.bytes else { return 0 }
    var place = 0
    var lines = 0
    while place < block.count {
      let end = block.place(of: 0x0A, from: place) ?? block.count
      let isTerminal = end > place && block[end - 1] == 0x0D
      line(block.piece(place..<(isTerminal ? end - 1 : end)))
      place = end + 1
      lines += 1
    }
    interpreter.previousLine = nil
    return lines
  }

  /// A line as it stands: one of coturn's own file is the quickest to tell.
  @inline(__always)
  private func line(_ line: Bytes) {
    if line.count > 0, line[0] &- 0x30 < 10, interpreter.streams[0].clientText == nil,
      let head = interpreter.heads.read(line)
    {
      currentStream = 0
      interpreter.record(line, head, 0, nil, 1)
    } else {
      wrapped(line)
    }
  }

  private func wrapped(_ line: Bytes) {
    // What a client wrote behind a bare record has nothing around it either, whatever it looks like.
    if interpreter.streams[0].clientText?.isBare == true {
      currentStream = 0
      return interpreter.line(line, 0, nil, 1)
    }
    guard line.count > 0 else { return interpreter.line(line, currentStream, nil, 1) }
    if line[0] == 0x5F, line.begins(with: "__REALTIME_TIMESTAMP=") { interpreter.facts.holdsJournalExport = true }
    if line[0] == 0x7B, let record = LogRecord(json: line.raw, clock) { return take(record, "") }
    if line[0] &- 0x30 < 10, let record = LogRecord.cri(line.raw, clock) { return take(record, "") }
    if interpreter.streams[0].clientText != nil, interpreter.heads.read(line) == nil,
      let length = interpreter.heads.stamp(line)
    {
      return stamped(line, length, interpreter.heads.lastStamp, 0)
    }
    text(line)
  }

  private func take(_ record: LogRecord, _ name: String) {
    guard let part = record.message else {
      interpreter.facts.unreadableRecords += 1
      return
    }
    if record.isPartial, partial.count + part.count <= Self.joinedLimit {
      partial += part
      return
    }
    let whole = partial.isEmpty ? part : partial + part
    partial = []
    let time = record.time.map { RecordTime(seconds: $0.seconds, nanoseconds: $0.nanoseconds, isWall: true) }
    let stream = interpreter.stream(named: record.program ?? name)
    whole.withUnsafeBytes { whole in
      guard let bytes = whole.bytes else { return }
      outside { message(bytes, stream, time) }
    }
  }

  /// Reads what does not lie in the block.
  private func outside(_ body: () -> Void) {
    interpreter.isInBlock = false
    let previous = interpreter.previousLine
    interpreter.previousLine = nil
    body()
    interpreter.previousLine = previous
    interpreter.isInBlock = true
  }

  // MARK: Lines of text

  /// A line with what `docker compose logs`, syslog or a stamp put before it.
  private func text(_ line: Bytes) {
    let (name, start) = Self.composeName(line)
    let inner = line.dropping(start)
    let isInBlock = start == 0
    let container = name.map { interpreter.stream(named: $0.text) }
    // A line of coturn, or one that follows one in the same container.
    if interpreter.heads.read(inner) != nil || container.map({ interpreter.streams[$0].clientText != nil }) == true {
      currentStream = container ?? 0
      return outside(isInBlock) { interpreter.line(inner, currentStream, nil, 1) }
    }
    if let length = interpreter.heads.stamp(inner) {
      return stamped(inner, length, interpreter.heads.lastStamp, container ?? 0)
    }
    let syslog = LogLine(inner.raw, clock)
    guard syslog.message.lowerBound > 0 || syslog.repetitions != nil else {
      let isOfProgram = container == nil && currentStream != 0
      currentStream = container ?? currentStream
      return outside(isInBlock) { plain(inner, currentStream, nil, 1, isOfProgram: isOfProgram) }
    }
    currentStream = syslog.program.map { interpreter.stream(named: inner.piece($0).text) } ?? container ?? 0
    // A stamp without a year says when only beside others.
    let hasYear = inner[0] == 0x3C || inner[0] &- 0x30 < 10
    let time =
      hasYear ? syslog.time.map { RecordTime(seconds: $0.seconds, nanoseconds: $0.nanoseconds, isWall: true) } : nil
    outside { repeated(inner, syslog, currentStream, time) }
  }

  private func outside(_ isWhole: Bool, _ body: () -> Void) { if isWhole { body() } else { outside(body) } }

  /// A line with a whole stamp that is not coturn's own: `docker logs -t` has the message next, a syslog host and program.
  private func stamped(_ line: Bytes, _ length: Int, _ time: RecordTime, _ stream: Int) {
    currentStream = stream
    guard length < line.count, line[length] == 0x20 else {
      return outside { interpreter.line(line, stream, nil, 1) }
    }
    let rest = line.dropping(length + 1)
    if interpreter.heads.read(rest) != nil || interpreter.streams[stream].clientText != nil {
      return outside { interpreter.line(rest, stream, time, 1) }
    }
    guard let hostEnd = rest.place(of: 0x20), let tagEnd = rest.place(of: 0x20, from: hostEnd + 1),
      tagEnd > hostEnd + 1,
      rest[tagEnd - 1] == 0x3A
    else { return outside { interpreter.line(rest, stream, time, 1) } }
    let tag = rest.piece(hostEnd + 1..<tagEnd - 1)
    let name = tag.prefix(tag.place(of: 0x5B) ?? tag.count).text
    let body = rest.dropping(tagEnd + 1)
    let program = interpreter.stream(named: name)
    currentStream = program
    guard interpreter.heads.read(body) == nil else { return outside { message(body, program, time, isWhole: true) } }
    let syslog = LogLine(body.raw, LogClock(reference: .unixEpoch))
    outside { repeated(body, syslog, program, time) }
  }

  /// A message of a syslog, which may say that it stands for several.
  private func repeated(_ line: Bytes, _ syslog: LogLine, _ stream: Int, _ time: RecordTime?) {
    if let repetitions = syslog.repetitions {
      if syslog.repeatsPrevious {
        let previous = interpreter.streams[stream].previous
        previous.withUnsafeBytes { previous in
          if let bytes = previous.bytes { interpreter.line(bytes, stream, time, repetitions) }
        }
      } else {
        message(line.piece(syslog.message), stream, time, repetitions, isWhole: true)
      }
      return
    }
    message(line.piece(syslog.message), stream, time, isWhole: true)
  }

  /// One message of a logger: what it holds behind a line feed belongs to it. rsyslog writes one as `#012`.
  ///
  /// - Parameter isWhole: a record never goes on in the next message, as it does where each line is a message.
  private func message(
    _ whole: Bytes, _ stream: Int, _ time: RecordTime?, _ weight: Int = 1, isWhole: Bool = false
  ) {
    guard let (end, length) = Self.lineEnd(whole, from: 0) else {
      plain(whole, stream, time, weight, isOfProgram: isWhole)
      if isWhole { interpreter.streams[stream].clientText = nil }
      return
    }
    interpreter.line(whole.prefix(end), stream, time, weight)
    // Nothing in here is a record of its own, whoever wrote it.
    interpreter.streams[stream].clientText = nil
    var place = end + length
    while place < whole.count {
      let next = Self.lineEnd(whole, from: place)
      let part = whole.piece(place..<(next?.end ?? whole.count))
      if interpreter.heads.read(part) == nil {
        interpreter.continuation(part, stream, time, interpreter.streams[stream].isRecognized ? .client : .anyone)
      } else {
        interpreter.facts.forgedLines += 1
      }
      guard let next else { return }
      place = next.end + next.length
    }
  }

  /// A line; one without a head under the server's own name is the server's or a client's.
  private func plain(_ line: Bytes, _ stream: Int, _ time: RecordTime?, _ weight: Int, isOfProgram: Bool) {
    if isOfProgram, interpreter.streams[stream].isRecognized, interpreter.streams[stream].clientText == nil,
      interpreter.heads.read(line) == nil
    {
      interpreter.continuation(line, stream, time, .server)
    } else {
      interpreter.line(line, stream, time, weight)
    }
  }

  private static func lineEnd(_ text: Bytes, from place: Int) -> (end: Int, length: Int)? {
    let feed = text.place(of: 0x0A, from: place)
    let escaped = text.prefix(feed ?? text.count).place(of: "#012", from: place)
    if let escaped { return (escaped, 4) }
    return feed.map { ($0, 1) }
  }

  /// The container's name of `coturn-1  | `, and where its line begins; both may be coloured.
  private static func composeName(_ line: Bytes) -> (name: Bytes?, start: Int) {
    let begin = colour(line, 0)
    var end = begin
    while end < line.count, end < 160, line[end] > 0x20, line[end] != 0x7C { end += 1 }
    guard end > begin, end < line.count, line[end] == 0x20 else { return (nil, 0) }
    var bar = end
    while bar < line.count, line[bar] == 0x20 { bar += 1 }
    guard bar < line.count, line[bar] == 0x7C else { return (nil, 0) }
    let start = colour(line, bar + 1)
    let text = start < line.count && line[start] == 0x20 ? start + 1 : start
    return (line.piece(begin..<end), colour(line, text))
  }

  /// The place behind a sequence that sets a colour, if there is one at this place.
  private static func colour(_ line: Bytes, _ place: Int) -> Int {
    guard place + 2 < line.count, line[place] == 0x1B, line[place + 1] == 0x5B else { return place }
    return line.prefix(place + 16).place(of: 0x6D, from: place).map { $0 + 1 } ?? place
  }
}
