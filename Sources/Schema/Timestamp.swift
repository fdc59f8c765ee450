/// A moment of the wall clock, to the nanosecond, from year 1 to 9999 (the range that CEL and RFC 3339 share).
@usableFromInline
package struct Timestamp: Hashable, Sendable, Comparable {
  /// Seconds since 1970-01-01T00:00:00Z.
  package let seconds: Int64
  /// From 0 to 999,999,999, counted forwards from `seconds`.
  package let nanoseconds: Int32

  package static let secondsRange: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

  /// Nil outside the range of years 1 to 9999, or with nanoseconds outside 0..<1,000,000,000.
  package init?(seconds: Int64, nanoseconds: Int32) {
    guard Self.secondsRange.contains(seconds), (0..<1_000_000_000).contains(nanoseconds) else { return nil }
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  private init(wholeSeconds seconds: Int64) {
    self.seconds = seconds
    nanoseconds = 0
  }

  package static let unixEpoch = Timestamp(wholeSeconds: 0)

  @usableFromInline
  package static func < (a: Self, b: Self) -> Bool {
    (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
  }

  /// The time from `earlier` to this moment; negative where `earlier` is later.
  package func duration(since earlier: Self) -> Duration {
    .seconds(seconds - earlier.seconds) + .nanoseconds(Int64(nanoseconds) - Int64(earlier.nanoseconds))
  }

  /// The moment by a time later; nil after year 9999.
  package func later(by time: Duration) -> Self? { earlier(by: .zero - time) }

  /// The moment by a time earlier; nil before year 1.
  package func earlier(by time: Duration) -> Self? {
    let parts = time.components
    var seconds = seconds - parts.seconds
    var nanoseconds = Int64(nanoseconds) - parts.attoseconds / 1_000_000_000
    if nanoseconds < 0 {
      nanoseconds += 1_000_000_000
      seconds -= 1
    } else if nanoseconds >= 1_000_000_000 {
      nanoseconds -= 1_000_000_000
      seconds += 1
    }
    return Self(seconds: seconds, nanoseconds: Int32(nanoseconds))
  }
}
