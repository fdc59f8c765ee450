extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with `Z`, and as many digits of a fraction (0, 3, 6 or 9) as the value needs.
  @usableFromInline
  package var description: String {
    let (day, second) = quotientAndRemainder(seconds, 86_400)
    let date = CalendarDate(day: day)
    let (hours, minutes) = (second / 3600, second / 60 % 60)
    return "\(digits(date.year, 4))-\(digits(date.month, 2))-\(digits(date.day, 2))"
      + "T\(digits(hours, 2)):\(digits(minutes, 2)):\(digits(second % 60, 2))\(fraction)Z"
  }

  private var fraction: String {
    guard nanoseconds > 0 else { return "" }
    var fraction = digits(Int64(nanoseconds), 9)
    while fraction.hasSuffix("000") { fraction.removeLast(3) }
    return "." + fraction
  }

  /// Reads RFC 3339, with a zone and up to nine digits of a fraction; nil for anything else, for a date that the calendar
  /// does not have, and for a leap second, which the seconds since 1970 do not count.
  package init?(_ text: String) {
    var rest = text.utf8[...]
    guard let year = takeDigits(4, &rest), take("-", &rest), let month = takeDigits(2, &rest), take("-", &rest),
      let day = takeDigits(2, &rest), take("T", &rest) || take("t", &rest), let hour = takeDigits(2, &rest),
      take(":", &rest), let minute = takeDigits(2, &rest), take(":", &rest), let second = takeDigits(2, &rest),
      hour < 24, minute < 60, second < 60, let date = CalendarDate(year: year, month: month, day: day),
      let nanoseconds = takeFraction(&rest), let offset = takeOffset(&rest), rest.isEmpty
    else { return nil }
    let seconds = date.dayNumber * 86_400 + hour * 3600 + minute * 60 + second
    self.init(seconds: seconds - offset, nanoseconds: nanoseconds)
  }
}

private func take(_ character: Unicode.Scalar, _ text: inout Substring.UTF8View) -> Bool {
  guard text.first == UInt8(ascii: character) else { return false }
  text.removeFirst()
  return true
}

private func takeDigits(_ count: Int, _ text: inout Substring.UTF8View) -> Int64? {
  let digits = text.prefix(count)
  guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
  text = text.dropFirst(count)
  return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
}

/// The nanoseconds after a full stop; 0 without one, nil without a digit after it or with more than nine.
private func takeFraction(_ text: inout Substring.UTF8View) -> Int32? {
  guard take(".", &text) else { return 0 }
  let count = text.prefix(10).prefix { (0x30...0x39).contains($0) }.count
  guard (1...9).contains(count), let digits = takeDigits(count, &text) else { return nil }
  return (count..<9).reduce(Int32(digits)) { number, _ in number * 10 }
}

/// Seconds that the zone is ahead of UTC.
private func takeOffset(_ text: inout Substring.UTF8View) -> Int64? {
  if take("Z", &text) || take("z", &text) { return 0 }
  let sign: Int64 = text.first == UInt8(ascii: "-") ? -1 : 1
  guard take("+", &text) || take("-", &text), let hours = takeDigits(2, &text), take(":", &text),
    let minutes = takeDigits(2, &text), hours < 24, minutes < 60
  else { return nil }
  return sign * (hours * 3600 + minutes * 60)
}

private func digits(_ number: Int64, _ count: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, count - text.count)) + text
}
