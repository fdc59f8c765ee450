import Probe
import Schema

/// How the distribution of round-trip times stands in outputs.
enum LatencyRecord {
  static let record = Record(
    LatencySummary.init(count:min:mean:p50:p95:p99:max:),
    Field("count", \.count, .int, "How many round trips were measured."),
    Field("min", \.min, .duration, "The shortest."),
    Field("mean", \.mean, .duration, "The arithmetic mean."),
    Field("p50", \.p50, .duration, "The median."),
    Field("p95", \.p95, .duration, "Of 100 round trips, 95 took no longer."),
    Field("p99", \.p99, .duration, "Of 100 round trips, 99 took no longer."),
    Field("max", \.max, .duration, "The longest.")
  )
}
