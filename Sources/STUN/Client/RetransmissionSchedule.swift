/// When a request is sent again and when it is given up (RFC 8489, sections 6.2.1 and 6.2.2).
package struct RetransmissionSchedule: Sendable, Hashable {
  /// RTO: the time before the first retransmission; it doubles after each. nil over reliable transports.
  package let initialTimeout: Duration?
  /// Rc: how often a request is sent at most.
  package let maximumSends: Int
  /// How long to wait behind the last send: Rm × RTO, or Ti over reliable transports.
  package let finalWait: Duration

  /// UDP and DTLS: sends at 0, 1, 3, 7, 15, 31 and 63 RTO, failure at 79 RTO (39.5 s with the RTO of 500 ms).
  ///
  /// - Parameters:
  ///   - initialTimeout: RTO; 500 ms unless the path is known.
  ///   - maximumSends: Rc.
  ///   - finalFactor: Rm.
  package static func unreliable(
    initialTimeout: Duration = .milliseconds(500), maximumSends: Int = 7, finalFactor: Int = 16
  ) -> RetransmissionSchedule {
    RetransmissionSchedule(
      initialTimeout: initialTimeout, maximumSends: max(1, maximumSends), finalWait: initialTimeout * finalFactor)
  }

  /// TCP and TLS: sent once, given up after Ti = 39.5 s.
  package static let reliable = RetransmissionSchedule(
    initialTimeout: nil, maximumSends: 1, finalWait: .milliseconds(39_500))

  /// How long to wait behind the given send (1 is the first) before the next send or the end.
  func wait(afterSend send: Int) -> Duration {
    guard let initialTimeout, send < maximumSends else { return finalWait }
    return initialTimeout * (1 << (send - 1))
  }
}
