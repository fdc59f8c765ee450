package import Addresses
package import STUN
import Schema

/// Asks a STUN server for our reflexive address, several times.
package struct BindingProbe: Sendable {
  package var server: ProbedServer
  /// How many requests are sent, one after the other.
  package var requests = 5

  package init(server: ProbedServer, requests: Int = 5) {
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
    /// Round trips of requests that were sent once (Karn's rule); nil if each was sent more than once.
    package let rtt: LatencySummary?
    /// Our address as the server sees it.
    package let reflexiveAddress: TransportAddress
    /// Our address as our own host sees it.
    package let localAddress: TransportAddress?
    /// Every address as which the server saw us, each once, in the order of its answers.
    package let reflexiveAddresses: [TransportAddress]
    /// Whether the server answers only requests without any attribute, as those of RFC 3489 were.
    package let needsBareRequests: Bool
    /// What the server calls itself.
    package let software: String?
    /// Where the server says it answered from (RFC 5780; RFC 3489).
    package let responseOrigin: TransportAddress?
    /// The server's second address (RFC 5780; RFC 3489).
    package let otherAddress: TransportAddress?
    package let ignored: IgnoredDatagrams
    /// Addresses of the server's name that were tried before and did not answer.
    package let passedOver: [PassedOverAddress]

    /// Whether the reflexive address stayed the same.
    package var isReflexiveAddressStable: Bool { reflexiveAddresses.count == 1 }
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
          return try tally.report(of: connection, passedOver: server.passedOver)
        }
      } catch {
        try candidates.advance(after: error)
      }
    }
  }

  /// Asks over UDP, and tells from which other address answers come; nil if none do.
  static func otherSource(
    ofAnswersBy server: TransportAddress, in network: ProbeNetwork, by end: Instant
  ) async throws(ProbeFailure) -> TransportAddress? {
    try await ServerConnection.withUnconnectedSocket(to: server, in: network) { socket throws(ProbeFailure) in
      do throws(RequestFailure) {
        _ = try await socket.perform(.bareBinding, to: server, by: end)
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

  /// The server's second address and port, where it announces one.
  static func otherAddress(in message: Message) throws(DecodingError) -> TransportAddress? {
    if let other: OtherAddress = try message.attribute() { return other.address }
    let changed: ChangedAddress? = try message.attribute()
    return changed?.address
  }

  private struct Tally {
    var requests = 0
    var responses: [Response] = []
    var retransmissions = 0
    var ignored = IgnoredDatagrams()
    var reflexive: [TransportAddress] = []
    private var needsBareRequests = false

    /// Sends one request; false when the time is over.
    mutating func ask(_ connection: ServerConnection, by end: Instant) async throws(ProbeFailure) -> Bool {
      requests += 1
      do throws(RequestFailure) {
        let response = try await answer(of: connection, by: end)
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

    /// The answer to a request with our attributes; where silence meets the first one over UDP, to one without any.
    private mutating func answer(
      of connection: ServerConnection, by end: Instant
    ) async throws(RequestFailure) -> Response {
      if needsBareRequests { return try await connection.perform(.bareBinding, by: end) }
      let time = end - .now
      guard connection.transport == .udp, responses.isEmpty, time >= Self.timeForBoth else {
        return try await connection.perform(.binding(), by: end)
      }
      let silence: RequestFailure.Timeout
      do throws(RequestFailure) {
        return try await connection.perform(.binding(), by: .now + time / 2)
      } catch {
        guard case .timedOut(let timeout) = error else { throw error }
        silence = timeout
      }
      do throws(RequestFailure) {
        // What was heard was an answer of somebody's: the next one may be ours.
        guard silence.isUnbroken else { return try await connection.perform(.binding(), by: end) }
        let bare = try await connection.perform(.bareBinding, by: end)
        return try await answerBehindLoss(of: connection, by: end) ?? bare
      } catch {
        guard case .timedOut(let timeout) = error else { throw error }
        throw .timedOut(silence.followed(by: timeout))
      }
    }

    /// The answer to another request with our attributes, where only losses kept the first ones from being answered; nil
    /// where it is silence again.
    private mutating func answerBehindLoss(
      of connection: ServerConnection, by end: Instant
    ) async throws(RequestFailure) -> Response? {
      let limit = Instant.now + FilteringTest.patience
      do throws(RequestFailure) {
        return try await connection.perform(.binding(), by: min(limit, end))
      } catch {
        guard case .timedOut = error else { throw error }
        // Where the deadline came first, silence says nothing.
        needsBareRequests = limit <= end
        return nil
      }
    }

    /// Two sends of each kind, and the wait for their answers.
    private static let timeForBoth: Duration = .seconds(3)

    func report(
      of connection: ServerConnection, passedOver: [PassedOverAddress]
    ) throws(ProbeFailure) -> Report {
      guard let last = responses.last, let address = reflexive.last else {
        throw ProbeFailure(
          .malformedResponse(.truncated), of: .binding, server: connection.server, transport: connection.transport)
      }
      return Report(
        server: connection.server, transport: connection.transport, requests: requests, responses: responses.count,
        retransmissions: retransmissions, rtt: LatencySummary(responses.compactMap(\.rtt)),
        reflexiveAddress: address, localAddress: connection.localAddress,
        reflexiveAddresses: reflexive.reduce(into: []) { if !$0.contains($1) { $0.append($1) } },
        needsBareRequests: needsBareRequests, software: try? last.message.attribute(Software.self)?.text,
        responseOrigin: (try? last.message.attribute(ResponseOrigin.self)?.address)
          ?? (try? last.message.attribute(SourceAddress.self)?.address),
        otherAddress: try? BindingProbe.otherAddress(in: last.message), ignored: ignored, passedOver: passedOver)
    }
  }
}

extension RequestFailure.Timeout {
  /// Whether nothing at all was heard.
  fileprivate var isUnbroken: Bool { effort.ignored.total == 0 && effort.obstacle == nil && !hasAnsweredBefore }
}
