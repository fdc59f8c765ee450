package import Addresses
package import STUN

/// Makes one allocation on a TURN server, and deletes it.
package struct AllocateProbe: Sendable {
  package var server: ProbedServer
  package var options = AllocateOptions()
  /// Whether a 300 (Try Alternate) is followed, up to three times, never to a server that was asked before.
  package var followsAlternate = false

  package init(server: ProbedServer, options: AllocateOptions = AllocateOptions(), followsAlternate: Bool = false) {
    self.server = server
    self.options = options
    self.followsAlternate = followsAlternate
  }

  /// What the server gave.
  package struct Report: Sendable {
    /// Who gave it: another server than the one that was asked, where a redirection was followed.
    package let server: TransportAddress
    package let transport: Transport
    /// The first relayed address.
    package let relayedAddress: TransportAddress
    /// One, or two of different families.
    package let relayedAddresses: [TransportAddress]
    package let reflexiveAddress: TransportAddress?
    /// Our address as our own host sees it.
    package let localAddress: TransportAddress?
    package let lifetime: Duration
    package let reservationToken: ReservationToken?
    /// In a dual allocation: the family that was not given, and why.
    package let refusedFamily: AddressErrorCode?
    package let realm: String?
    package let software: String?
    /// Of the request that was granted; nil if it was sent more than once (Karn's rule).
    package let rtt: Duration?
    /// From the first request to the grant, challenge included, and addresses that were passed over.
    package let elapsed: Duration
    package let effort: Effort
    /// Attributes that the server did not take, and that were left out then.
    package let droppedAttributes: [AttributeType]
    /// How often another source port was needed (437).
    package let newSourcePorts: Int
    package let deletion: Deletion
  }

  /// Runs the probe.
  ///
  /// - Parameter deadline: for the allocation; its deletion may take up to two seconds longer.
  /// - Throws: `ProbeFailure`: `turn.unauthorized`, `turn.quotaReached`, `turn.timeout`, `icmp.portUnreachable`, …
  package func run(deadline: Duration) async throws(ProbeFailure) -> Report {
    let request = AllocationRequest(server: server, options: options, followsAlternate: followsAlternate)
    let passedOverBefore = server.passedOver.elapsed
    let (granted, deletion) = try await Allocation.withAllocation(request, by: .now + deadline) {
      allocation throws(ProbeFailure) in
      (allocation, await allocation.state, await allocation.connection.realm())
    }
    let (allocation, state, realm) = granted
    return Report(
      server: allocation.connection.server, transport: allocation.connection.transport,
      relayedAddress: allocation.relayedAddress, relayedAddresses: allocation.relayedAddresses,
      reflexiveAddress: allocation.reflexiveAddress, localAddress: allocation.connection.localAddress,
      lifetime: state.lifetime,
      reservationToken: state.reservationToken, refusedFamily: state.refusedFamily,
      realm: realm, software: allocation.software, rtt: allocation.response.rtt,
      elapsed: allocation.response.elapsed + server.passedOver.elapsed - passedOverBefore,
      effort: allocation.response.effort, droppedAttributes: allocation.droppedAttributes,
      newSourcePorts: allocation.newSourcePorts, deletion: deletion)
  }
}
