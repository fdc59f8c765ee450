/// Counts by name, with memory that stays flat: clients choose the names, and a flood may bring millions of them.
///
/// Beyond the limit the half that counts least is dropped, and the sum of what was dropped is kept.
package struct Tally<Count: TallyCount>: Sendable {
  package private(set) var counts: [[UInt8]: Count] = [:]
  /// What belonged to names that were dropped, and how many names that was at least.
  package private(set) var dropped = Count()
  package private(set) var droppedNames = 0
  private let limit: Int

  init(limit: Int = 20_000) { self.limit = limit }

  mutating func add(_ name: Bytes, _ change: (inout Count) -> Void) { add(name.array, change) }

  mutating func add(_ name: [UInt8], _ change: (inout Count) -> Void) {
    change(&counts[name, default: Count()])
    if counts.count > limit { drop() }
  }

  private mutating func drop() {
    let ordered = counts.sorted { $0.value.weight > $1.value.weight }
    counts = Dictionary(uniqueKeysWithValues: ordered.prefix(limit / 2).map { ($0.key, $0.value) })
    for (_, count) in ordered.dropFirst(limit / 2) { dropped.add(count) }
    droppedNames += ordered.count - counts.count
  }

  /// The heaviest first, those of one weight by name.
  package var ordered: [(name: [UInt8], count: Count)] {
    counts.map { (name: $0.key, count: $0.value) }.sorted {
      ($1.count.weight, $0.name.description) < ($0.count.weight, $1.name.description)
    }
  }
}

/// What a tally counts of one name.
package protocol TallyCount: Sendable {
  init()
  /// Decides what is kept.
  var weight: Int { get }
  mutating func add(_ other: Self)
}

extension Int: TallyCount {
  package var weight: Int { self }
  package mutating func add(_ other: Int) { self += other }
}

/// What a user was refused, and how often the user was served.
package struct CoturnUserCounts: Hashable, Sendable, TallyCount {
  package var unknownOrExpired = 0
  package var wrongPassword = 0
  /// Of the unknown or expired, those with a REST name whose time was over.
  package var expired = 0
  /// 486.
  package var quota = 0
  /// 508.
  package var ports = 0
  /// 403 for a peer.
  package var forbidden = 0
  /// Allocations.
  package var allocated = 0

  package init() {}

  package var failures: Int { unknownOrExpired + wrongPassword }
  package var refusals: Int { failures + quota + ports + forbidden }
  /// Who was refused stays before who was only served.
  package var weight: Int { refusals > 0 ? 1_000_000 + refusals : allocated }

  package mutating func add(_ other: Self) {
    unknownOrExpired += other.unknownOrExpired
    wrongPassword += other.wrongPassword
    expired += other.expired
    quota += other.quota
    ports += other.ports
    forbidden += other.forbidden
    allocated += other.allocated
  }
}

/// What a client's address did that users do not do.
package struct CoturnClientCounts: Hashable, Sendable, TallyCount {
  /// Refused credentials, of sessions that closed: only then the log has the address.
  package var failures = 0
  /// Connections that closed without an allocation.
  package var withoutAllocation = 0
  /// Windows in which its requests went unanswered.
  package var rateLimits = 0
  /// Peers that were refused to it.
  package var forbidden = 0

  package init() {}

  package var weight: Int { failures * 4 + rateLimits * 2 + forbidden + withoutAllocation }

  package mutating func add(_ other: Self) {
    failures += other.failures
    withoutAllocation += other.withoutAllocation
    rateLimits += other.rateLimits
    forbidden += other.forbidden
  }
}
