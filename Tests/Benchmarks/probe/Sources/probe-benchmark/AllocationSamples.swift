import Probe

/// One allocation that was made and deleted, by the time each part took.
struct AllocationSample: Sendable {
  /// From opening the socket to the grant.
  let allocate: Duration
  /// From opening the socket to the closed socket, the deletion confirmed in between.
  let whole: Duration
  /// From the first request to the grant: two round trips. nil if the client does not tell.
  var exchange: Duration?
  /// From the request to delete to its confirmation. nil if the client does not tell.
  var deletion: Duration?
}

/// What one client measured, over all of its rounds.
struct AllocationSamples: Sendable {
  var all: [AllocationSample] = []
  /// How long all of them took together.
  var elapsed = Duration.zero
  /// Attempts that the server refused, since it still knew the last allocation from the same port (437).
  var refused = 0

  static func += (left: inout AllocationSamples, right: AllocationSamples) {
    left.all += right.all
    left.elapsed += right.elapsed
    left.refused += right.refused
  }

  func p50(_ part: (AllocationSample) -> Duration?) -> Duration? { LatencySummary(all.compactMap(part))?.p50 }

  /// Allocations made and deleted a second.
  var rate: Double { Double(all.count) / (elapsed / .seconds(1)) }
}

/// Something that makes and deletes allocations on the benchmark's server.
protocol AllocationClient {
  /// The heading of its column.
  var name: String { get }
  /// Whether several can be in flight.
  var canOverlap: Bool { get }
  func run(_ server: BenchmarkServer, count: Int, inFlight: Int) async throws -> AllocationSamples
}
