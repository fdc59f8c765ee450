package import Schema

/// One record of a log whose lines are JSON objects, or of the Kubernetes container runtime interface (CRI).
package struct LogRecord {
  /// Nil if the record has no message that can be read.
  package var message: [UInt8]?
  package var time: Timestamp?
  package var program: String?
  /// The message goes on in the next record: a runtime cuts long lines.
  package var isPartial = false

  /// How the lines of a source are read.
  enum Form {
    case text
    case json
    case cri
  }

  /// Tells the form from a line.
  static func form(of line: UnsafeRawBufferPointer, _ clock: LogClock) -> Form {
    if line.first == 0x7B { return .json }
    return cri(line, clock) == nil ? .text : .cri
  }

  init(message: [UInt8]?, time: Timestamp?, program: String?, isPartial: Bool = false) {
    self.message = message
    self.time = time
    self.program = program
    self.isPartial = isPartial
  }

  /// A line of Docker's json-file, of `journalctl -o json`, or of a program that logs JSON; nil for what is no object.
  package init?(json line: UnsafeRawBufferPointer, _ clock: LogClock) {
    guard let object = try? JSON(parsing: line), case .object = object else { return nil }
    // `stream` is Docker's; a program of its own may have a `log` and a `time`.
    if let text = object["log"]?.string, object["stream"] != nil {
      var bytes = Array(text.utf8)
      isPartial = bytes.last != 0x0A
      if !isPartial { bytes.removeLast() }
      message = bytes
      time = Self.time(object["time"], clock)
      return
    }
    if let stamp = object["__REALTIME_TIMESTAMP"] {
      message = Self.journalMessage(object["MESSAGE"])
      time = stamp.string.flatMap(Int64.init).flatMap {
        Timestamp(seconds: $0 / 1_000_000, nanoseconds: Int32($0 % 1_000_000) * 1000)
      }
      program = object["SYSLOG_IDENTIFIER"]?.string ?? object["_COMM"]?.string
      return
    }
    message = Array(line)
    for name in ["time", "timestamp", "@timestamp", "ts"] where time == nil { time = Self.time(object[name], clock) }
  }

  /// `2026-08-05T10:00:00.123456789Z stdout F message`; nil for anything else.
  package static func cri(_ line: UnsafeRawBufferPointer, _ clock: LogClock) -> LogRecord? {
    var cursor = ByteCursor(line)
    guard let time = clock.iso(&cursor), cursor.skip(" "), cursor.skip(text: "stdout ") || cursor.skip(text: "stderr ")
    else {
      return nil
    }
    let isPartial = cursor.peek() == 0x50
    guard isPartial || cursor.peek() == 0x46, cursor.peek(1) == 0x20 || line.count == cursor.index + 1 else {
      return nil
    }
    return LogRecord(
      message: Array(line[min(cursor.index + 2, line.count)...]), time: time, program: nil, isPartial: isPartial)
  }

  /// A string; the bytes of what is no UTF-8; nothing where journalctl left it out.
  private static func journalMessage(_ value: JSON?) -> [UInt8]? {
    switch value {
    case .string(let text): return Array(text.utf8)
    case .array(let numbers):
      var bytes: [UInt8] = []
      for number in numbers {
        guard let byte = number.int.flatMap(UInt8.init(exactly:)) else { return nil }
        bytes.append(byte)
      }
      return bytes
    default: return nil
    }
  }

  private static func time(_ value: JSON?, _ clock: LogClock) -> Timestamp? {
    switch value {
    case .string(let text):
      var copy = text
      return copy.withUTF8 { bytes in
        var cursor = ByteCursor(UnsafeRawBufferPointer(bytes))
        return clock.iso(&cursor)
      }
    case .int(let number):
      // Milliseconds, from 2001 on: as seconds they would be in the year 33658.
      return number > 1_000_000_000_000
        ? Timestamp(seconds: number / 1000, nanoseconds: Int32(number % 1000) * 1_000_000)
        : Timestamp(seconds: number, nanoseconds: 0)
    case .double(let number) where number.isFinite && number > 0 && number < 1e11:
      return Timestamp(seconds: Int64(number), nanoseconds: Int32((number - number.rounded(.down)) * 1e9))
    default: return nil
    }
  }
}
