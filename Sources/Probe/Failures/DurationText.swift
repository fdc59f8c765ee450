import Glibc

extension Duration {
  /// The duration as `2.7s`, for people: to the millisecond below ten seconds, to a tenth above.
  var inSeconds: String {
    let unit: Int64 = self < .seconds(10) ? 1 : 100
    let exact = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    let milliseconds = (exact + unit / 2) / unit * unit
    let rest = milliseconds % 1000
    guard rest > 0 else { return "\(milliseconds / 1000)s" }
    var digits = String(1000 + rest).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "\(milliseconds / 1000).\(digits)s"
  }

  /// A span of the past as people tell it, in whole units of which there are two or more: `2260 days`, `3 hours`, `1 second`.
  var inWords: String {
    let seconds = components.seconds
    let (size, name): (Int64, String) =
      switch seconds {
      case ..<120: (1, "second")
      case ..<7200: (60, "minute")
      case ..<172_800: (3600, "hour")
      default: (86_400, "day")
      }
    let count = seconds / size
    return "\(count) \(name)\(count == 1 ? "" : "s")"
  }

  /// The next whole second.
  var roundedUpToSeconds: Duration { .seconds(components.seconds + 1) }
}

/// Moments as people read them, whatever the time zone of this host.
enum UTC {
  /// `2026-11-28 05:00:00 UTC`.
  ///
  /// - Parameter seconds: since 1970.
  static func text(_ seconds: Int64) -> String {
    var (moment, fields) = (time_t(seconds), tm())
    guard unsafe gmtime_r(&moment, &fields) != nil else { return "second \(seconds) since 1970" }
    func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(Int(fields.tm_year) + 1900)-\(two(fields.tm_mon + 1))-\(two(fields.tm_mday)) "
      + "\(two(fields.tm_hour)):\(two(fields.tm_min)):\(two(fields.tm_sec)) UTC"
  }
}
