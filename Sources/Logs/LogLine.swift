import Glibc
package import Schema

/// What stands around a message in one line of text.
package struct LogLine {
  /// The message's place in the line.
  package var message: Range<Int>
  package var time: Timestamp?
  /// Who wrote it, where the line is of a syslog.
  package var program: Range<Int>?
  /// How often more than once, where the line says that its message was repeated.
  package var repetitions: Int?
  /// The line stands for repetitions of the one before it.
  package var repeatsPrevious = false

  /// Reads a line of a file: with the stamp of a program of its own, of syslog (RFC 3164, RFC 5424, rsyslog), of an access
  /// log, with the prefix of `docker compose logs`, or without any of them.
  package init(_ bytes: UnsafeRawBufferPointer, _ clock: LogClock) {
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
    let end = cursor
    guard cursor.skip(" ") else {
      // `(28): ` and `: ` of coturn; anything else is of the message, but for what parts it from the stamp.
      if cursor.skip("("), cursor.number() == nil || !cursor.skip(")") { cursor = end }
      guard cursor.skip(":"), cursor.skip(" ") else {
        cursor = end
        if let byte = cursor.peek(), [0x09, 0x2C, 0x3B, 0x7C].contains(byte) { cursor.index += 1 }
        return nil
      }
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
    // `ERROR:` behind one word is a level of the message, and no program.
    guard hasProcess || !isLevel(UnsafeRawBufferPointer(rebasing: text[..<name])) else {
      cursor = message
      return nil
    }
    return tag.lowerBound..<tag.lowerBound + name
  }

  private static func isLevel(_ word: UnsafeRawBufferPointer) -> Bool {
    let levels: [StaticString] = [
      "ERROR", "ERR", "WARN", "WARNING", "FATAL", "PANIC", "CRITICAL", "CRIT", "ALERT", "EMERG", "NOTICE", "INFO",
      "DEBUG",
      "TRACE",
    ]
    return levels.contains { level in
      level.utf8CodeUnitCount == word.count && zip(0..<word.count, word).allSatisfy { $1 & 0xDF == level.utf8Start[$0] }
    }
  }

  /// The time of an access log's line, which stands behind address, identity and user, three words: anywhere else a client
  /// may have put it, to have its record taken for an old one.
  private static func accessTime(_ bytes: UnsafeRawBufferPointer, _ clock: LogClock) -> Timestamp? {
    var cursor = ByteCursor(bytes)
    for _ in 0..<3 where cursor.word() == nil { return nil }
    guard cursor.skip("[") else { return nil }
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
