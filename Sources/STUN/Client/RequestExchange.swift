import NIOCore

/// One request from its first send to its outcome, over as many transactions as challenges make it take.
struct RequestExchange: Sendable {
  /// What an answer leads to.
  enum Decision {
    /// Not from our server, for this reason: wait on.
    case ignore(WritableKeyPath<IgnoredDatagrams, Int>)
    /// Send again, under a new transaction id.
    case again
    case done(Result<Response, RequestFailure>)
  }

  /// How many 438 answers are followed by another attempt.
  static let maximumStaleNonces = 3

  let id: STUNClient.RequestID
  var request: Request
  let deadline: Instant
  let startedAt: Instant
  var effort = Effort()
  var transaction: ClientTransaction
  /// The key and realm that the last transaction was signed with.
  private var signature: (key: IntegrityKey, realm: String?)?
  private var followedRealmChange = false

  init(id: STUNClient.RequestID, request: Request, deadline: Instant, startedAt: Instant) {
    self.id = id
    self.request = request
    self.deadline = deadline
    self.startedAt = startedAt
    transaction = ClientTransaction(
      id: TransactionID(high: 0, low: 0), bytes: ByteBuffer(), schedule: .reliable, deadline: deadline, now: startedAt)
  }

  /// - Throws: `RequestFailure.overlongRequest`.
  mutating func encode(
    _ id: TransactionID, session: AuthenticationSession, configuration: STUNClient.Configuration
  ) throws(RequestFailure) -> ByteBuffer {
    var writer = MessageWriter(MessageType(request.method, .request), transactionID: id)
    for attribute in request.attributes { writer.append(attribute) }
    if let software = configuration.software, !request.isBare { writer.append(Software(software)) }
    signature = nil
    if request.authentication == .asChallenged, session.isChallenged, let key = session.key {
      session.sign(&writer)
      signature = (key, session.realm)
    }
    if configuration.sendsFingerprint, !request.isBare { writer.appendFingerprint() }
    if let attribute = writer.overlong { throw .overlongRequest(attribute) }
    return writer.finish()
  }

  mutating func judge(_ message: Message, session: inout AuthenticationSession, now: Instant) -> Decision {
    let verdict = signature.map { message.integrity(with: $0.key) }
    if message.type.messageClass == .success {
      switch verdict {
      case .absent: return .ignore(\.missingIntegrity)
      case .invalid: return .ignore(\.badIntegrity)
      case .valid, nil: break
      }
      let unknown = message.unknownRequiredAttributes
      guard unknown.isEmpty else { return .done(.failure(.unknownAttributes(unknown))) }
      return .done(
        .success(
          Response(
            message: message, rtt: transaction.rtt(now: now), elapsed: now - startedAt, effort: effort)))
    }
    if verdict == .invalid { return .ignore(\.badIntegrity) }
    do throws(DecodingError) {
      guard let error: ErrorCode = try message.attribute() else {
        return .done(.failure(.malformedResponse(.missingAttribute(.errorCode))))
      }
      return try judge(error, in: message, isAuthenticated: verdict == .valid, session: &session, now: now)
    } catch {
      return .done(.failure(.malformedResponse(error)))
    }
  }

  private mutating func judge(
    _ error: ErrorCode, in message: Message, isAuthenticated: Bool, session: inout AuthenticationSession, now: Instant
  ) throws(DecodingError) -> Decision {
    let unknown = try message.attribute(UnknownAttributes.self)?.types ?? []
    let rejection = Rejection(
      method: request.method, error: error, hadCredentials: signature != nil, isAuthenticated: isAuthenticated,
      realm: try message.attribute(Realm.self)?.text, software: try message.attribute(Software.self)?.text,
      unknownAttributes: unknown, alternateServer: try message.attribute(AlternateServer.self)?.address,
      effort: effort, elapsed: now - startedAt)
    let refused = Decision.done(.failure(.rejected(rejection)))
    guard request.authentication == .asChallenged else { return refused }
    switch error.number {
    case 401 where session.credentials != nil && maySignAgain(realm: rejection.realm):
      return follow(message, session: &session, counting: \.challenges, otherwise: refused)
    case 438 where session.credentials != nil && effort.staleNonces < Self.maximumStaleNonces:
      return follow(message, session: &session, counting: \.staleNonces, otherwise: refused)
    case 420 where unknown.contains(.dontFragment):
      let kept = request.attributes.filter { !($0 is DontFragment) }
      guard kept.count < request.attributes.count else { return refused }
      request.attributes = kept
      effort.droppedAttributes.append(.dontFragment)
      return .again
    default:
      return refused
    }
  }

  /// The first challenge is how authentication begins; a second one means bad credentials, unless it names another
  /// realm than the one that was signed for.
  private mutating func maySignAgain(realm: String?) -> Bool {
    if effort.challenges == 0 { return true }
    guard !followedRealmChange, let realm, realm != signature?.realm else { return false }
    followedRealmChange = true
    return true
  }

  private mutating func follow(
    _ challenge: Message, session: inout AuthenticationSession, counting counter: WritableKeyPath<Effort, Int>,
    otherwise refused: Decision
  ) -> Decision {
    do throws(AuthenticationSession.ChallengeProblem) {
      try session.accept(challenge)
    } catch {
      switch error {
      case .incomplete: return refused
      case .bidDown: return .done(.failure(.bidDown))
      case .noKnownAlgorithm(let offered): return .done(.failure(.noKnownPasswordAlgorithm(offered)))
      case .malformed(let problem): return .done(.failure(.malformedResponse(problem)))
      }
    }
    effort[keyPath: counter] += 1
    return .again
  }
}
