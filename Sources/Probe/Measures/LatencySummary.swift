/// The distribution of times, by nearest rank.
package struct LatencySummary: Sendable, Hashable {
  package let count: Int
  package let min: Duration
  package let mean: Duration
  package let p50: Duration
  package let p95: Duration
  package let p99: Duration
  package let max: Duration

  /// A summary whose figures are known.
  package init(
    count: Int, min: Duration, mean: Duration, p50: Duration, p95: Duration, p99: Duration, max: Duration
  ) {
    self.count = count
    self.min = min
    self.mean = mean
    self.p50 = p50
    self.p95 = p95
    self.p99 = p99
    self.max = max
  }

  /// nil if there are no samples: a missing figure is never zero.
  package init?(_ samples: [Duration]) {
    guard !samples.isEmpty else { return nil }
    let sorted = samples.sorted()
    func rank(_ percent: Int) -> Duration { sorted[Swift.max(0, (sorted.count * percent + 99) / 100 - 1)] }
    count = sorted.count
    min = sorted[0]
    mean = sorted.reduce(.zero, +) / sorted.count
    p50 = rank(50)
    p95 = rank(95)
    p99 = rank(99)
    max = sorted[sorted.count - 1]
  }
}
