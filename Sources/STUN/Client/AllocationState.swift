package import Addresses

/// What a client must remember of its allocation, and what is due to keep it: pure, without socket and clock.
package struct AllocationState: Sendable {
  /// What is to be asked of the server, so that nothing runs out.
  package enum Maintenance: Sendable, Hashable {
    case refresh
    case permissions([IPAddress])
    case channel(ChannelNumber, TransportAddress)
  }

  /// A permission's lifetime; traffic does not extend it (RFC 8656, section 9).
  package static let permissionLifetime: Duration = .seconds(300)
  /// A channel binding's lifetime (RFC 8656, section 12).
  package static let channelLifetime: Duration = .seconds(600)
  /// How long neither the number nor the peer of an expired binding may be bound otherwise (RFC 8656, section 12).
  package static let channelQuarantine: Duration = .seconds(300)
  /// How long before its end everything is renewed.
  package static let margin: Duration = .seconds(60)

  /// One relayed address, or two of different families.
  package let relayedAddresses: [TransportAddress]
  package let reflexiveAddress: TransportAddress?
  package let reservationToken: ReservationToken?
  /// In a dual allocation: the family that was not given, and why.
  package let refusedFamily: AddressErrorCode?
  /// As the server gave it last, which may differ from what was asked for.
  package private(set) var lifetime: Duration
  package private(set) var expiresAt: Instant
  private var permissions: [IPAddress: Instant] = [:]
  private var channels: [ChannelNumber: Binding] = [:]

  private struct Binding: Sendable {
    let peer: TransportAddress
    var expiresAt: Instant
  }

  /// Reads the success response to an Allocate request.
  ///
  /// - Throws: `DecodingError.missingAttribute` or `.malformedAttribute` for relayed address or lifetime.
  package init(allocated message: Message, now: Instant) throws(DecodingError) {
    var relayed: [TransportAddress] = []
    for span in message.attributes where span.type == .xorRelayedAddress {
      relayed.append(
        try XORRelayedAddress(value: message.value(of: span), transactionID: message.transactionID).address)
    }
    guard !relayed.isEmpty else { throw .missingAttribute(.xorRelayedAddress) }
    guard let lifetime: Lifetime = try message.attribute() else { throw .missingAttribute(.lifetime) }
    relayedAddresses = relayed
    reflexiveAddress = try message.attribute(XORMappedAddress.self)?.address
    reservationToken = try message.attribute()
    refusedFamily = try message.attribute()
    self.lifetime = .seconds(Int(lifetime.seconds))
    expiresAt = now + self.lifetime
  }

  /// Notes the lifetime in the success response to a Refresh request.
  package mutating func refreshed(_ lifetime: Lifetime, now: Instant) {
    self.lifetime = .seconds(Int(lifetime.seconds))
    expiresAt = now + self.lifetime
  }

  /// Notes a success response to CreatePermission. A permission is for an address, whatever the port.
  package mutating func permitted(_ peers: [IPAddress], now: Instant) {
    for peer in peers { permissions[peer] = now + Self.permissionLifetime }
  }

  /// Notes a success response to ChannelBind, which also installs or extends the permission.
  package mutating func bound(_ channel: ChannelNumber, to peer: TransportAddress, now: Instant) {
    channels[channel] = Binding(peer: peer, expiresAt: now + Self.channelLifetime)
    permitted([peer.ip], now: now)
  }

  package func hasPermission(for peer: IPAddress, now: Instant) -> Bool { permissions[peer].map { $0 > now } ?? false }

  /// The channel that is bound to a peer.
  package func channel(for peer: TransportAddress, now: Instant) -> ChannelNumber? {
    channels.first { $0.value.peer == peer && $0.value.expiresAt > now }?.key
  }

  /// The peer that a channel is bound to.
  package func peer(of channel: ChannelNumber) -> TransportAddress? { channels[channel]?.peer }

  /// A number that may be bound to this peer now: the one it had, or the lowest that is free and out of quarantine.
  ///
  /// nil if the peer's last binding is still in quarantine under a number that was given up, or none is left.
  package func bindableChannel(for peer: TransportAddress, now: Instant) -> ChannelNumber? {
    if let known = channels.first(where: { $0.value.peer == peer }) {
      let quarantineEnds = known.value.expiresAt + Self.channelQuarantine
      if known.value.expiresAt > now || now >= quarantineEnds { return known.key }
      return nil
    }
    return ChannelNumber.range.lazy.compactMap(ChannelNumber.init(rawValue:)).first { number in
      channels[number].map { now >= $0.expiresAt + Self.channelQuarantine } ?? true
    }
  }

  /// When `due` is to be asked next.
  package var nextMaintenance: Instant {
    ([renewal(of: expiresAt, lifetime: lifetime)]
      + channels.values.map { renewal(of: $0.expiresAt, lifetime: Self.channelLifetime) }
      + permissions.values.map { renewal(of: $0, lifetime: Self.permissionLifetime) }).min() ?? expiresAt
  }

  /// What is to be renewed now.
  package func due(now: Instant) -> [Maintenance] {
    var due: [Maintenance] = []
    if now >= renewal(of: expiresAt, lifetime: lifetime) { due.append(.refresh) }
    for (number, binding) in channels where now >= renewal(of: binding.expiresAt, lifetime: Self.channelLifetime) {
      due.append(.channel(number, binding.peer))
    }
    let expiring = permissions.filter { now >= renewal(of: $0.value, lifetime: Self.permissionLifetime) }.keys
    if !expiring.isEmpty { due.append(.permissions(Array(expiring))) }
    return due
  }

  /// A minute before the end, or halfway where that is later.
  private func renewal(of end: Instant, lifetime: Duration) -> Instant { end - min(Self.margin, lifetime / 2) }
}
