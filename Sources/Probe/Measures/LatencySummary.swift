/// The distribution of times, by nearest rank.
package struct LatencySummary: Sendable, Hashable {
  package let count: Int
  package let min: Duration
  package let mean: Duration
  package let p50: Duration
  package let p95: Duration
  package let p99: Duration
  package let max: Duration

  /// nil where there are no samples: a missing figure is never zero.
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
