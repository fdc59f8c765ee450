/// The rule of a time zone for the times after its last recorded change, as the variable `TZ` of POSIX writes it:
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
struct TimeZoneRule: Sendable {
  private let standard: Int
  private let daylight: (offset: Int, start: Change, end: Change)?

  /// When in a year the offset changes.
  private struct Change: Sendable {
    enum Day: Sendable {
      /// 1 to 365; the 29th of February is never counted.
      case julian(Int)
      /// 0 to 365; the 29th of February is counted.
      case zeroBased(Int)
      /// The `week`th `weekday` of the month, the last where `week` is 5.
      case weekday(month: Int, week: Int, weekday: Int)
    }

    let day: Day
    /// Seconds from midnight of local time.
    let time: Int

    /// Seconds since 1970, as if local time were UTC.
    func seconds(in year: Int) -> Int {
      let days: Int
      switch day {
      case .julian(let number):
        let skipsLeapDay = CivilTime.isLeap(year) && number >= 60
        days = CivilTime.daysSinceEpoch(year: year, month: 1, day: 1) + number - (skipsLeapDay ? 0 : 1)
      case .zeroBased(let number): days = CivilTime.daysSinceEpoch(year: year, month: 1, day: 1) + number
      case .weekday(let month, let week, let weekday):
        let first = CivilTime.daysSinceEpoch(year: year, month: month, day: 1)
        let firstWeekday = (first % 7 + 11) % 7
        var day = 1 + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
        while day > CivilTime.days(in: month, of: year) { day -= 7 }
        days = first + day - 1
      }
      return days * 86_400 + time
    }
  }

  /// `nil` when the text is no such rule.
  init?(_ text: String) {
    var scanner = Scanner(bytes: Array(text.utf8))
    guard scanner.name(), let standard = scanner.time() else { return nil }
    self.standard = -standard
    guard !scanner.isAtEnd else {
      daylight = nil
      return
    }
    guard scanner.name() else { return nil }
    let offset = scanner.peek == UInt8(ascii: ",") ? -standard + 3600 : scanner.time().map { -$0 }
    guard let offset, let start = scanner.change(), let end = scanner.change(), scanner.isAtEnd else { return nil }
    daylight = (offset, start, end)
  }

  /// Seconds east of UTC.
  func offset(at seconds: Int64) -> Int {
    guard let daylight else { return standard }
    let year = CivilTime(secondsSinceEpoch: seconds + Int64(standard)).year
    let start = daylight.start.seconds(in: year) - standard
    let end = daylight.end.seconds(in: year) - daylight.offset
    let now = Int(seconds)
    let isDaylight = start < end ? (start..<end).contains(now) : !(end..<start).contains(now)
    return isDaylight ? daylight.offset : standard
  }

  private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    var isAtEnd: Bool { position == bytes.count }
    var peek: UInt8 { position < bytes.count ? bytes[position] : 0 }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
      guard peek == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    /// Skips `CET` or `<+03>`.
    mutating func name() -> Bool {
      let start = position
      if skip("<") {
        while position < bytes.count, peek != UInt8(ascii: ">") { position += 1 }
        return skip(">")
      }
      while peek.isLetter { position += 1 }
      return position > start
    }

    mutating func number() -> Int? {
      let start = position
      var value = 0
      while peek.isDigit, position - start < 4 {
        value = value * 10 + Int(peek - UInt8(ascii: "0"))
        position += 1
      }
      return position > start ? value : nil
    }

    /// `-3:30:00` in seconds.
    mutating func time() -> Int? {
      let isNegative = skip("-")
      if !isNegative { _ = skip("+") }
      guard let hours = number() else { return nil }
      var seconds = hours * 3600
      if skip(":") {
        guard let minutes = number() else { return nil }
        seconds += minutes * 60
        if skip(":") {
          guard let rest = number() else { return nil }
          seconds += rest
        }
      }
      return isNegative ? -seconds : seconds
    }

    mutating func change() -> Change? {
      guard skip(","), let day = day() else { return nil }
      guard skip("/") else { return Change(day: day, time: 7200) }
      return time().map { Change(day: day, time: $0) }
    }

    private mutating func day() -> Change.Day? {
      if skip("J") {
        guard let number = number(), (1...365).contains(number) else { return nil }
        return .julian(number)
      }
      if skip("M") {
        guard let month = number(), skip("."), let week = number(), skip("."), let weekday = number(),
          (1...12).contains(month), (1...5).contains(week), (0...6).contains(weekday)
        else { return nil }
        return .weekday(month: month, week: week, weekday: weekday)
      }
      guard let number = number(), (0...365).contains(number) else { return nil }
      return .zeroBased(number)
    }
  }
}
