/// A point in time, in UTC, to the nanosecond.
public struct CELTimestamp: Hashable, Sendable, Comparable {
  /// Seconds since 1970-01-01T00:00:00Z.
  public let seconds: Int64
  /// Nanoseconds past `seconds`, from 0 to 999 999 999.
  public let nanoseconds: Int32

  /// The seconds of 0001-01-01T00:00:00Z and of 9999-12-31T23:59:59Z: the range of the specification.
  static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

  /// `nil` when the point is outside the years 1 to 9999.
  public init?(seconds: Int64, nanoseconds: Int32 = 0) {
    guard Self.range.contains(seconds), (0..<1_000_000_000).contains(nanoseconds) else { return nil }
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// Orders by time.
  public static func < (left: Self, right: Self) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }

  /// The point `duration` later, or `nil` outside the years 1 to 9999.
  public func adding(_ duration: CELDuration) -> CELTimestamp? {
    let (whole, part) = duration.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    var seconds = seconds + whole
    var nanos = Int64(nanoseconds) + part
    if nanos < 0 {
      nanos += 1_000_000_000
      seconds -= 1
    } else if nanos >= 1_000_000_000 {
      nanos -= 1_000_000_000
      seconds += 1
    }
    return CELTimestamp(seconds: seconds, nanoseconds: Int32(nanos))
  }

  /// The time from `other` to this point, or `nil` when it exceeds what a duration can hold.
  public func since(_ other: CELTimestamp) -> CELDuration? {
    let (scaled, overflow) = (seconds - other.seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = scaled.addingReportingOverflow(Int64(nanoseconds) - Int64(other.nanoseconds))
    return overflow || overflow2 ? nil : CELDuration(nanoseconds: sum)
  }
}

/// A signed span of time in nanoseconds: about ±292 years.
public struct CELDuration: Hashable, Sendable, Comparable {
  /// The whole span, in nanoseconds.
  public let nanoseconds: Int64

  /// A span of so many nanoseconds.
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// `nil` when the span exceeds ±292 years.
  public init?(seconds: Int64, nanoseconds: Int32 = 0) {
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = scaled.addingReportingOverflow(Int64(nanoseconds))
    if overflow || overflow2 { return nil }
    self.nanoseconds = sum
  }

  /// Orders by length, negative first.
  public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
}
