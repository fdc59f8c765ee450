package import Addresses

/// What a client asks of a server: a method and its attributes, without ids, credentials and checksums.
package struct Request: Sendable {
  /// Whether the request carries the client's credentials.
  package enum Authentication: Sendable, Hashable {
    /// As the server demands: without at first, then as its challenge says.
    case asChallenged
    /// Never, not even when challenged.
    case never
  }

  package var method: Method
  package var attributes: [any Attribute]
  package var authentication: Authentication
  /// Where a success must come from, on a socket that takes answers from anywhere; nil takes any that the client takes.
  package var answerSource: TransportAddress?
  /// Whether it carries these attributes alone, neither SOFTWARE nor FINGERPRINT, as a server of RFC 3489 may need it.
  package var isBare = false

  package init(_ method: Method, _ attributes: [any Attribute] = [], authentication: Authentication = .asChallenged) {
    self.method = method
    self.attributes = attributes
    self.authentication = authentication
  }
}

extension Request {
  /// Asks for the reflexive address.
  package static func binding(_ attributes: [any Attribute] = []) -> Request {
    Request(.binding, attributes, authentication: .never)
  }

  /// Asks for the reflexive address with no attribute at all.
  package static var bareBinding: Request {
    var request = binding()
    request.isBare = true
    return request
  }

  /// Asks for a relayed address (RFC 8656, section 7.1).
  package static func allocate(_ options: AllocateOptions) -> Request {
    Request(.allocate, options.attributes)
  }

  /// Extends an allocation, or deletes it with 0 seconds (RFC 8656, section 8.1).
  package static func refresh(lifetimeSeconds: UInt32, family: AddressFamily? = nil) -> Request {
    var attributes: [any Attribute] = [Lifetime(seconds: lifetimeSeconds)]
    if let family { attributes.append(RequestedAddressFamily(family)) }
    return Request(.refresh, attributes)
  }

  /// Permits these peers' addresses to reach the relayed address, for 300 s (RFC 8656, section 10.1).
  package static func createPermission(_ peers: [IPAddress]) -> Request {
    Request(.createPermission, peers.map { XORPeerAddress(TransportAddress(ip: $0, port: 0)) })
  }

  /// Binds a channel to a peer for 600 s (RFC 8656, section 12.2).
  package static func channelBind(_ channel: ChannelNumber, to peer: TransportAddress) -> Request {
    Request(.channelBind, [channel, XORPeerAddress(peer)])
  }
}

/// What an allocation is asked to be like; the empty value asks for UDP over IPv4.
package struct AllocateOptions: Sendable, Hashable {
  /// UDP, or TCP as RFC 6062 has it.
  package var transport = RequestedTransport.udp
  /// nil sends none: the server gives IPv4.
  package var family: AddressFamily?
  /// Asks for IPv4 and IPv6 at once (RFC 8656, ADDITIONAL-ADDRESS-FAMILY); excludes `family` and the port options.
  package var isDual = false
  package var evenPort: EvenPort?
  package var reservationToken: ReservationToken?
  package var dontFragment = false
  /// The lifetime to ask for; nil leaves it to the server.
  package var lifetimeSeconds: UInt32?
  /// nil sends none. A server may choose the realm by it.
  package var origin: Origin?

  package init() {}

  var attributes: [any Attribute] {
    var attributes: [any Attribute] = [transport]
    if let lifetimeSeconds { attributes.append(Lifetime(seconds: lifetimeSeconds)) }
    if let family { attributes.append(RequestedAddressFamily(family)) }
    if isDual { attributes.append(AdditionalAddressFamily(.ipv6)) }
    if let evenPort { attributes.append(evenPort) }
    if let reservationToken { attributes.append(reservationToken) }
    if dontFragment { attributes.append(DontFragment()) }
    if let origin { attributes.append(origin) }
    return attributes
  }
}
