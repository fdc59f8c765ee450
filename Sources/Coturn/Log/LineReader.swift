import Logs
import Schema

/// Takes from each line what its logger put around it, and gives the rest to the interpreter.
final class LineReader {
  private(set) var interpreter: LogInterpreter
  private var clock = LogClock(reference: .unixEpoch)
  /// Parts of a message that a container's runtime cut.
  private var partial: [UInt8] = []
  private static let joinedLimit = 1 << 20

  init(_ interpreter: LogInterpreter) { self.interpreter = interpreter }

  func begin(_ reference: Timestamp) {
    clock = LogClock(reference: reference)
    partial = []
  }

  func end() {
    for stream in interpreter.streams.indices { interpreter.settle(stream) }
    interpreter.previousLine = nil
  }

  func read(_ block: UnsafeRawBufferPointer) {
    guard let block = block.bytes else { return }
    var place = 0
    while place < block.count {
      let end = block.place(of: 0x0A, from: place) ?? block.count
      line(block.piece(place..<end))
      place = end + 1
    }
    interpreter.previousLine = nil
  }

  /// A line as it stands: one of coturn's own file is the quickest to tell.
  @inline(__always)
  private func line(_ line: Bytes) {
    if line.count > 0, line[0] &- 0x30 < 10, interpreter.streams[0].clientText == nil,
      let head = interpreter.heads.read(line)
    {
      interpreter.record(line, head, 0, nil, 1)
    } else {
      wrapped(line)
    }
  }

  private func wrapped(_ line: Bytes) {
    guard line.count > 0 else { return interpreter.line(line, 0, nil, 1) }
    if line[0] == 0x7B, let record = LogRecord(json: line.raw, clock) { return take(record, "") }
    if line[0] &- 0x30 < 10, let record = LogRecord.cri(line.raw, clock) { return take(record, "") }
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
    let stream = name.map { interpreter.stream(named: $0.text) } ?? 0
    // A line of coturn, or one that follows one in the same container.
    if interpreter.heads.read(inner) != nil { return outside(start == 0) { interpreter.line(inner, stream, nil, 1) } }
    if interpreter.streams[stream].clientText != nil {
      return outside(start == 0) { interpreter.line(inner, stream, nil, 1) }
    }
    if let length = interpreter.heads.stamp(inner) {
      return stamped(inner, length, interpreter.heads.lastStamp, stream)
    }
    let syslog = LogLine(inner.raw, clock)
    guard syslog.message.lowerBound > 0 || syslog.repetitions != nil else {
      return outside(start == 0) { interpreter.line(inner, stream, nil, 1) }
    }
    let program = syslog.program.map { inner.piece($0).text }
    let own = program.map { interpreter.stream(named: $0) } ?? stream
    // A stamp without a year says when only beside others.
    let hasYear = inner[0] == 0x3C || inner[0] &- 0x30 < 10
    let time =
      hasYear ? syslog.time.map { RecordTime(seconds: $0.seconds, nanoseconds: $0.nanoseconds, isWall: true) } : nil
    outside { repeated(inner, syslog, own, time) }
  }

  private func outside(_ isWhole: Bool, _ body: () -> Void) { if isWhole { body() } else { outside(body) } }

  /// A line with a whole stamp that is not coturn's own: `docker logs -t` has the message next, a syslog host and program.
  private func stamped(_ line: Bytes, _ length: Int, _ time: RecordTime, _ stream: Int) {
    guard length < line.count, line[length] == 0x20 else {
      return outside { interpreter.line(line, stream, nil, 1) }
    }
    let rest = line.dropping(length + 1)
    if interpreter.heads.read(rest) != nil { return outside { interpreter.line(rest, stream, time, 1) } }
    guard let hostEnd = rest.place(of: 0x20), let tagEnd = rest.place(of: 0x20, from: hostEnd + 1),
      tagEnd > hostEnd + 1,
      rest[tagEnd - 1] == 0x3A
    else { return outside { interpreter.line(rest, stream, time, 1) } }
    let tag = rest.piece(hostEnd + 1..<tagEnd - 1)
    let name = tag.prefix(tag.place(of: 0x5B) ?? tag.count).text
    let body = rest.dropping(tagEnd + 1)
    outside {
      repeated(body, LogLine(body.raw, LogClock(reference: .unixEpoch)), interpreter.stream(named: name), time)
    }
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
        message(line.piece(syslog.message), stream, time, repetitions)
      }
      return
    }
    let isSyslog = syslog.message.lowerBound > 0
    message(isSyslog ? line.piece(syslog.message) : line, stream, time)
  }

  /// One message of a logger: what it holds behind a line feed belongs to it. rsyslog writes one as `#012`.
  private func message(_ whole: Bytes, _ stream: Int, _ time: RecordTime?, _ weight: Int = 1) {
    suppressed(whole)
    guard let (end, length) = Self.lineEnd(whole, from: 0) else { return interpreter.line(whole, stream, time, weight) }
    interpreter.line(whole.prefix(end), stream, time, weight)
    // Nothing in here is a record of its own, whoever wrote it.
    interpreter.streams[stream].clientText = nil
    var place = end + length
    while place < whole.count {
      let next = Self.lineEnd(whole, from: place)
      let part = whole.piece(place..<(next?.end ?? whole.count))
      if interpreter.heads.read(part) == nil {
        interpreter.continuation(part, stream, time)
      } else {
        interpreter.facts.forgedLines += 1
      }
      guard let next else { return }
      place = next.end + next.length
    }
  }

  private static func lineEnd(_ text: Bytes, from place: Int) -> (end: Int, length: Int)? {
    let feed = text.place(of: 0x0A, from: place)
    let escaped = text.prefix(feed ?? text.count).place(of: "#012", from: place)
    if let escaped { return (escaped, 4) }
    return feed.map { ($0, 1) }
  }

  /// What a logger says that it left out.
  private func suppressed(_ text: Bytes) {
    guard text.count < 300, let place = text.place(of: "uppressed ") else { return }
    guard let number = text.number(at: place + 10), text.begins(with: " message", at: place + 10 + number.length) else {
      return
    }
    interpreter.facts.suppressed += Int(truncatingIfNeeded: number.value)
  }

  /// The container's name of `coturn-1  | `, and where its line begins.
  private static func composeName(_ line: Bytes) -> (name: Bytes?, start: Int) {
    var end = 0
    while end < line.count, end < 128, line[end] > 0x20, line[end] != 0x7C { end += 1 }
    guard end > 0, end < line.count, line[end] == 0x20 else { return (nil, 0) }
    var bar = end
    while bar < line.count, line[bar] == 0x20 { bar += 1 }
    guard bar < line.count, line[bar] == 0x7C else { return (nil, 0) }
    let start = bar + 1 < line.count && line[bar + 1] == 0x20 ? bar + 2 : bar + 1
    return (line.prefix(end), start)
  }
}
