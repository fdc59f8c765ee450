package import Addresses
package import STUN
import Schema

/// An allocation on a TURN server that is kept for as long as it is used, and deleted then.
package actor Allocation {
  nonisolated let connection: ServerConnection
  /// The response that made it.
  package nonisolated let response: Response
  /// Attributes that were asked for first and had to be left out.
  package nonisolated let droppedAttributes: [AttributeType]
  /// How often another source port was needed.
  package nonisolated let newSourcePorts: Int
  package nonisolated let relayedAddresses: [TransportAddress]
  package nonisolated let reflexiveAddress: TransportAddress?
  package private(set) var state: AllocationState
  /// The renewal that is under way.
  private var renewal: Task<Void, Never>?
  /// The allocation's end, once it has begun.
  private var deletion: Task<Deletion, Never>?

  init(
    _ state: AllocationState, response: Response, connection: ServerConnection, droppedAttributes: [AttributeType],
    newSourcePorts: Int
  ) {
    self.state = state
    self.response = response
    self.connection = connection
    self.droppedAttributes = droppedAttributes + response.effort.droppedAttributes
    self.newSourcePorts = newSourcePorts
    relayedAddresses = state.relayedAddresses
    reflexiveAddress = state.reflexiveAddress
  }

  /// The address that peers send to.
  package nonisolated var relayedAddress: TransportAddress { relayedAddresses[0] }

  /// What the server calls itself.
  nonisolated var software: String? { try? response.message.attribute(Software.self)?.text }

  /// Our own address as the server sees it. Throws if it did not say.
  nonisolated func ownAddress() throws(ProbeFailure) -> TransportAddress {
    guard let reflexiveAddress else {
      throw ProbeFailure(
        .malformedResponse(.missingAttribute(.xorMappedAddress)), of: .allocate, server: connection.server,
        transport: connection.transport)
    }
    return reflexiveAddress
  }

  /// Permits peers to send to the relayed address.
  package func permit(_ peers: [IPAddress], by deadline: Instant) async throws(ProbeFailure) {
    _ = try await perform(.createPermission(peers), by: deadline)
    state.permitted(peers, now: .now)
  }

  /// Binds a channel to a peer; gives the one that is bound if there is one.
  package func bindChannel(to peer: TransportAddress, by deadline: Instant) async throws(ProbeFailure) -> ChannelNumber
  {
    if let bound = state.channel(for: peer, now: .now) { return bound }
    guard let channel = state.bindableChannel(for: peer, now: .now) else {
      throw ProbeFailure(
        .invalidInput, "No channel of the allocation on \(connection.server) can be bound to \(peer) at the moment.",
        advice: "A channel may be bound anew five minutes after it has expired.")
    }
    _ = try await perform(.channelBind(channel, to: peer), by: deadline)
    state.bound(channel, to: peer, now: .now)
    return channel
  }

  /// Asks for a new lifetime; the server's answer decides.
  package func refresh(lifetimeSeconds: UInt32 = 600, by deadline: Instant) async throws(ProbeFailure) {
    let response = try await perform(.refresh(lifetimeSeconds: lifetimeSeconds), by: deadline)
    do throws(DecodingError) {
      guard let lifetime: Lifetime = try response.message.attribute() else { throw .missingAttribute(.lifetime) }
      state.refreshed(lifetime, now: .now)
    } catch {
      throw ProbeFailure(
        .malformedResponse(error), of: .refresh, server: connection.server, transport: connection.transport)
    }
  }

  func perform(_ request: Request, by deadline: Instant) async throws(ProbeFailure) -> Response {
    do throws(RequestFailure) {
      return try await connection.perform(request, by: deadline)
    } catch {
      throw ProbeFailure(
        error, of: request.method, peers: request.attributes.compactMap { ($0 as? XORPeerAddress)?.address },
        server: connection.server, transport: connection.transport)
    }
  }

  /// Throws if the task is cancelled: what did not arrive then says nothing.
  nonisolated func checkCancellation() throws(ProbeFailure) {
    guard Task.isCancelled else { return }
    throw ProbeFailure(TransportFailure.cancelled, server: connection.server, transport: connection.transport)
  }

  /// Renews what runs out soon, unless the allocation's end has begun.
  func renew() async {
    guard deletion == nil else { return }
    let renewal = Task { await self.renewWhatIsDue(at: .now) }
    self.renewal = renewal
    await renewal.value
    self.renewal = nil
  }

  /// Renews what runs out soon after this time. What cannot be renewed shows in what the allocation is used for.
  func renewWhatIsDue(at now: Instant) async {
    for item in state.due(now: now) {
      let limit = Instant.now + .seconds(20)
      switch item {
      case .refresh: try? await refresh(by: limit)
      case .permissions(let peers): try? await permit(peers, by: limit)
      case .channel(let number, let peer):
        if (try? await perform(.channelBind(number, to: peer), by: limit)) != nil {
          state.bound(number, to: peer, now: .now)
        }
      }
    }
  }

  /// Deletes the allocation, once, whoever asks for it; cancelling the caller's task does not keep it from it.
  ///
  /// A renewal that is under way is given up first: it would go on sending requests, which a server may take in behind the
  /// deletion.
  func delete(by deadline: Instant) async -> Deletion {
    if let deletion { return await deletion.value }
    let renewal = renewal
    let deletion = Task(executorPreference: EventLoopExecutor(connection.eventLoop)) {
      renewal?.cancel()
      await renewal?.value
      return await self.requestDeletion(by: deadline)
    }
    self.deletion = deletion
    return await deletion.value
  }

  /// That the allocation is gone already (437) is as good as a success.
  ///
  /// A success counts only with a LIFETIME of 0: the response carries what is left of the time (RFC 8656, section 7.2), so
  /// that one without it, or with more, does not say that nothing is.
  private func requestDeletion(by deadline: Instant) async -> Deletion {
    let start = Instant.now
    do throws(RequestFailure) {
      let response = try await connection.perform(.refresh(lifetimeSeconds: 0), by: deadline)
      let left = try? response.message.attribute(Lifetime.self)
      return Deletion(isConfirmed: left?.seconds == 0, elapsed: .now - start)
    } catch {
      if case .rejected(let rejection) = error, rejection.error.number == 437 {
        return Deletion(isConfirmed: true, elapsed: .now - start)
      }
      return Deletion(isConfirmed: false, elapsed: .now - start)
    }
  }
}

/// How the end of an allocation went.
package struct Deletion: Sendable, Hashable {
  /// Whether the server confirmed that the allocation is gone; otherwise it lasts until its lifetime ends.
  package let isConfirmed: Bool
  package let elapsed: Duration
}
