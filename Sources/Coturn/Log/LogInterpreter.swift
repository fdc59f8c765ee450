import Glibc
import Schema

/// Reads lines of logs, puts records of coturn together from them, and keeps the facts that they tell of.
///
/// It is a structure of plain state, so that a line costs no more than a look at its bytes.
struct LogInterpreter {
  var facts = CoturnLogFacts()
  var heads = RecordHeadReader()
  var sessions = SessionTable()
  var streams = [LogStream(name: "")]
  var streamsByName: [String: Int] = ["": 0]
  /// The number of the last start, of whatever stream.
  var lastStart = 0
  let window: CoturnLogReview.Window?
  /// The first line of the record before in the block that is read; nil at its beginning, and for lines that are kept with
  /// their stream.
  var previousLine: Bytes?
  /// Whether the line that is read lies in the block.
  var isInBlock = true
  /// Of the source that is read; nil if its records have a wall time, or nothing tells when it was written.
  var anchor: Anchor?
  /// Errors of a method, of which the same one of the message follows.
  var methodErrors = PairedErrors()
  /// Records of ports that are exhausted, of which a 508 follows; crashes that the kernel told of, which systemd tells of too.
  var portCredits = 0
  var crashCredits = 0
  /// Ends by SIGKILL that were told of, or meant, before systemd says what became of the main process.
  var killCredits = 0
  /// Whether the start's version is known, so that records need not narrow it.
  var hasVersion = false

  init(window: CoturnLogReview.Window?) { self.window = window }

  /// How many streams are told apart; further ones are taken for one.
  private static let streamLimit = 1000

  mutating func stream(named name: String) -> Int {
    if let known = streamsByName[name] { return known }
    guard streams.count < Self.streamLimit else { return 0 }
    streams.append(LogStream(name: name))
    streamsByName[name] = streams.count - 1
    return streams.count - 1
  }

  // MARK: Lines of one stream

  /// Reads one line of a stream, without what its logger put around it.
  ///
  /// - Parameters:
  ///   - envelope: when its logger wrote it.
  ///   - weight: how often it stands for itself.
  @inline(__always)
  mutating func line(_ line: Bytes, _ stream: Int, _ envelope: RecordTime?, _ weight: Int) {
    if streams[stream].clientText != nil, hold(line, stream, envelope, weight) { return }
    if let head = heads.read(line) {
      record(line, head, stream, envelope, weight)
    } else {
      continuation(line, stream, envelope)
    }
  }

  @inline(__always)
  mutating func record(_ line: Bytes, _ head: RecordHead, _ stream: Int, _ envelope: RecordTime?, _ weight: Int) {
    let limit = head.form == .thread ? 1022 : 1023
    guard line.count < limit || head.form == .line else {
      return cutRecord(line, head, stream, envelope, weight, limit)
    }
    whole(line, head, stream, envelope, weight, isCut: false)
  }

  /// A record of full length lost its line feed: the next one stands on the same line. Standard output gets up to three bytes
  /// more than the record has.
  private mutating func cutRecord(
    _ line: Bytes, _ head: RecordHead, _ stream: Int, _ envelope: RecordTime?, _ weight: Int, _ limit: Int
  ) {
    facts.hasCutRecords = true
    var rest = line
    var next = head
    var length = limit
    // One after the other, not one inside the other: a line may hold a thousand of them.
    while rest.count >= length, next.form != .line {
      whole(rest.prefix(length), next, stream, envelope, weight, isCut: true)
      guard let found = nextRecord(rest, length) else { return }
      rest = found.line
      next = found.head
      length = next.form == .thread ? 1022 : 1023
    }
    whole(rest, next, stream, envelope, weight, isCut: false)
  }

  /// The record that stands behind one of full length.
  private mutating func nextRecord(_ line: Bytes, _ limit: Int) -> (line: Bytes, head: RecordHead)? {
    for place in limit..<min(limit + 4, line.count) {
      let rest = line.dropping(place)
      if let head = heads.read(rest) { return (line: rest, head: head) }
    }
    return nil
  }

  @inline(__always)
  private mutating func whole(
    _ line: Bytes, _ head: RecordHead, _ stream: Int, _ envelope: RecordTime?, _ weight: Int, isCut: Bool
  ) {
    let repetition =
      streams[stream].isDoubled || head.isError && head.form == .bare ? repetition(line, head, stream) : .none
    if repetition == .whole {
      streams[stream].continues = false
      return
    }
    let time = head.time.isWall ? head.time : envelope ?? head.time
    let weight = window == nil ? weight : counted(time, weight)
    if let last = streams[stream].lastTime, head.time.isBefore(last, by: 2) { reverse(stream) }
    streams[stream].lastTime = head.time
    streams[stream].weight = weight
    streams[stream].continues = false
    streams[stream].recordsSinceStart += 1
    if !hasVersion { narrow(head.form) }
    if streams[stream].isRecognized {
      facts.records += weight
      if head.isError { facts.errorLevelRecords += weight }
      if weight > 0 {
        if facts.first == nil { facts.first = moment(time, stream) }
        lastMoment = (time, streams[stream].start)
        if line.count > facts.longestRecord { facts.longestRecord = line.count }
      }
    } else {
      wait(head, time, stream, weight)
    }
    if isInBlock { previousLine = line } else { streams[stream].previous = line.array }
    if repetition == .none { interpret(line, head, stream, envelope, weight, isCut) }
  }

  private mutating func reverse(_ stream: Int) {
    facts.timeReversals += 1
    streams[stream].lastReversal = streams[stream].recordsSinceStart
  }

  /// The time of the last record that counts.
  var lastMoment: (time: RecordTime, start: Int)?

  func moment(_ time: RecordTime, _ stream: Int) -> CoturnLogMoment { Self.moment(time, start: streams[stream].start) }

  static func moment(_ time: RecordTime, start: Int) -> CoturnLogMoment {
    guard time.isWall, let timestamp = Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds) else {
      return .sinceStart(start: start, seconds: time.seconds)
    }
    return .wall(timestamp, offset: Int(time.offset))
  }

  private mutating func wait(_ head: RecordHead, _ time: RecordTime, _ stream: Int, _ weight: Int) {
    streams[stream].waiting.records += weight
    if head.isError { streams[stream].waiting.errors += weight }
    guard weight > 0 else { return }
    let moment = moment(time, stream)
    if streams[stream].waiting.first == nil { streams[stream].waiting.first = moment }
    lastMoment = lastMoment ?? (time, streams[stream].start)
  }

  /// Counts what the stream wrote so far: it is coturn's.
  @inline(__always)
  mutating func recognize(_ stream: Int) {
    if !streams[stream].isRecognized { recognizeFirst(stream) }
  }

  private mutating func recognizeFirst(_ stream: Int) {
    let waiting = streams[stream].waiting
    streams[stream].isRecognized = true
    facts.hasRecognized = true
    facts.records += waiting.records
    facts.errorLevelRecords += waiting.errors
    facts.first = facts.first ?? waiting.first
    if let time = streams[stream].lastTime, streams[stream].weight > 0 { lastMoment = (time, streams[stream].start) }
  }

  // MARK: The window

  /// How often a record of a time counts: not at all outside the window, and always where its time is not known.
  mutating func counted(_ time: RecordTime, _ weight: Int) -> Int {
    guard let window else { return weight }
    guard let moment = wallTime(time) else {
      if let from = window.from, let anchor, anchor.start < from.seconds { return 0 }
      facts.undated += weight
      return weight
    }
    if let from = window.from, moment < from { return 0 }
    if let until = window.until, moment >= until { return 0 }
    return weight
  }

  /// When the last start of a source was, for a log with seconds alone: its file was last written with its last record. A file
  /// that was copied since then makes it later than it was, so that more counts than should, and nothing is lost.
  struct Anchor {
    var start: Int64
    var lastSeconds: Int64
  }

  /// Nil for a record of a start before the last one that ran for longer: it is older than the last start.
  private func wallTime(_ time: RecordTime) -> Timestamp? {
    if time.isWall { return Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds) }
    guard let anchor, time.seconds <= anchor.lastSeconds else { return nil }
    return Timestamp(seconds: anchor.start + time.seconds, nanoseconds: 0)
  }

  // MARK: Records that stand twice

  private enum Repetition { case none, whole, withMarker }

  /// Whether a record is the one before it once more, as older versions write it to standard output: 4.5.2 every one, those
  /// before it errors, first without their marker and then with it.
  private func repetition(_ line: Bytes, _ head: RecordHead, _ stream: Int) -> Repetition {
    guard let before = previousLine else {
      return streams[stream].previous.withUnsafeBufferPointer { kept in
        guard let start = kept.baseAddress else { return .none }
        return repetition(line, head, of: Bytes(start: start, count: kept.count), streams[stream].isDoubled)
      }
    }
    return repetition(line, head, of: before, streams[stream].isDoubled)
  }

  private func repetition(_ line: Bytes, _ head: RecordHead, of before: Bytes, _ isDoubled: Bool) -> Repetition {
    if isDoubled { return before.isSame(as: line) ? .whole : .none }
    let marker = 7
    guard head.form == .bare, head.isError, before.count + marker == line.count else { return .none }
    let start = head.length - marker
    let isSame =
      before.prefix(start).isSame(as: line.prefix(start))
      && before.dropping(start).isSame(as: line.dropping(head.length))
    return isSame ? .withMarker : .none
  }
}

extension Bytes {
  func isSame(as other: Bytes) -> Bool { count == other.count && memcmp(start, other.start, count) == 0 }
}
