package import Addresses
package import STUN

/// Asks a STUN server for our reflexive address, several times.
package struct BindingProbe: Sendable {
  package var server: Server
  /// How many requests are sent, one after the other.
  package var requests = 5

  package init(server: Server, requests: Int = 5) {
    self.server = server
    self.requests = requests
  }

  /// What a STUN server answered.
  package struct Report: Sendable {
    package let server: TransportAddress
    package let transport: Transport
    /// Requests that were sent, retransmissions not counted.
    package let requests: Int
    package let responses: Int
    /// Sends beyond the first of each request.
    package let retransmissions: Int
    /// Round trips of requests that were sent once (Karn's rule); nil where each was sent more than once.
    package let roundTrip: LatencySummary?
    /// Our address as the server sees it.
    package let reflexiveAddress: TransportAddress
    /// Our address as our own host sees it.
    package let localAddress: TransportAddress?
    /// Whether the reflexive address stayed the same.
    package let isReflexiveAddressStable: Bool
    /// What the server calls itself.
    package let software: String?
    /// Where the server says it answered from (RFC 5780).
    package let responseOrigin: TransportAddress?
    /// The server's second address (RFC 5780).
    package let otherAddress: TransportAddress?
    package let ignored: IgnoredDatagrams
    /// Addresses of the server's name that were tried before and did not answer.
    package let passedOver: [TransportAddress]
  }

  /// Runs the probe.
  ///
  /// - Parameter deadline: for the whole probe. Answers that came before it count; only none at all is a failure.
  /// - Throws: `ProbeFailure`: `stun.timeout`, `icmp.portUnreachable`, `stun.garbage`, …
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    guard requests > 0 else {
      throw ProbeFailure(.invalidInput, "The number of requests is not positive.", advice: "Ask for at least one.")
    }
    let end = Instant.now + deadline
    var candidates = try await server.candidates(by: end)
    while true {
      let limit = candidates.limit(by: end)
      do throws(ProbeFailure) {
        return try await ServerConnection.withConnection(
          to: candidates.current, over: server.transport, options: server.connectionOptions(), by: limit
        ) { connection throws(ProbeFailure) in
          var tally = Tally()
          while tally.requests < requests,
            try await tally.ask(connection, by: tally.responses.isEmpty ? limit : end)
          {
            progress("\(tally.responses.count) of \(requests) requests answered")
          }
          return try tally.report(of: connection, passedOver: candidates.passedOver)
        }
      } catch {
        try candidates.advance(after: error)
      }
    }
  }

  /// Asks over UDP, and tells from which other address answers come; nil where none do.
  static func otherSource(
    ofAnswersBy server: TransportAddress, by end: Instant
  ) async throws(ProbeFailure) -> TransportAddress? {
    try await ServerConnection.withUnconnectedSocket(to: server) { socket throws(ProbeFailure) in
      do throws(RequestFailure) {
        _ = try await socket.perform(.binding(), to: server, by: end)
      } catch {
        if case .timedOut(let timeout) = error { return timeout.effort.ignored.otherSource }
      }
      return nil
    }
  }

  /// Our address as a success response tells it.
  static func reflexiveAddress(in message: Message) throws(RequestFailure) -> TransportAddress {
    do throws(DecodingError) {
      if let masked: XORMappedAddress = try message.attribute() { return masked.address }
      if let plain: MappedAddress = try message.attribute() { return plain.address }
    } catch {
      throw .malformedResponse(error)
    }
    throw .malformedResponse(.missingAttribute(.xorMappedAddress))
  }

  private struct Tally {
    var requests = 0
    var responses: [Response] = []
    var retransmissions = 0
    var ignored = IgnoredDatagrams()
    var reflexive: [TransportAddress] = []

    /// Sends one request; false when the time is over.
    mutating func ask(_ connection: ServerConnection, by end: Instant) async throws(ProbeFailure) -> Bool {
      requests += 1
      do throws(RequestFailure) {
        let response = try await connection.perform(.binding(), by: end)
        retransmissions += response.effort.sends - 1
        ignored.add(response.effort.ignored)
        reflexive.append(try BindingProbe.reflexiveAddress(in: response.message))
        responses.append(response)
      } catch {
        if case .timedOut(let timeout) = error, !responses.isEmpty {
          retransmissions += timeout.effort.sends - 1
          ignored.add(timeout.effort.ignored)
          return false
        }
        throw ProbeFailure(error, of: .binding, server: connection.server, transport: connection.transport)
      }
      if let address = reflexive.last,
        let failure = ProbeFailure(
          unusableReflexive: address, in: .binding, server: connection.server, transport: connection.transport)
      {
        throw failure
      }
      return true
    }

    func report(
      of connection: ServerConnection, passedOver: [TransportAddress]
    ) throws(ProbeFailure) -> Report {
      guard let last = responses.last, let address = reflexive.last else {
        throw ProbeFailure(
          .malformedResponse(.truncated), of: .binding, server: connection.server, transport: connection.transport)
      }
      return Report(
        server: connection.server, transport: connection.transport, requests: requests, responses: responses.count,
        retransmissions: retransmissions, roundTrip: LatencySummary(responses.compactMap(\.roundTrip)),
        reflexiveAddress: address, localAddress: connection.localAddress,
        isReflexiveAddressStable: Set(reflexive).count == 1,
        software: try? last.message.attribute(Software.self)?.text,
        responseOrigin: try? last.message.attribute(ResponseOrigin.self)?.address,
        otherAddress: try? last.message.attribute(OtherAddress.self)?.address, ignored: ignored,
        passedOver: passedOver)
    }
  }
}
