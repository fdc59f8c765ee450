import Schema

/// The moments of a cron line's five fields (crontab(5)), in UTC: minute, hour, day of the month, month, day of the week.
///
/// As in cron, a day matches if both of its fields do; if neither field begins with `*`, one of them is enough.
package struct CronTimes: Hashable, Sendable {
  /// As it was written, with one blank between fields.
  package let text: String
  package let minutes: [Int]
  package let hours: [Int]
  package let daysOfMonth: [Int]
  package let months: [Int]
  /// 0 is Sunday; 7 is written as 0.
  package let daysOfWeek: [Int]
  /// True if either field of the day is enough.
  package let takesEitherDay: Bool

  /// Reads five fields of numbers, `*`, lists, ranges and steps; nil for anything else.
  package init?(_ text: String) {
    guard isCron(text) else { return nil }
    let fields = text.split(separator: " ").map(String.init)
    self.text = fields.joined(separator: " ")
    minutes = Self.values(fields[0], 0...59)
    hours = Self.values(fields[1], 0...23)
    daysOfMonth = Self.values(fields[2], 1...31)
    months = Self.values(fields[3], 1...12)
    daysOfWeek = Set(Self.values(fields[4], 0...7).map { $0 % 7 }).sorted()
    takesEitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
  }

  private static func values(_ field: String, _ limits: ClosedRange<Int>) -> [Int] {
    var values: Set<Int> = []
    for item in field.split(separator: ",") {
      let parts = item.split(separator: "/")
      let ends =
        parts[0] == "*"
        ? [limits.lowerBound, limits.upperBound] : parts[0].split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last else { continue }
      let step = parts.count == 2 ? Int(parts[1]) ?? 1 : 1
      // Cron takes a step behind a single number as one from there to the end.
      let end = ends.count == 1 && parts.count == 2 ? limits.upperBound : last
      values.formUnion(stride(from: first, through: end, by: step))
    }
    return values.sorted()
  }

  /// Whether a day, counted from 1970-01-01, is one of them.
  private func matches(day: Int64) -> Bool {
    let date = CalendarDate(day: day)
    guard months.contains(Int(date.month)) else { return false }
    // 1970-01-01 was a Thursday.
    let weekday = Int((day % 7 + 7 + 4) % 7)
    let isDayOfMonth = daysOfMonth.contains(Int(date.day))
    let isDayOfWeek = daysOfWeek.contains(weekday)
    return takesEitherDay ? isDayOfMonth || isDayOfWeek : isDayOfMonth && isDayOfWeek
  }

  /// A leap day comes after 8 years at the latest (1896 to 1904).
  private static let horizon: Int64 = 366 * 9

  /// The first moment at or after a minute, counted from 1970; nil if there is none, as for 31 February.
  func first(from minute: Int64) -> Int64? {
    let (firstDay, minuteOfDay) = quotientAndRemainder(minute, 1440)
    for day in firstDay...firstDay + Self.horizon where matches(day: day) {
      let earliest = day == firstDay ? Int(minuteOfDay) : 0
      if let found = minutesOfDay.first(where: { $0 >= earliest }) { return day * 1440 + Int64(found) }
    }
    return nil
  }

  /// The last moment at or before a minute, counted from 1970; nil if there is none.
  func last(upTo minute: Int64) -> Int64? {
    let (lastDay, minuteOfDay) = quotientAndRemainder(minute, 1440)
    for day in stride(from: lastDay, through: lastDay - Self.horizon, by: -1) where matches(day: day) {
      let latest = day == lastDay ? Int(minuteOfDay) : 1439
      if let found = minutesOfDay.last(where: { $0 <= latest }) { return day * 1440 + Int64(found) }
    }
    return nil
  }

  private var minutesOfDay: [Int] { hours.flatMap { hour in minutes.map { hour * 60 + $0 } } }
}
