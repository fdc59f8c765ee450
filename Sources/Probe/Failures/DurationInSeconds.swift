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

  /// The next whole second.
  var roundedUpToSeconds: Duration { .seconds(components.seconds + 1) }
}
