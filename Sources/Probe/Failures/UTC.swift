import Glibc

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
