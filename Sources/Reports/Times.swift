import Glibc
package import Schema

/// A duration as people compare it, in three digits or so: `850us`, `4.2ms`, `3.25s`, `2m03s`, `1h05m`, `3d04h`.
package func shortDuration(_ duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  guard seconds >= 0, attoseconds >= 0 else { return "-" + shortDuration(.zero - duration) }
  let nanoseconds = attoseconds / 1_000_000_000
  switch seconds {
  case 0 where nanoseconds == 0: return "0s"
  case 0 where nanoseconds < 1000: return "\(nanoseconds)ns"
  case 0 where nanoseconds < 999_500: return significant(nanoseconds, unit: 1000) + "us"
  case 0 where nanoseconds < 999_500_000: return significant(nanoseconds, unit: 1_000_000) + "ms"
  case ..<60: return significant(seconds * 1_000_000_000 + nanoseconds, unit: 1_000_000_000) + "s"
  case ..<3600: return "\(seconds / 60)m\(twoDigits(seconds % 60))s"
  case ..<86_400: return "\(seconds / 3600)h\(twoDigits(seconds / 60 % 60))m"
  default: return "\(seconds / 86_400)d\(twoDigits(seconds / 3600 % 24))h"
  }
}

/// `number / unit`, rounded to three significant digits, without zeros at the end of a fraction.
func significant(_ number: Int64, unit: Int64) -> String {
  let ratio = Double(number) / Double(unit)
  let scale: Double = abs(ratio) < 10 ? 100 : abs(ratio) < 100 ? 10 : 1
  let rounded = (ratio * scale).rounded() / scale
  return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
}

private func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

/// A moment for people: in UTC, and in local time where that differs. `2026-11-21 08:00:05 UTC (09:00:05 +01:00)`.
///
/// - Parameter offset: seconds that local time is ahead of UTC at a moment.
package func momentText(_ moment: Timestamp, offset: (Timestamp) -> Int) -> String {
  let utc = dateAndTime(moment)
  let ahead = offset(moment)
  let shifted = Timestamp(seconds: moment.seconds + Int64(ahead), nanoseconds: 0)
  guard ahead != 0, let local = shifted.map(dateAndTime) else { return "\(utc.date) \(utc.time) UTC" }
  let date = local.date == utc.date ? "" : local.date + " "
  return "\(utc.date) \(utc.time) UTC (\(date)\(local.time) \(zoneText(ahead)))"
}

/// A moment in a list: in local time with its distance from UTC, `2026-11-21 09:00:05 +01:00`, or in UTC where that is local
/// time.
///
/// - Parameter offset: as for ``momentText(_:offset:)``.
package func listedMomentText(_ moment: Timestamp, offset: (Timestamp) -> Int) -> String {
  let ahead = offset(moment)
  let shifted = Timestamp(seconds: moment.seconds + Int64(ahead), nanoseconds: 0)
  guard ahead != 0, let local = shifted.map(dateAndTime) else { return momentText(moment) { _ in 0 } }
  return "\(local.date) \(local.time) \(zoneText(ahead))"
}

/// `+01:00`.
private func zoneText(_ ahead: Int) -> String {
  let minutes = Int64(abs(ahead)) / 60
  return (ahead < 0 ? "-" : "+") + twoDigits(minutes / 60) + ":" + twoDigits(minutes % 60)
}

private func dateAndTime(_ moment: Timestamp) -> (date: Substring, time: Substring) {
  let parts = moment.description.split(separator: "T")
  return (parts[0], parts[1].prefix(8))
}

/// Seconds that local time (`TZ`, or else `/etc/localtime`) is ahead of UTC at a moment.
package func localOffset(at moment: Timestamp) -> Int {
  var seconds = time_t(moment.seconds)
  var local = tm()
  guard unsafe localtime_r(&seconds, &local) != nil else { return 0 }
  return local.tm_gmtoff
}
