/// When a record was written, as far as it says.
package struct RecordTime: Hashable, Sendable {
  /// Of the wall clock, since 1970; otherwise since the server's start.
  package var seconds: Int64
  package var nanoseconds: Int32 = 0
  /// Seconds ahead of UTC of the clock that it was written by.
  package var offset: Int32 = 0
  package var isWall: Bool

  /// Whether it lies before another one of the same clock; a record of another thread may be a second late.
  func isBefore(_ other: RecordTime, by seconds: Int64 = 0) -> Bool {
    isWall == other.isWall && self.seconds + seconds < other.seconds
  }
}

/// What stands before the message of a record.
struct RecordHead {
  /// How heads are written, by version.
  enum Form: UInt8, Comparable {
    /// `123: message`, up to 4.5.1.3.
    case bare
    /// `123: : message` and `2021-10-31T02:59:01+0200: message`, 4.5.2 to 4.6.1.
    case colon
    /// `123: (28): INFO: message` and `2024-09-12T09:14:37+0800(28): INFO: message`, 4.6.2 to 4.16.
    case thread
    /// `2026-08-05T10:00:00.123+0000 INFO message`, from 4.17.0: one line a record.
    case line

    static func < (one: Form, other: Form) -> Bool { one.rawValue < other.rawValue }
  }

  var form: Form
  var time: RecordTime
  /// The thread that wrote it; 0 if the record does not say.
  var thread: UInt64 = 0
  var isError = false
  /// Where the message begins.
  var length: Int
}

/// Reads heads of records. Those of one second have one stamp, so that the stamp before is kept.
struct RecordHeadReader {
  private var stamp: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  private var stampLength = 0
  private var stampTime = RecordTime(seconds: 0, isWall: true)

  /// Nil for a line that does not begin as a record of coturn does.
  @inline(__always)
  mutating func read(_ line: Bytes) -> RecordHead? {
    guard line.count >= 3, let number = line.number(at: 0) else { return nil }
    let end = number.length
    guard end < line.count else { return nil }
    let time = RecordTime(seconds: Int64(truncatingIfNeeded: number.value), isWall: false)
    switch line[end] {
    case 0x3A:
      guard end < 12 else { return nil }
      if line.count == end + 1 { return RecordHead(form: .bare, time: time, length: line.count) }
      guard line[end + 1] == 0x20 else { return nil }
      return behindSeconds(line, end + 2, time)
    case 0x2D, 0x2F:
      guard number.length == 4 else { return nil }
      return behindStamp(line)
    case 0x20:
      guard end < 12 else { return nil }
      return Self.level(line, end + 1, " ").map { level in
        RecordHead(form: .line, time: time, isError: level.isError, length: level.end)
      }
    default: return nil
    }
  }

  @inline(__always)
  private func behindSeconds(_ line: Bytes, _ place: Int, _ time: RecordTime) -> RecordHead {
    guard place < line.count else { return RecordHead(form: .bare, time: time, length: place) }
    if line[place] == 0x3A, place + 1 == line.count || line[place + 1] == 0x20 {
      let start = min(place + 2, line.count)
      return Self.unlevelled(line, start, .colon, time)
    }
    if line[place] == 0x28, let head = Self.threaded(line, place, time) { return head }
    // Without a thread's id where the system has none; `ERROR: ` alone is what older versions write to standard output.
    if let level = Self.level(line, place, ": "), !level.isError {
      return RecordHead(form: .thread, time: time, isError: false, length: level.end)
    }
    return Self.unlevelled(line, place, .bare, time)
  }

  private static func unlevelled(_ line: Bytes, _ start: Int, _ form: RecordHead.Form, _ time: RecordTime) -> RecordHead
  {
    let isError =
      line.begins(with: "ERROR: ", at: start) || line.count == start + 6 && line.begins(with: "ERROR:", at: start)
    return RecordHead(form: form, time: time, isError: isError, length: min(line.count, isError ? start + 7 : start))
  }

  /// `(28): INFO: `, with `file(line):` before the level if `log-file-line` is on.
  private static func threaded(_ line: Bytes, _ place: Int, _ time: RecordTime) -> RecordHead? {
    guard let thread = line.number(at: place + 1) else { return nil }
    var next = place + 1 + thread.length
    guard line.begins(with: "): ", at: next) else { return nil }
    next += 3
    var found = level(line, next, ": ")
    if found == nil, let end = line.prefix(next + 120).place(of: "):", from: next) {
      found = level(line, end + 2, ": ")
    }
    guard let found else { return nil }
    return RecordHead(form: .thread, time: time, thread: thread.value, isError: found.isError, length: found.end)
  }

  /// A level's name and what follows it.
  @inline(__always)
  private static func level(_ line: Bytes, _ place: Int, _ tail: StaticString) -> (isError: Bool, end: Int)? {
    guard place + 4 <= line.count else { return nil }
    let length: Int
    switch line[place] {
    case 0x49 where line.begins(with: "INFO", at: place): length = 4
    case 0x45 where line.begins(with: "ERROR", at: place): length = 5
    case 0x57 where line.begins(with: "WARNING", at: place): length = 7
    case 0x44 where line.begins(with: "DEBUG", at: place): length = 5
    case 0x43 where line.begins(with: "CONTROL", at: place): length = 7
    default: return nil
    }
    let end = place + length
    // A logger may have cut the blanks at the end of an empty message.
    guard
      line.begins(with: tail, at: end)
        || end + tail.utf8CodeUnitCount > line.count && line.dropping(end).isPrefix(of: tail)
    else { return nil }
    return (length == 5 && line[place] == 0x45, min(line.count, end + tail.utf8CodeUnitCount))
  }

  // MARK: Stamps

  @inline(__always)
  private mutating func behindStamp(_ line: Bytes) -> RecordHead? {
    guard let length = stamp(line) else { return nil }
    let time = stampTime
    guard length < line.count else { return nil }
    switch line[length] {
    case 0x28: return Self.threaded(line, length, time)
    case 0x3A:
      guard line.count == length + 1 || line[length + 1] == 0x20 else { return nil }
      return Self.unlevelled(line, min(length + 2, line.count), .colon, time)
    case 0x20:
      return Self.level(line, length + 1, " ").map { level in
        RecordHead(form: .line, time: time, isError: level.isError, length: level.end)
      }
    default: return nil
    }
  }

  /// Reads the stamp at the line's start into `stampTime`; gives its length, nil if there is none.
  mutating func stamp(_ line: Bytes) -> Int? {
    if line.count > 32, stampLength > 0, isSameStamp(line) { return stampLength }
    guard let (time, length) = WallStamp.read(line) else { return nil }
    stampTime = time
    stampLength = length <= 32 && line.count > 32 ? length : 0
    if stampLength > 0 {
      withUnsafeMutableBytes(of: &stamp) { $0.copyMemory(from: line.prefix(32).raw) }
    }
    return length
  }

  /// The stamp that was read last.
  var lastStamp: RecordTime { stampTime }

  @inline(__always)
  private func isSameStamp(_ line: Bytes) -> Bool {
    withUnsafeBytes(of: stamp) { kept in
      for place in 0..<stampLength where kept[place] != line[place] { return false }
      let next = line[stampLength]
      return next < 0x30 || next > 0x39
    }
  }
}

extension Bytes {
  fileprivate func isPrefix(of text: StaticString) -> Bool {
    count <= text.utf8CodeUnitCount && (0..<count).allSatisfy { self[$0] == text.utf8Start[$0] }
  }
}
