package import NIOCore

/// A point on the boot-time clock. The machines of this module never read the clock: they are told.
package typealias Instant = ContinuousClock.Instant

/// One request under one transaction id: pure, without socket and clock.
package struct ClientTransaction: Sendable {
  package enum TimerAction: Sendable, Hashable {
    /// Nothing is due yet.
    case wait
    /// Send the same bytes again.
    case retransmit
    /// No answer came in time.
    case expire
  }

  package let id: TransactionID
  /// What is sent, each time the same.
  package let bytes: ByteBuffer
  package let startedAt: Instant
  /// How often it was sent so far.
  package private(set) var sends = 1
  /// When something is due next.
  package private(set) var nextTimer: Instant
  private let schedule: RetransmissionSchedule
  let deadline: Instant

  /// A transaction whose bytes are sent now.
  ///
  /// - Parameter deadline: the end that the caller declared, where it is earlier than the schedule's.
  package init(
    id: TransactionID, bytes: ByteBuffer, schedule: RetransmissionSchedule, deadline: Instant, now: Instant
  ) {
    self.id = id
    self.bytes = bytes
    self.schedule = schedule
    self.deadline = deadline
    startedAt = now
    nextTimer = min(now + schedule.wait(afterSend: 1), deadline)
  }

  /// Says what is due at this time.
  package mutating func timerFired(now: Instant) -> TimerAction {
    guard now >= nextTimer else { return .wait }
    guard now < deadline, sends < schedule.maximumSends else { return .expire }
    sends += 1
    nextTimer = min(now + schedule.wait(afterSend: sends), deadline)
    return .retransmit
  }

  /// The round-trip time of a response that comes now; nil after a retransmission, since it cannot be told which
  /// send it answers (Karn's rule, RFC 8489, section 6.2.1).
  package func rtt(now: Instant) -> Duration? { sends == 1 ? now - startedAt : nil }
}
