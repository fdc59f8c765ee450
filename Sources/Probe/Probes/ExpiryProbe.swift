import Addresses
import NIOCore
import STUN
import Schema

/// Finds out whether a TURN server forgets a permission or a channel that nobody renews, whatever is sent meanwhile
/// (RFC 8656, sections 9 and 12).
package struct ExpiryProbe: Sendable {
  /// What is left to expire.
  package enum Subject: String, Sendable, Hashable, CaseIterable {
    /// Lasts 300 seconds; without one, datagrams from the peer are dropped.
    case permission
    /// Lasts 600 seconds; without one, datagrams from a permitted peer come as Data indications.
    case channel

    /// How long it lasts by RFC 8656.
    package var lifetime: Duration {
      switch self {
      case .permission: AllocationState.permissionLifetime
      case .channel: AllocationState.channelLifetime
      }
    }

    /// Its lifetime, and ten seconds more.
    package var limit: Duration { lifetime + .seconds(10) }
  }

  package var server: ProbedServer
  package var subject: Subject
  /// When it must be forgotten, from its being granted.
  package var after: Duration

  /// - Parameter after: nil takes the subject's limit.
  package init(server: ProbedServer, subject: Subject = .permission, after: Duration? = nil) {
    self.server = server
    self.subject = subject
    self.after = after ?? subject.limit
  }

  /// What became of datagrams that were sent to the relayed address from a socket of our own.
  package struct Report: Sendable {
    /// Whether none passed any more when the time was over.
    package let isExpired: Bool
    /// How long after the grant the last one passed.
    package let lastPassage: Duration
    /// How many passed before the time was over.
    package let passages: Int
  }

  /// Throws `probe.deadlineTooShort` where the deadline leaves no time to wait in.
  package func checkInput(deadline: Duration) throws(ProbeFailure) {
    let needed = after + ExpiryPath.patience * 10
    guard needed <= deadline else {
      throw ProbeFailure(
        .deadlineTooShort,
        "Waiting for \(after.inSeconds), and looking before and after, takes \(needed.inSeconds), and there are "
          + "\(deadline.inSeconds).",
        advice:
          "Give it \((needed + Allocation.deletionLimit).roundedUpToSeconds.inSeconds) or more: "
          + "\(ProbeFailure.settingsOfTime).")
    }
  }

  /// Runs the probe.
  ///
  /// What expired is asked for again in the end: only if datagrams pass then was it that which was missing.
  ///
  /// - Throws: `ProbeFailure`: as `AllocateProbe`; `turn.forbidden` where our own address is no permitted peer;
  ///   `turn.nothingRelayed` where datagrams do not pass just after the grant, at first or in the end;
  ///   `probe.deadlineTooShort` before anything is sent.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    try checkInput(deadline: deadline)
    let end = Instant.now + deadline
    var request = AllocationRequest(server: server)
    request.options.family = try await server.preferredAddress(by: end).ip.familyForOwnPeers
    let (report, _) = try await Allocation.withAllocation(request, by: end) { allocation throws(ProbeFailure) in
      try await DatagramListener.withListener(allocation.relayedAddress.ip.family, in: server.network) {
        peer throws(ProbeFailure) in
        do throws(ProbeFailure) {
          return try await observe(try await ExpiryPath(of: subject, from: peer, to: allocation, by: end), progress)
        } catch {
          throw error.naming(.thisHost)
        }
      }
    }
    return report
  }

  private func observe(_ path: ExpiryPath, _ progress: ProbeProgress) async throws(ProbeFailure) -> Report {
    let granted = try await path.grant()
    guard try await path.isOpen() else { throw path.nothingRelayed("although the \(subject) was just granted") }
    var lastPassage = Instant.now - granted
    var passages = 1
    progress("a datagram passed \(lastPassage.components.seconds) s after the \(subject)")
    let due = granted + after
    // Traffic both ways, which must not extend it. It also keeps a NAT open on the way to the server.
    while .now + ExpiryPath.patience < due {
      let next = min(.now + interval, due)
      path.sendToPeer()
      if try await path.carries() {
        lastPassage = .now - granted
        passages += 1
        progress("a datagram passed \(lastPassage.components.seconds) s after the \(subject)")
      }
      try? await Task.sleep(until: next, clock: .continuous)
    }
    try? await Task.sleep(until: due, clock: .continuous)
    try await path.renewPermissionOfChannel()
    if try await path.isOpen() {
      return Report(isExpired: false, lastPassage: .now - granted, passages: passages)
    }
    _ = try await path.grant()
    guard try await path.isOpen() else { throw path.nothingRelayed("although the \(subject) was granted anew") }
    return Report(isExpired: true, lastPassage: lastPassage, passages: passages)
  }

  /// From one datagram to the next while waiting.
  private var interval: Duration { min(.seconds(10), max(ExpiryPath.patience, after / 10)) }
}
