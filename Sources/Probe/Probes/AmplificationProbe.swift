import STUN

/// Measures how much larger a server's answers are than what an unauthenticated sender puts in: with a forged source
/// address that much reaches a victim.
package struct AmplificationProbe: Sendable {
  package var server: Server

  package init(server: Server) { self.server = server }

  /// One request and its first answer.
  package struct Exchange: Sendable, Hashable {
    package let method: String
    /// Bytes of the datagram's payload.
    package let requestBytes: Int
    package let responseBytes: Int
    /// Response over request.
    package var factor: Double { Double(responseBytes) / Double(requestBytes) }
  }

  package struct Report: Sendable {
    package let exchanges: [Exchange]
    /// The largest.
    package let factor: Double
  }

  /// Runs the probe, with the smallest requests that a server answers.
  package func run(deadline: Duration) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    var bare = server
    bare.credentials = nil
    var options = bare.connectionOptions()
    options.isMinimal = true
    let address = try await server.preferredAddress(by: end)
    let exchanges = try await ServerConnection.withConnection(
      to: address, over: server.transport, options: options, by: end
    ) { connection throws(ProbeFailure) in
      [
        try await exchange(.binding(), on: connection, by: end),
        try await exchange(.allocate(AllocateOptions()), on: connection, by: end),
      ]
    }
    return Report(exchanges: exchanges, factor: exchanges.map(\.factor).max() ?? 0)
  }

  private func exchange(
    _ request: Request, on connection: ServerConnection, by end: Instant
  ) async throws(ProbeFailure) -> Exchange {
    let bytes: Effort.FirstExchangeBytes?
    do throws(RequestFailure) {
      let response = try await connection.perform(request, by: end)
      bytes = response.effort.firstExchangeBytes
      if request.method == .allocate { connection.sendOnce(.refresh(lifetimeSeconds: 0)) }
    } catch {
      guard case .rejected(let rejection) = error else {
        throw ProbeFailure(error, of: request.method, server: connection.server, transport: connection.transport)
      }
      bytes = rejection.effort.firstExchangeBytes
    }
    return Exchange(
      method: "\(request.method)", requestBytes: bytes?.request ?? 0, responseBytes: bytes?.response ?? 0)
  }
}
