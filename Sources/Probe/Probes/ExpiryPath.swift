import Addresses
import NIOCore
import STUN
import Schema

/// The way from a socket of our own through a relayed address to its client, by a permission or a channel.
///
/// The allocation is not told of what is granted here, so that it does not renew it.
struct ExpiryPath: Sendable {
  /// How long one datagram is waited for.
  static let patience: Duration = .seconds(1)

  private let peer: DatagramListener
  private let allocation: Allocation
  private let end: Instant
  /// The peer as the server sees it.
  private var peerAddress: TransportAddress
  /// nil if it is the permission that is to expire.
  private var channel: ChannelNumber?

  /// - Throws: `turn.nothingRelayed` where a channel is wanted and nothing comes through, so that the port that the
  ///   server sees does not show.
  init(
    of subject: ExpiryProbe.Subject, from peer: DatagramListener, to allocation: Allocation, by end: Instant
  ) async throws(ProbeFailure) {
    let reflexive = try allocation.ownAddress()
    self.peer = peer
    self.allocation = allocation
    self.end = end
    // The port is another where a NAT is in between; to a permission it does not matter.
    peerAddress = TransportAddress(ip: reflexive.ip, port: peer.port)
    guard subject == .channel else { return }
    // Told to the allocation: renewed, so that nothing but the channel expires.
    try await allocation.permit([reflexive.ip], by: end)
    guard case .indication(let source, _)? = try await arrival() else { throw nothingRelayed("although permitted") }
    peerAddress = source
    channel = await allocation.state.bindableChannel(for: source, now: .now)
  }

  /// Has the server grant what is to expire, and says when that was done.
  func grant() async throws(ProbeFailure) -> Instant {
    let request =
      channel.map { Request.channelBind($0, to: peerAddress) } ?? .createPermission([peerAddress.ip])
    _ = try await allocation.perform(request, by: end)
    return .now
  }

  /// Where it is a channel that is to expire, renews the permission, so that nothing but the channel can be missing:
  /// coturn lets both end together.
  func renewPermissionOfChannel() async throws(ProbeFailure) {
    if channel != nil { try await allocation.permit([peerAddress.ip], by: end) }
  }

  /// Whether one of three datagrams from the peer comes out at the client by what was granted.
  ///
  /// - Throws: where the task is cancelled, as the others that wait: what did not arrive then says nothing.
  func isOpen() async throws(ProbeFailure) -> Bool {
    for _ in 0..<3 where try await carries() { return true }
    return false
  }

  /// Whether one datagram from the peer comes out at the client by what was granted.
  func carries() async throws(ProbeFailure) -> Bool {
    switch try await arrival(tries: 1) {
    case .channel(let number, _): number == channel
    case .indication: channel == nil
    case .icmp, nil: false
    }
  }

  /// What comes out at the client of the first of so many datagrams from the peer that arrives.
  private func arrival(tries: Int = 3) async throws(ProbeFailure) -> RelayedData? {
    let text = "runbook-\(UInt64.random(in: 0 ... .max))"
    let own = ByteBuffer(string: text)
    for _ in 0..<tries {
      let wait = min(Self.patience, end - .now)
      guard wait > .zero else { return nil }
      let arrived = await allocation.collect(for: wait, upTo: 1) {
        $0.payload == own
      } afterStarting: {
        peer.send(text, to: allocation.relayedAddress)
      }
      if let first = arrived.first { return first }
      try allocation.checkCancellation()
    }
    return nil
  }

  /// Sends the other way.
  func sendToPeer() {
    let text = ByteBuffer(string: "runbook")
    if let channel { allocation.send(text, over: channel) } else { allocation.send(text, to: peerAddress) }
  }

  func nothingRelayed(_ circumstance: String) -> ProbeFailure {
    ProbeFailure(
      .nothingRelayed,
      "Datagrams from here to \(allocation.relayedAddress) do not come through, \(circumstance).",
      advice: "Look at the firewall in front of the server's relay ports; turn.ports tries several.",
      evidence: [
        ProbeFailure.Evidence("server", "\(allocation.connection.server)"),
        ProbeFailure.Evidence("relayedAddress", "\(allocation.relayedAddress)"),
        ProbeFailure.Evidence("peer", "\(peerAddress.ip)"),
      ])
  }
}
