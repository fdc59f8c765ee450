/// Division that rounds down, for numbers before 1970.
package func quotientAndRemainder(_ number: Int64, _ divisor: Int64) -> (Int64, Int64) {
  let quotient = number >= 0 ? number / divisor : -((-number + divisor - 1) / divisor)
  return (quotient, number - quotient * divisor)
}

/// A day of the Gregorian calendar, which RFC 3339 uses for all years from 1 on.
package struct CalendarDate: Hashable, Sendable {
  package let year: Int64
  /// From 1.
  package let month: Int64
  /// Of the month, from 1.
  package let day: Int64

  private static let daysInMonth: [Int64] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  /// From 0001-01-01 to 1970-01-01.
  private static let daysBefore1970: Int64 = 719_162

  private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  private static func days(in month: Int64, of year: Int64) -> Int64 {
    daysInMonth[Int(month) - 1] + (month == 2 && isLeap(year) ? 1 : 0)
  }

  /// Days from 0001-01-01 to the first day of a year.
  private static func daysBefore(_ year: Int64) -> Int64 {
    let years = year - 1
    return years * 365 + years / 4 - years / 100 + years / 400
  }

  /// Nil for a day that there is not.
  package init?(year: Int64, month: Int64, day: Int64) {
    guard year >= 1, (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day) else { return nil }
    self.year = year
    self.month = month
    self.day = day
  }

  /// - Parameter day: since 1970-01-01; not before year 1.
  package init(day number: Int64) {
    let days = number + Self.daysBefore1970
    // A year has 365.2425 days on average, so this is off by one year at the most.
    var year = days * 400 / 146_097 + 1
    if Self.daysBefore(year) > days { year -= 1 }
    if Self.daysBefore(year + 1) <= days { year += 1 }
    var rest = days - Self.daysBefore(year)
    var month: Int64 = 1
    while rest >= Self.days(in: month, of: year) {
      rest -= Self.days(in: month, of: year)
      month += 1
    }
    self.year = year
    self.month = month
    self.day = rest + 1
  }

  /// Days since 1970-01-01.
  package var dayNumber: Int64 {
    let months = (1..<month).reduce(Int64(0)) { $0 + Self.days(in: $1, of: year) }
    return Self.daysBefore(year) + months + day - 1 - Self.daysBefore1970
  }
}
