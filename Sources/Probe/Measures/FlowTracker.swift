import STUN

/// Follows one direction of numbered packets: what arrived, how often, in which order, how evenly.
struct FlowTracker: Sendable {
  /// Packets that arrived, each counted once.
  private(set) var received = 0
  /// Arrivals of packets that had arrived before.
  private(set) var duplicates = 0
  /// Packets that arrived after one with a higher number (RFC 4737, section 3.2).
  private(set) var reordered = 0
  /// The time each packet took, in the order of arrival.
  private(set) var transits: [Duration] = []
  private(set) var firstArrival: Instant?
  private(set) var lastArrival: Instant?
  private var seen: [Bool]
  private var highest = -1
  private var jitterSeconds = 0.0
  private var lastTransit: Duration?

  init(expecting count: Int) {
    seen = Array(repeating: false, count: count)
    transits.reserveCapacity(count)
  }

  /// Interarrival jitter (RFC 3550, section 6.4.1): a sixteenth of each change of transit time is taken over.
  var jitter: Duration? { received < 2 ? nil : .seconds(jitterSeconds) }

  mutating func arrived(_ number: Int, transit: Duration, at now: Instant) {
    guard seen.indices.contains(number) else { return }
    guard !seen[number] else {
      duplicates += 1
      return
    }
    seen[number] = true
    received += 1
    if number < highest { reordered += 1 }
    highest = max(highest, number)
    transits.append(transit)
    if let lastTransit {
      let change = (transit - lastTransit) / .seconds(1)
      jitterSeconds += (abs(change) - jitterSeconds) / 16
    }
    lastTransit = transit
    firstArrival = firstArrival ?? now
    lastArrival = now
  }
}
