package import Schema

/// A time in which people are not told of what can wait.
package struct SilentWindow: Sendable {
  /// As the project names it.
  package var name: String
  /// When it is open.
  package var span: Span
  /// The most urgent notices that it holds back.
  package var upTo: NoticeLevel
  /// The channels that are silent; all of them, if it is empty.
  package var channels: Set<String>

  /// Once, or each week.
  package enum Span: Sendable {
    /// Once, from its start up to its end.
    case once(from: Timestamp, to: Timestamp)
    case weekly(Weekly)
  }

  /// Hours that come again each week.
  package struct Weekly: Sendable {
    /// From 0 for Monday to 6 for Sunday; every day, if it is empty. Hours over midnight belong to the day on which they begin.
    package var days: Set<Int>
    /// Minutes from midnight, by the clocks of the zone.
    package var from: Int
    /// Minutes from midnight. If it is not after ``from``, it is on the next day.
    package var to: Int
    /// Seconds east of UTC at a time; nil if nobody knows, and then nothing is held back.
    private let offset: @Sendable (Timestamp) -> Int?

    package init(
      days: Set<Int> = [], from: Int = 0, to: Int = 1440, offset: @escaping @Sendable (Timestamp) -> Int?
    ) {
      self.days = days
      self.from = from
      self.to = to
      self.offset = offset
    }

    /// An hour that the clocks of the zone show twice is covered twice, one that they skip never.
    fileprivate func covers(_ time: Timestamp) -> Bool {
      guard let offset = offset(time) else { return false }
      let (day, second) = quotientAndRemainder(time.seconds + Int64(offset), 86_400)
      let minute = Int(second / 60)
      // The first day of 1970 was a Thursday.
      let weekday = Int(quotientAndRemainder(day + 3, 7).1)
      func has(_ day: Int) -> Bool { days.isEmpty || days.contains(day) }
      if from < to { return has(weekday) && (from..<to).contains(minute) }
      return (has(weekday) && minute >= from) || (has((weekday + 6) % 7) && minute < to)
    }
  }

  package init(name: String, _ span: Span, upTo: NoticeLevel = .warning, channels: Set<String> = []) {
    self.name = name
    self.span = span
    self.upTo = upTo
    self.channels = channels
  }

  /// Whether it is open at a time of the wall clock.
  package func covers(_ time: Timestamp) -> Bool {
    switch span {
    case .once(let from, let to): from <= time && time < to
    case .weekly(let hours): hours.covers(time)
    }
  }

  /// Whether it keeps a notice from a channel. That something is over is always told to those who were told that it began.
  package func holdsBack(_ notice: OutgoingNotice, from channel: String) -> Bool {
    notice.status == .firing && notice.level <= upTo && (channels.isEmpty || channels.contains(channel))
      && covers(notice.time)
  }
}

/// The most notices of one level that a channel takes in a time.
package struct NoticeLimit: Hashable, Sendable {
  /// From 1 to ``most``.
  package var notices: Int
  /// Longer than zero.
  package var period: Duration

  /// The highest limit.
  package static let most = 1000

  package init(notices: Int, per period: Duration) {
    self.notices = notices
    self.period = period
  }
}
