import Glibc

/// Stamps of the wall clock: `2024-09-12T09:14:37+0800`, with a fraction, a blank in place of `T`, a colon in the zone or `Z`;
/// without a zone it is the host's.
enum WallStamp {
  /// The moment at the beginning of a text, and the stamp's length; nil if there is none.
  static func read(_ text: Bytes) -> (time: RecordTime, length: Int)? {
    guard text.count >= 19, let year = digits(text, 0, 4), let month = digits(text, 5, 2), let day = digits(text, 8, 2),
      let hour = digits(text, 11, 2), let minute = digits(text, 14, 2), let second = digits(text, 17, 2),
      text[4] == 0x2D || text[4] == 0x2F, text[7] == text[4], text[10] == 0x54 || text[10] == 0x20,
      text[13] == 0x3A, text[16] == 0x3A,
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
    else { return nil }
    var length = 19
    let nanoseconds = fraction(text, &length)
    let zone = zone(text, &length)
    let clock = Int64(hour * 3600 + minute * 60 + second)
    let seconds = daysSinceEpoch(year, month, day) * 86_400 + clock
    let offset = zone ?? hostOffset(year, month, day, hour, minute, second)
    return (
      RecordTime(seconds: seconds - Int64(offset), nanoseconds: nanoseconds, offset: Int32(offset), isWall: true),
      length
    )
  }

  private static func digits(_ text: Bytes, _ place: Int, _ count: Int) -> Int? {
    guard place + count <= text.count else { return nil }
    var number = 0
    for index in place..<place + count {
      let digit = text[index] &- 0x30
      guard digit < 10 else { return nil }
      number = number * 10 + Int(digit)
    }
    return number
  }

  private static func fraction(_ text: Bytes, _ length: inout Int) -> Int32 {
    guard length + 1 < text.count, text[length] == 0x2E || text[length] == 0x2C, text[length + 1] &- 0x30 < 10 else {
      return 0
    }
    length += 1
    var nanoseconds: Int32 = 0
    var count = 0
    while length < text.count, text[length] &- 0x30 < 10 {
      if count < 9 { nanoseconds = nanoseconds * 10 + Int32(text[length] - 0x30) }
      count += 1
      length += 1
    }
    while count < 9 {
      nanoseconds *= 10
      count += 1
    }
    return nanoseconds
  }

  /// Seconds ahead of UTC.
  private static func zone(_ text: Bytes, _ length: inout Int) -> Int? {
    guard length < text.count else { return nil }
    if text[length] == 0x5A {
      length += 1
      return 0
    }
    guard text[length] == 0x2B || text[length] == 0x2D, let hours = digits(text, length + 1, 2), hours < 24 else {
      return nil
    }
    let hasColon = length + 3 < text.count && text[length + 3] == 0x3A
    guard let minutes = digits(text, length + (hasColon ? 4 : 3), 2), minutes < 60 else { return nil }
    let offset = hours * 3600 + minutes * 60
    let sign = text[length] == 0x2D ? -1 : 1
    length += hasColon ? 6 : 5
    return sign * offset
  }

  /// Days from 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that the leap day is their last.
  private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64(era * 146_097 + dayOfEra - 719_468)
  }

  private static func hostOffset(_ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int)
    -> Int
  {
    var fields = tm()
    fields.tm_year = Int32(year - 1900)
    fields.tm_mon = Int32(month - 1)
    fields.tm_mday = Int32(day)
    fields.tm_hour = Int32(hour)
    fields.tm_min = Int32(minute)
    fields.tm_sec = Int32(second)
    fields.tm_isdst = -1
    _ = mktime(&fields)
    return fields.tm_gmtoff
  }
}
