import Glibc
import Schema

/// What stands around a message in one line of text.
struct LogLine {
  /// The message's place in the line.
  var message: Range<Int>
  var time: Timestamp?
  /// Who wrote it, where the line is of a syslog.
  var program: Range<Int>?
  /// How often more than once, where the line says that its message was repeated.
  var repetitions: Int?
  /// The line stands for repetitions of the one before it.
  var repeatsPrevious = false

  /// Reads a line of a file: with the stamp of a program of its own, of syslog (RFC 3164, RFC 5424, rsyslog), of an access
  /// log, with the prefix of `docker compose logs`, or without any of them.
  init(_ bytes: UnsafeRawBufferPointer, _ clock: LogClock) {
    var cursor = ByteCursor(bytes)
    Self.skipComposePrefix(&cursor)
    var program: Range<Int>?
    var time: Timestamp?
    if Self.skipPriority(&cursor), let version = cursor.peek(), version == 0x31, cursor.peek(1) == 0x20 {
      cursor.index += 2
      time = clock.iso(&cursor)
      program = Self.structuredHeader(&cursor)
    } else {
      let start = cursor
      let isBracketed = cursor.skip("[")
      time = clock.stamp(&cursor) ?? (isBracketed ? clock.accessLog(&cursor) : nil)
      if time == nil {
        cursor = start
        time = Self.accessTime(bytes, clock)
      } else if isBracketed {
        _ = cursor.skip("]")
        cursor.skipSpaces()
      } else {
        program = Self.syslogHeader(&cursor, isDated: cursor.bytes[start.index] >= 0x41)
      }
    }
    message = min(cursor.index, bytes.count)..<bytes.count
    self.time = time
    self.program = program
    readRepetition(bytes)
  }

  /// `coturn-1  | `.
  private static func skipComposePrefix(_ cursor: inout ByteCursor) {
    let start = cursor
    while let byte = cursor.peek(), byte > 0x20, byte != 0x7C { cursor.index += 1 }
    let hasName = cursor.index > start.index && cursor.peek() == 0x20
    cursor.skipSpaces()
    guard hasName, cursor.skip("|"), cursor.skip(" ") || cursor.isAtEnd else {
      cursor = start
      return
    }
  }

  /// `<34>`.
  private static func skipPriority(_ cursor: inout ByteCursor) -> Bool {
    let start = cursor
    guard cursor.skip("<"), cursor.number() != nil, cursor.skip(">") else {
      cursor = start
      return false
    }
    return true
  }

  /// The rest of RFC 5424's header: host, program, process, message id, structured data.
  private static func structuredHeader(_ cursor: inout ByteCursor) -> Range<Int>? {
    cursor.skipSpaces()
    guard cursor.word() != nil, let program = cursor.word(), cursor.word() != nil, cursor.word() != nil else {
      return nil
    }
    if cursor.skip("-") {
      cursor.skipSpaces()
      return program
    }
    while cursor.skip("[") {
      while let byte = cursor.peek(), byte != 0x5D { cursor.index += byte == 0x5C ? 2 : 1 }
      _ = cursor.skip("]")
    }
    cursor.skipSpaces()
    return program
  }

  /// ` host program[pid]: ` of a syslog, or what stands between another program's stamp and its message.
  ///
  /// - Parameter isDated: the stamp began with a month's name, as only syslog's do.
  private static func syslogHeader(_ cursor: inout ByteCursor, isDated: Bool) -> Range<Int>? {
    // `(28): ` of coturn, `: ` and ` ` of others.
    let end = cursor
    guard cursor.skip(" ") else {
      while let byte = cursor.peek(), byte != 0x20, cursor.index - end.index < 40 { cursor.index += 1 }
      if cursor.peek() == 0x20 { cursor.index += 1 } else { cursor = end }
      return nil
    }
    let message = cursor
    guard let host = cursor.word(), !host.isEmpty, let tag = cursor.word() else {
      cursor = message
      return nil
    }
    let text = UnsafeRawBufferPointer(rebasing: cursor.bytes[tag])
    let hasProcess = text.count > 3 && text[text.count - 1] == 0x3A && text[text.count - 2] == 0x5D
    guard isDated ? text.last == 0x3A : hasProcess else {
      cursor = message
      return nil
    }
    let name = text.firstIndex { $0 == 0x5B || $0 == 0x3A } ?? text.count
    return tag.lowerBound..<tag.lowerBound + name
  }

  /// The time of an access log's line, which stands behind address and user.
  private static func accessTime(_ bytes: UnsafeRawBufferPointer, _ clock: LogClock) -> Timestamp? {
    guard let base = bytes.baseAddress, let bracket = memchr(base, 0x5B, min(bytes.count, 256)) else { return nil }
    var cursor = ByteCursor(bytes, at: base.distance(to: UnsafeRawPointer(bracket)) + 1)
    return clock.accessLog(&cursor)
  }

  /// `message repeated 14 times: [ … ]` of rsyslog, `last message repeated 14 times` of others.
  private mutating func readRepetition(_ bytes: UnsafeRawBufferPointer) {
    var cursor = ByteCursor(bytes, at: message.lowerBound)
    repeatsPrevious = cursor.skip(text: "last ")
    guard cursor.skip(text: "message repeated "), let count = cursor.number(), cursor.skip(text: " times") else {
      repeatsPrevious = false
      return
    }
    repetitions = count
    guard !repeatsPrevious, cursor.skip(text: ": [") else { return }
    var end = bytes.count
    while end > cursor.index, bytes[end - 1] == 0x0D || bytes[end - 1] == 0x20 { end -= 1 }
    if end > cursor.index, bytes[end - 1] == 0x5D { end -= 1 }
    if cursor.peek() == 0x20 { cursor.index += 1 }
    message = min(cursor.index, end)..<end
  }
}
