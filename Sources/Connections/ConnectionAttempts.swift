package import Addresses
import Glibc

/// Connects to the addresses of one name, and keeps what each of them said.
package struct ConnectionAttempts: Sendable {
  /// Which addresses are tried, and when.
  package enum Strategy: Sendable {
    /// One after the other, the next when the one before has failed or after this time, until one is connected: Happy Eyeballs
    /// (RFC 8305, section 5).
    case first(delay: Duration)
    /// All at once, each to its end.
    case each
  }

  /// How it ended.
  package enum End: Hashable, Sendable {
    /// This socket is connected, and the caller's to close. With ``Strategy/each`` there is none.
    case connected(Int32)
    /// Every address was tried to its end.
    case exhausted
    case outOfTime
    case interrupted
  }

  /// The delay that RFC 8305 recommends.
  package static let recommendedDelay: Duration = .milliseconds(250)

  private let addresses: [TransportAddress]
  private let strategy: Strategy

  package init(to addresses: [TransportAddress], _ strategy: Strategy) {
    self.addresses = addresses
    self.strategy = strategy
  }

  /// Addresses in an order in which the families alternate, the first one's first (RFC 8305, section 4).
  package static func alternating(_ addresses: [IPAddress]) -> [IPAddress] {
    guard let first = addresses.first else { return [] }
    let preferred = addresses.filter { $0.family == first.family }
    let others = addresses.filter { $0.family != first.family }
    return (0..<max(preferred.count, others.count)).flatMap { index in
      [preferred, others].compactMap { index < $0.count ? $0[index] : nil }
    }
  }

  /// Connects. It blocks the thread: call it on one of its own.
  ///
  /// - Returns: how it ended, and each address that was tried, in the order of the trying.
  package func run(
    by deadline: ContinuousClock.Instant, interruption: StopSignal
  ) -> (end: End, tries: [ConnectionTry]) {
    var sockets = SocketList()
    var left = addresses[...]
    var nextStart = ContinuousClock.now
    while true {
      let now = ContinuousClock.now
      if let winner = winner(&sockets) { return (.connected(winner), sockets.results(pending: .passedOver)) }
      if let next = left.first, nextStart <= now || sockets.areAllFailed {
        left.removeFirst()
        sockets.append(to: next)
        if case .first(let delay) = strategy { nextStart = .now + delay }
        continue
      }
      if left.isEmpty, sockets.areAllSettled { return (.exhausted, sockets.results(pending: .silent)) }
      guard now < deadline else { return (.outOfTime, sockets.results(pending: .silent)) }
      let limit = left.isEmpty ? deadline : min(deadline, nextStart)
      if sockets.wait(until: limit, interruption: interruption) {
        return (.interrupted, sockets.results(pending: .passedOver))
      }
    }
  }

  private func winner(_ sockets: inout SocketList) -> Int32? {
    guard case .first = strategy else { return nil }
    return sockets.handOverConnected()
  }
}

/// Sockets that connect at the same time.
private struct SocketList: ~Copyable {
  private var sockets: [Entry] = []

  /// A socket that an array can hold.
  private final class Entry {
    var socket: ConnectingSocket
    init(_ address: TransportAddress) { socket = ConnectingSocket(to: address) }
  }

  mutating func append(to address: TransportAddress) { sockets.append(Entry(address)) }

  var areAllSettled: Bool { sockets.allSatisfy { $0.socket.outcome != nil } }

  /// True also if there are none.
  var areAllFailed: Bool { sockets.allSatisfy { $0.socket.outcome != nil && $0.socket.outcome != 0 } }

  mutating func handOverConnected() -> Int32? { sockets.first { $0.socket.outcome == 0 }?.socket.handOver() }

  func results(pending: ConnectionAnswer) -> [ConnectionTry] { sockets.map { $0.socket.result(pending: pending) } }

  /// Waits until a socket has something to tell or the time is over. True if the interruption was announced.
  mutating func wait(until limit: ContinuousClock.Instant, interruption: StopSignal) -> Bool {
    let open = sockets.filter { $0.socket.outcome == nil }
    var events = open.map { pollfd(fd: $0.socket.descriptor, events: Int16(POLLOUT), revents: 0) }
    events.append(pollfd(fd: interruption.descriptor, events: Int16(POLLIN), revents: 0))
    poll(&events, nfds_t(events.count), waitingTime(until: limit))
    for (entry, event) in zip(open, events) where event.revents != 0 { entry.socket.look() }
    return events[open.count].revents != 0
  }
}

/// Milliseconds for poll(2), rounded up. At most a second: the kernel's timeouts stand still while the machine sleeps, our clock does
/// not.
package func waitingTime(until limit: ContinuousClock.Instant) -> Int32 {
  let left = min(max(.zero, ContinuousClock.now.duration(to: limit)), .seconds(1))
  return Int32(clamping: (left.components.attoseconds / 1_000_000_000_000_000) + left.components.seconds * 1000 + 1)
}
