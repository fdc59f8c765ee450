package import Schema

/// How often a runbook is due: every so many minutes, or at the moments of a cron line. Both are in UTC, in which no hour is skipped
/// or comes twice.
///
/// The moments at which it is due are its slots. A slot is filled by the first run that begins in it: at its moment or later, and
/// before the next slot.
package enum Period: Hashable, Sendable {
  /// Slots are the multiples of so many minutes since 1970-01-01T00:00:00Z: those of a day are midnights.
  case every(minutes: Int64)
  case times(CronTimes)

  /// Why a text is no period.
  package struct Mistake: Error, Hashable, Sendable {
    package let message: String
    package let advice: String
  }

  private static let longest: Int64 = 366 * 1440

  /// Reads a duration of whole minutes up to 366 days (`1d`), or a cron line with `UTC` behind it (`30 6 * * 1 UTC`).
  package init(_ text: String) throws(Mistake) {
    if let duration = parseDuration(text) {
      let minutes = duration.components.seconds / 60
      guard duration == .seconds(minutes * 60), (1...Self.longest).contains(minutes) else {
        throw Mistake(
          message: "a period is a whole number of minutes, from 1m to 366d; found \(text)",
          advice: "write it as 5m, 6h or 1d")
      }
      self = .every(minutes: minutes)
      return
    }
    let words = text.split(separator: " ").map(String.init)
    guard words.first?.hasPrefix("@") == false, words.count == 6 || words.count == 5 && CronTimes(text) != nil else {
      throw Mistake(
        message: "\"\(text)\" is neither a duration nor a cron line",
        advice: "write a duration, such as 1d, or a cron line with its zone, such as 30 6 * * 1 UTC")
    }
    guard let zone = words.dropFirst(5).first else {
      throw Mistake(
        message: "the cron line of a period names its time zone, which is UTC",
        advice: "write \(text) UTC, with the hours of UTC")
    }
    guard zone == "UTC" else {
      throw Mistake(
        message: "a period is in UTC; found the zone \"\(zone)\", whose clock may skip or repeat an hour",
        advice: "write the hours of UTC, and UTC behind them; runbook schedule show tells the local times")
    }
    let fields = words.dropLast().joined(separator: " ")
    guard let times = CronTimes(fields) else {
      throw Mistake(
        message: "\"\(fields)\" is no cron line of five fields, each of numbers within its limits",
        advice: "write minute, hour, day of the month, month and day of the week (0 to 7), such as 30 6 * * 1")
    }
    guard times.first(from: 0) != nil else {
      throw Mistake(
        message: "\"\(fields)\" never comes: no such day is in the calendar", advice: "check the day and the month")
    }
    self = .times(times)
  }

  /// As it is written in a runbook.
  package var text: String {
    switch self {
    case .times(let times): times.text + " UTC"
    case .every(let minutes) where minutes % 1440 == 0: "\(minutes / 1440)d"
    case .every(let minutes) where minutes % 60 == 0: "\(minutes / 60)h"
    case .every(let minutes): "\(minutes)m"
    }
  }

  /// The slot that a moment lies in: the last one at or before it. Nil near year 1.
  package func slot(at moment: Timestamp) -> Timestamp? {
    let minute = quotientAndRemainder(moment.seconds, 60).0
    return switch self {
    case .every(let minutes): Timestamp(minute: quotientAndRemainder(minute, minutes).0 * minutes)
    case .times(let times): times.last(upTo: minute).flatMap { Timestamp(minute: $0) }
    }
  }

  /// The first slot after a moment. Nil near the year 9999.
  package func next(after moment: Timestamp) -> Timestamp? {
    let minute = quotientAndRemainder(moment.seconds, 60).0 + 1
    return switch self {
    case .every(let minutes): Timestamp(minute: (quotientAndRemainder(minute - 1, minutes).0 + 1) * minutes)
    case .times(let times): times.first(from: minute).flatMap { Timestamp(minute: $0) }
    }
  }

  /// The next slots after a moment, at most `count`.
  package func next(_ count: Int, after moment: Timestamp) -> [Timestamp] {
    var slots: [Timestamp] = []
    var moment = moment
    while slots.count < count, let slot = next(after: moment) {
      slots.append(slot)
      moment = slot
    }
    return slots
  }

  /// The minutes of an hour, in UTC, at which a slot can begin.
  package var minutesOfHour: [Int] {
    switch self {
    case .times(let times): return times.minutes
    case .every(let minutes):
      var (divisor, rest) = (Int64(60), minutes)
      while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
      return stride(from: 0, to: 60, by: Int(divisor)).map(\.self)
    }
  }
}

extension Timestamp {
  /// The beginning of a minute, counted from 1970.
  init?(minute: Int64) { self.init(seconds: minute * 60, nanoseconds: 0) }
}
