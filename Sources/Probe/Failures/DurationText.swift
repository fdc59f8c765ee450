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
