package import Addresses
package import NIOCore

/// A STUN and TURN client towards one server over one transport: pure, without socket and clock.
///
/// Its driver sends what it is told to send, hands in what arrives, and calls `timerFired` when `nextTimer` is reached.
package struct STUNClient: Sendable {
  /// What a client needs to know beforehand.
  package struct Configuration: Sendable {
    /// Where answers must come from; nil over streams, where the connection says it.
    package var server: TransportAddress?
    package var schedule: RetransmissionSchedule
    package var credentials: LongTermCredentials?
    /// What to call ourselves in SOFTWARE; nil sends none.
    package var software: String?
    /// Whether requests carry FINGERPRINT.
    package var sendsFingerprint = true

    package init(
      server: TransportAddress?, schedule: RetransmissionSchedule, credentials: LongTermCredentials? = nil,
      software: String? = "runbook"
    ) {
      self.server = server
      self.schedule = schedule
      self.credentials = credentials
      self.software = software
    }

    /// Whether frames are padded and nothing is retransmitted.
    package var isReliable: Bool { schedule.initialTimeout == nil }
  }

  /// Names one request of this client from its beginning to its end.
  package struct RequestID: Sendable, Hashable {
    fileprivate let number: UInt64
  }

  /// What the driver is to do; at most one thing at a time.
  package enum Action: Sendable {
    case nothing
    case send(ByteBuffer)
    case finish(RequestID, Result<Response, RequestFailure>)
    /// Something for the user of the allocation.
    case deliver(RelayedData)
  }

  package let configuration: Configuration
  package var authentication: AuthenticationSession
  var exchanges: [TransactionID: RequestExchange] = [:]
  /// The last ids that were done with: late answers to them are no stranger's.
  private var finished: [TransactionID] = []
  private var lastNumber: UInt64 = 0
  /// Whether an answer was taken for one of ours, an error or a challenge among them.
  private var hasAnswered = false

  package init(_ configuration: Configuration) {
    self.configuration = configuration
    authentication = AuthenticationSession(credentials: configuration.credentials)
  }

  /// Begins a request; the bytes are to be sent at once.
  ///
  /// - Parameter deadline: when to give up, if the schedule does not end before.
  /// - Throws: `RequestFailure.overlongRequest`: nothing was begun.
  package mutating func begin(
    _ request: Request, deadline: Instant, now: Instant
  ) throws(RequestFailure) -> (id: RequestID, bytes: ByteBuffer) {
    lastNumber += 1
    let id = RequestID(number: lastNumber)
    var exchange = RequestExchange(id: id, request: request, deadline: deadline, startedAt: now)
    let bytes = try send(&exchange, now: now)
    return (id, bytes)
  }

  /// Forgets a request without an outcome; a late answer is ignored.
  package mutating func abandon(_ id: RequestID) {
    for (transactionID, exchange) in exchanges where exchange.id == id { finish(transactionID) }
  }

  /// Ends everything: the transport broke.
  package mutating func transportFailed(_ failure: TransportFailure) -> [(RequestID, RequestFailure)] {
    defer { exchanges.removeAll() }
    return exchanges.values.map { ($0.id, .transport(failure)) }
  }

  /// When `timerFired` is due next; nil while nothing is under way.
  package var nextTimer: Instant? { exchanges.values.lazy.map(\.transaction.nextTimer).min() }

  /// What is due at this time; to be called again until it says `.nothing`.
  package mutating func timerFired(now: Instant) -> Action {
    for (transactionID, var exchange) in exchanges {
      switch exchange.transaction.timerFired(now: now) {
      case .wait:
        continue
      case .retransmit:
        exchange.effort.sends += 1
        exchanges[transactionID] = exchange
        return .send(exchange.transaction.bytes)
      case .expire:
        finish(transactionID)
        let timeout = RequestFailure.Timeout(
          waited: now - exchange.startedAt,
          allowed: min(now, exchange.transaction.deadline) - exchange.transaction.startedAt, effort: exchange.effort,
          hasAnsweredBefore: hasAnswered)
        return .finish(exchange.id, .failure(.timedOut(timeout)))
      }
    }
    return .nothing
  }

  /// Takes in one datagram or frame.
  ///
  /// - Parameter source: where it came from; nil over streams.
  package mutating func receive(_ bytes: ByteBuffer, from source: TransportAddress?, now: Instant) -> Action {
    if let source, let server = configuration.server, source.unmapped != server.unmapped {
      return ignore(\.wrongSource)
    }
    if let first: UInt8 = bytes.getInteger(at: bytes.readerIndex), (0x40...0x4F).contains(first) {
      guard let data = try? ChannelData(decoding: bytes) else { return ignore(\.garbage) }
      return .deliver(.channel(data.channel, data.payload))
    }
    let message: Message
    do throws(DecodingError) {
      message = try Message(decoding: bytes)
      _ = try message.checkFingerprint()
    } catch {
      return ignore(error == .wrongFingerprint ? \.badFingerprint : \.garbage)
    }
    switch message.type.messageClass {
    case .request: return ignore(\.garbage)
    case .indication: return RelayedData(indication: message).map(Action.deliver) ?? ignore(\.garbage)
    case .success, .error: return receiveResponse(message, from: source, now: now)
    }
  }

  /// A datagram for a peer, over a channel.
  package func channelData(_ payload: ByteBuffer, to channel: ChannelNumber, into buffer: inout ByteBuffer) {
    ChannelData.write(payload, to: channel, padded: configuration.isReliable, into: &buffer)
  }

  /// A datagram for a peer, as a Send indication (RFC 8656, section 11.1).
  package func sendIndication(_ payload: ByteBuffer, to peer: TransportAddress) -> ByteBuffer {
    var writer = MessageWriter(
      MessageType(.send, .indication), transactionID: .random(), capacity: payload.readableBytes + 64)
    writer.append(XORPeerAddress(peer))
    writer.append(PeerData(payload))
    return writer.finish()
  }

  private mutating func receiveResponse(
    _ message: Message, from source: TransportAddress?, now: Instant
  ) -> Action {
    guard var exchange = exchanges[message.transactionID], exchange.request.method == message.type.method else {
      return finished.contains(message.transactionID) ? .nothing : ignore(\.wrongTransaction)
    }
    if message.type.messageClass == .success, let expected = exchange.request.answerSource,
      source?.unmapped != expected.unmapped
    {
      exchange.effort.ignored.wrongSource += 1
      exchange.effort.ignored.otherSource = source?.unmapped
      exchanges[message.transactionID] = exchange
      return .nothing
    }
    let decision = exchange.judge(message, session: &authentication, now: now)
    switch decision {
    case .ignore(let reason):
      exchange.effort.ignored[keyPath: reason] += 1
      exchanges[message.transactionID] = exchange
      return .nothing
    case .again:
      hasAnswered = true
      finish(message.transactionID)
      do throws(RequestFailure) {
        return .send(try send(&exchange, now: now))
      } catch {
        return .finish(exchange.id, .failure(error))
      }
    case .done(let result):
      hasAnswered = true
      finish(message.transactionID)
      return .finish(exchange.id, result)
    }
  }

  /// Sends a request under a new transaction id.
  private mutating func send(_ exchange: inout RequestExchange, now: Instant) throws(RequestFailure) -> ByteBuffer {
    let id = TransactionID.random()
    let bytes = try exchange.encode(id, session: authentication, configuration: configuration)
    exchange.transaction = ClientTransaction(
      id: id, bytes: bytes, schedule: configuration.schedule, deadline: exchange.deadline, now: now)
    if exchange.effort.transactions == 0 { exchange.effort.requestBytes = bytes.readableBytes }
    exchange.effort.transactions += 1
    exchange.effort.sends += 1
    exchanges[id] = exchange
    return bytes
  }

  private mutating func finish(_ id: TransactionID) {
    exchanges[id] = nil
    finished.append(id)
    if finished.count > 32 { finished.removeFirst() }
  }

  /// Notes that bytes on the stream do not make a frame; counts as garbage for requests that time out.
  package mutating func noteUnfinishedFrame() { _ = ignore(\.garbage) }

  /// Notes why a datagram got lost that may get through when it is sent again.
  package mutating func note(_ obstacle: ICMPError) {
    for id in exchanges.keys { exchanges[id]?.effort.obstacle = obstacle }
  }

  private mutating func ignore(_ reason: WritableKeyPath<IgnoredDatagrams, Int>) -> Action {
    for id in exchanges.keys { exchanges[id]?.effort.ignored[keyPath: reason] += 1 }
    return .nothing
  }
}
