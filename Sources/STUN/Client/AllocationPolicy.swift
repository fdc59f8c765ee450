package import Addresses

/// What to do after an Allocate request was refused: bounded, so that it never becomes a storm of retries.
package struct AllocationPolicy: Sendable {
  package enum Decision: Sendable, Hashable {
    /// 437: the five-tuple is taken; come from another source port.
    case retryFromNewPort
    /// 508 to an optional wish: ask again without it.
    case retry(AllocateOptions, without: AttributeType)
    /// 300: ask there, over the same transport. Never an address that no server can have, or of another family, which is
    /// the request's own (RFC 8489, section 14.15).
    case redirect(TransportAddress)
    case giveUp
  }

  /// How many new source ports are tried.
  package static let maximumNewPorts = 3
  /// How many redirections are followed.
  package static let maximumRedirections = 3

  private var options: AllocateOptions
  private let family: AddressFamily
  private let followsAlternate: Bool
  private var newPorts = 0
  private var visited: Set<TransportAddress>
  private var redirections = 0

  /// - Parameters:
  ///   - server: where the first request goes.
  ///   - followsAlternate: whether a 300 is followed. It need not be signed, so that whoever forges it leads the client
  ///     where he wants: only on demand.
  package init(options: AllocateOptions, server: TransportAddress, followsAlternate: Bool) {
    self.options = options
    family = server.unmapped.ip.family
    self.followsAlternate = followsAlternate
    visited = [server.unmapped]
  }

  package mutating func decide(after rejection: Rejection) -> Decision {
    switch rejection.error.number {
    case 437 where newPorts < Self.maximumNewPorts:
      newPorts += 1
      return .retryFromNewPort
    case 508 where options.evenPort != nil || options.reservationToken != nil:
      let dropped: AttributeType = options.evenPort != nil ? .evenPort : .reservationToken
      options.evenPort = nil
      options.reservationToken = nil
      return .retry(options, without: dropped)
    case 300:
      guard followsAlternate, redirections < Self.maximumRedirections, let server = rejection.alternateServer,
        server.flaw(family: family) == nil, visited.insert(server.unmapped).inserted
      else { return .giveUp }
      redirections += 1
      return .redirect(server)
    default:
      return .giveUp
    }
  }
}
