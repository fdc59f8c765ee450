import STUN
import Schema

/// Measures how much larger a server's answers are than what an unauthenticated sender puts in: with a forged source
/// address that much reaches a victim.
package struct AmplificationProbe: Sendable {
  package var server: ProbedServer

  package init(server: ProbedServer) { self.server = server }

  /// One request and everything that came back; to its predecessors too, where they were not answered.
  package struct Exchange: Sendable, Hashable {
    package let method: String
    /// Bytes of the request's payload.
    package let requestBytes: Int
    /// How many answers came, of whatever kind, until `answerWindow` after the first that is one.
    package let responses: Int
    /// Bytes of all of them.
    package let responseBytes: Int
    /// Responses over request.
    package var factor: Double { Double(responseBytes) / Double(requestBytes) }
  }

  package struct Report: Sendable {
    package let exchanges: [Exchange]
    /// The largest.
    package let factor: Double
  }

  /// How long further answers are waited for.
  static let answerWindow: Duration = .milliseconds(500)
  /// How long a datagram's first answer is waited for before another request is sent.
  static let patience: Duration = .seconds(2)

  /// Runs the probe, with the smallest requests that a server answers. Only what the server sends from the address that
  /// was asked is seen.
  ///
  /// - Parameter deadline: for the answers; the wait for further ones may take `answerWindow` longer.
  package func run(deadline: Duration) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    var bare = server
    bare.credentials = nil
    var options = bare.connectionOptions()
    options.isMinimal = true
    let counter = FrameCounter()
    options.frameCounter = counter
    // Never repeated: which answers are one request's could not be told then.
    if !server.transport.isReliable {
      options.schedule = .unreliable(initialTimeout: Self.patience, maximumSends: 1, finalFactor: 1)
    }
    let address = try await server.preferredAddress(by: end)
    let exchanges = try await ServerConnection.withConnection(
      to: address, over: server.transport, options: options, by: end
    ) { connection throws(ProbeFailure) in
      [
        try await exchange(.binding(), on: connection, counter, by: end),
        try await exchange(.allocate(AllocateOptions()), on: connection, counter, by: end),
      ]
    }
    return Report(exchanges: exchanges, factor: exchanges.map(\.factor).max() ?? 0)
  }

  private func exchange(
    _ request: Request, on connection: ServerConnection, _ counter: FrameCounter, by end: Instant
  ) async throws(ProbeFailure) -> Exchange {
    _ = counter.take()
    let (requestBytes, mayBeGranted) = try await firstAnswer(to: request, on: connection, by: end)
    try? await Task.sleep(for: Self.answerWindow)
    let total = counter.take()
    if mayBeGranted { connection.sendOnce(.refresh(lifetimeSeconds: 0)) }
    if Task.isCancelled {
      throw ProbeFailure(TransportFailure.cancelled, server: connection.server, transport: connection.transport)
    }
    return Exchange(
      method: "\(request.method)", requestBytes: requestBytes, responses: total.frames, responseBytes: total.bytes)
  }

  /// Sends a request, and another one where no answer comes.
  private func firstAnswer(
    to request: Request, on connection: ServerConnection, by end: Instant
  ) async throws(ProbeFailure) -> (requestBytes: Int, mayBeGranted: Bool) {
    var isRepeated = false
    while true {
      do throws(RequestFailure) {
        let response = try await connection.perform(request, by: end)
        return (response.effort.requestBytes, request.method == .allocate)
      } catch {
        switch error {
        case .rejected(let rejection):
          // The request before may have been granted, and its answer lost.
          return (rejection.effort.requestBytes, isRepeated && request.method == .allocate)
        case .timedOut where .now < end && !connection.transport.isReliable: isRepeated = true
        default:
          if request.method == .allocate { connection.sendOnce(.refresh(lifetimeSeconds: 0)) }
          throw ProbeFailure(error, of: request.method, server: connection.server, transport: connection.transport)
        }
      }
    }
  }
}
