/// Packets and bytes, as coturn counts them.
package struct CoturnTraffic: Hashable, Sendable {
  package var receivedPackets: UInt64 = 0
  package var receivedBytes: UInt64 = 0
  package var sentPackets: UInt64 = 0
  package var sentBytes: UInt64 = 0

  mutating func add(_ other: Self, times: UInt64) {
    receivedPackets = receivedPackets.addingSaturated(other.receivedPackets, times: times)
    receivedBytes = receivedBytes.addingSaturated(other.receivedBytes, times: times)
    sentPackets = sentPackets.addingSaturated(other.sentPackets, times: times)
    sentBytes = sentBytes.addingSaturated(other.sentBytes, times: times)
  }
}

extension UInt64 {
  /// The sum, or the greatest number where the sum does not fit.
  @inline(__always)
  func addingSaturated(_ other: UInt64, times: UInt64) -> UInt64 {
    let (product, isProductTooLarge) = other.multipliedReportingOverflow(by: times)
    let (sum, isSumTooLarge) = addingReportingOverflow(product)
    return isProductTooLarge || isSumTooLarge ? UInt64.max : sum
  }
}

/// One session, called by the start of the server and by its id: ids begin again with the process.
package struct CoturnSession: Hashable, Sendable {
  package var start: Int
  package var id: UInt64
  package var user: [UInt8] = []
  /// The client's side, STUN messages among it; nil if no record tells of it.
  package var client: CoturnTraffic?
  /// The peers' side; nil if no record tells of it, as up to 4.5.1.1.
  package var peer: CoturnTraffic?
  /// Whether it has an allocation, or had one.
  var isAllocated = false
  /// Whether its allocation was made within the window.
  var isCounted = false
  /// Credentials and peers that were refused to it within the window.
  var failures = 0
  var forbidden = 0

  init(start: Int, id: UInt64) {
    self.start = start
    self.id = id
  }

  /// `1:000000000000000022`.
  package var name: String {
    let digits = String(id)
    return "\(start):" + String(repeating: "0", count: max(0, 18 - digits.count)) + digits
  }

  var hasRelayed: Bool { peer.map { $0.receivedPackets > 0 || $0.sentPackets > 0 } ?? false }

  /// What was relayed: what peers sent and what was sent to them.
  package var relayed: UInt64? { peer.map { $0.receivedBytes.addingSaturated($0.sentBytes, times: 1) } }
}

/// Sessions that are open, and what became of those that are not, with memory that stays flat.
struct SessionTable {
  private struct Key: Hashable {
    var start: Int
    var id: UInt64

    // One number in place of two: it is looked up for every other record.
    func hash(into hasher: inout Hasher) { hasher.combine(id ^ UInt64(truncatingIfNeeded: start) << 60) }
  }

  /// More sessions than one server holds; a log without closes would grow for ever.
  private static let openLimit = 500_000
  /// How many of those that ended are kept, with the most bytes.
  private static let endedLimit = 20_000

  private var open: [Key: CoturnSession] = [:]
  private(set) var ended: [CoturnSession] = []
  private(set) var droppedEnded = 0
  private(set) var droppedOpen = 0
  private(set) var leftOpen: [CoturnSession] = []
  private(set) var droppedLeftOpen = 0

  @inline(__always)
  mutating func update(_ start: Int, _ id: UInt64, _ change: (inout CoturnSession) -> Void) {
    change(&open[Key(start: start, id: id), default: CoturnSession(start: start, id: id)])
    if open.count > Self.openLimit { dropOpen() }
  }

  func session(_ start: Int, _ id: UInt64) -> CoturnSession? { open[Key(start: start, id: id)] }

  /// Takes a session out of those that are open.
  mutating func close(_ start: Int, _ id: UInt64) -> CoturnSession? {
    guard let session = open.removeValue(forKey: Key(start: start, id: id)) else { return nil }
    keep(session)
    return session
  }

  /// Those of a start are open for ever: the server ended, or the log does.
  mutating func leave(start: Int) {
    for (key, session) in open where key.start == start {
      open[key] = nil
      keep(session)
      guard session.isAllocated else { continue }
      if leftOpen.count < Self.endedLimit { leftOpen.append(session) } else { droppedLeftOpen += 1 }
    }
  }

  private mutating func keep(_ session: CoturnSession) {
    // Those of refused users have records too; who relayed had an allocation, though the log may begin after it.
    guard session.client != nil || session.peer != nil, session.isAllocated || session.hasRelayed else { return }
    ended.append(session)
    guard ended.count > Self.endedLimit else { return }
    ended.sort { ($0.relayed ?? 0, $0.client?.receivedBytes ?? 0) > ($1.relayed ?? 0, $1.client?.receivedBytes ?? 0) }
    droppedEnded += ended.count - Self.endedLimit / 2
    ended.removeLast(ended.count - Self.endedLimit / 2)
  }

  /// The lower half of the ids: the oldest of each thread.
  private mutating func dropOpen() {
    let ids = open.keys.map(\.id).sorted()
    let middle = ids[ids.count / 2]
    for key in Array(open.keys) where key.id < middle {
      open[key] = nil
      droppedOpen += 1
    }
  }
}
