import Glibc
package import Schema

/// Reads the moments that stand in lines of logs.
package struct LogClock {
  /// When the log was last written: stamps without a year are of the nearest year that is not after it by more than a day.
  let reference: Timestamp

  package init(reference: Timestamp) { self.reference = reference }

  private static let months: [StaticString] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// One of the forms below, or nil, with nothing consumed.
  func stamp(_ cursor: inout ByteCursor) -> Timestamp? {
    let start = cursor
    if let moment = iso(&cursor) ?? syslog(&cursor) { return moment }
    cursor = start
    return nil
  }

  /// `2024-09-12T09:14:37.123+0800`, with a blank in place of `T`, slashes in the date, a comma before the fraction, and
  /// without a zone, which is then the host's.
  func iso(_ cursor: inout ByteCursor) -> Timestamp? {
    let start = cursor
    guard let year = cursor.digits(4), let separator = cursor.peek(), separator == 0x2D || separator == 0x2F,
      cursor.skip(Unicode.Scalar(separator)), let month = cursor.digits(2), cursor.skip(Unicode.Scalar(separator)),
      let day = cursor.digits(2), cursor.skip("T") || cursor.skip(" ") || cursor.skip("t"),
      let time = timeOfDay(&cursor)
    else {
      cursor = start
      return nil
    }
    let nanoseconds = fraction(&cursor)
    return moment(year, month, day, time, nanoseconds, offset(&cursor))
  }

  /// `Nov 28 03:56:01`, in the host's zone; a year may stand before the time.
  func syslog(_ cursor: inout ByteCursor) -> Timestamp? {
    let start = cursor
    guard let month = monthName(&cursor), cursor.skip(" ") else {
      cursor = start
      return nil
    }
    cursor.skipSpaces()
    guard let day = cursor.number(), cursor.skip(" ") else {
      cursor = start
      return nil
    }
    var year: Int?
    if cursor.peek(4) == 0x20, let given = cursor.digits(4) {
      year = given
      cursor.index += 1
    }
    guard let time = timeOfDay(&cursor) else {
      cursor = start
      return nil
    }
    let nanoseconds = fraction(&cursor)
    if let year { return moment(year, month, day, time, nanoseconds, nil) }
    return nearest(month, day, time, nanoseconds)
  }

  /// `12/Sep/2024:09:14:37 +0800`, of access logs.
  func accessLog(_ cursor: inout ByteCursor) -> Timestamp? {
    let start = cursor
    guard let day = cursor.digits(2), cursor.skip("/"), let month = monthName(&cursor), cursor.skip("/"),
      let year = cursor.digits(4), cursor.skip(":"), let time = timeOfDay(&cursor)
    else {
      cursor = start
      return nil
    }
    cursor.skipSpaces()
    return moment(year, month, day, time, 0, offset(&cursor))
  }

  private func monthName(_ cursor: inout ByteCursor) -> Int? {
    for (index, name) in Self.months.enumerated() where cursor.skip(text: name) { return index + 1 }
    return nil
  }

  private func timeOfDay(_ cursor: inout ByteCursor) -> (hour: Int, minute: Int, second: Int)? {
    guard let hour = cursor.digits(2), cursor.skip(":"), let minute = cursor.digits(2), cursor.skip(":"),
      let second = cursor.digits(2), hour < 24, minute < 60, second < 61
    else { return nil }
    return (hour, minute, second)
  }

  /// Nanoseconds after a full stop or a comma; further digits are passed over.
  private func fraction(_ cursor: inout ByteCursor) -> Int32 {
    guard cursor.peek() == 0x2E || cursor.peek() == 0x2C, let first = cursor.peek(1), (0x30...0x39).contains(first)
    else { return 0 }
    cursor.index += 1
    var nanoseconds: Int32 = 0
    var count = 0
    while let digit = cursor.peek(), (0x30...0x39).contains(digit) {
      if count < 9 { nanoseconds = nanoseconds * 10 + Int32(digit - 0x30) }
      count += 1
      cursor.index += 1
    }
    while count < 9 {
      nanoseconds *= 10
      count += 1
    }
    return nanoseconds
  }

  /// Seconds ahead of UTC: `Z`, `+0800` or `+08:00`, `UTC` or `GMT`, a blank before it or none; nil without one.
  private func offset(_ cursor: inout ByteCursor) -> Int? {
    if cursor.skip("Z") || cursor.skip("z") { return 0 }
    let start = cursor
    if cursor.skip(" ") {
      if cursor.skip(text: "UTC") || cursor.skip(text: "GMT") || cursor.skip("Z"), isWordEnd(cursor) { return 0 }
      let isSigned = cursor.peek() == 0x2B || cursor.peek() == 0x2D
      if isSigned, let offset = offset(&cursor), isWordEnd(cursor), cursor.index - start.index >= 6 { return offset }
      cursor = start
      return nil
    }
    guard let sign = cursor.peek(), sign == 0x2B || sign == 0x2D else { return nil }
    cursor.index += 1
    guard let hours = cursor.digits(2) else {
      cursor = start
      return nil
    }
    let hasColon = cursor.skip(":")
    guard let minutes = cursor.digits(2) else {
      cursor = start
      return hasColon ? nil : (sign == 0x2D ? -1 : 1) * hours * 3600
    }
    return (sign == 0x2D ? -1 : 1) * (hours * 3600 + minutes * 60)
  }

  private func isWordEnd(_ cursor: ByteCursor) -> Bool {
    guard let byte = cursor.peek() else { return true }
    return byte == 0x20 || byte == 0x09 || byte == 0x5D || byte == 0x3A || byte == 0x2C
  }

  /// - Parameter offset: seconds ahead of UTC; nil for the host's zone.
  private func moment(
    _ year: Int, _ month: Int, _ day: Int, _ time: (hour: Int, minute: Int, second: Int), _ nanoseconds: Int32,
    _ offset: Int?
  ) -> Timestamp? {
    guard (1...12).contains(month), (1...31).contains(day) else { return nil }
    var fields = tm()
    fields.tm_year = Int32(year - 1900)
    fields.tm_mon = Int32(month - 1)
    fields.tm_mday = Int32(day)
    fields.tm_hour = Int32(time.hour)
    fields.tm_min = Int32(time.minute)
    fields.tm_sec = Int32(time.second)
    fields.tm_isdst = -1
    let seconds = offset.map { timegm(&fields) - $0 } ?? mktime(&fields)
    return Timestamp(seconds: Int64(seconds), nanoseconds: nanoseconds)
  }

  private func nearest(
    _ month: Int, _ day: Int, _ time: (hour: Int, minute: Int, second: Int), _ nanoseconds: Int32
  ) -> Timestamp? {
    var seconds = time_t(reference.seconds)
    var now = tm()
    localtime_r(&seconds, &now)
    let year = Int(now.tm_year) + 1900
    // The end of December may be read in January, and a zone ahead may be in the next year already.
    for candidate in [year + 1, year, year - 1] {
      guard let moment = moment(candidate, month, day, time, nanoseconds, nil) else { continue }
      if moment.seconds - reference.seconds <= 86_400 { return moment }
    }
    return nil
  }
}
