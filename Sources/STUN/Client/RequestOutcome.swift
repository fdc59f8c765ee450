package import Addresses

/// A success response, with what it took to get it.
package struct Response: Sendable {
  package let message: Message
  /// From the last transaction's only send to its response; nil if it was sent more than once (Karn's rule).
  package let rtt: Duration?
  /// From the first send to the response, challenges and retransmissions included.
  package let elapsed: Duration
  package let effort: Effort
}

/// What a request took: how often it was sent and challenged.
package struct Effort: Sendable, Hashable {
  /// Datagrams or frames sent, retransmissions included.
  package internal(set) var sends = 0
  /// Transaction ids used: one more after each challenge.
  package internal(set) var transactions = 0
  /// 401 answers that were followed by another attempt.
  package internal(set) var challenges = 0
  /// 438 answers that were followed by another attempt.
  package internal(set) var staleNonces = 0
  /// Attributes that the server did not understand (420) and that were left out then.
  package internal(set) var droppedAttributes: [AttributeType] = []
  /// What arrived meanwhile and was not taken for an answer.
  package internal(set) var ignored = IgnoredDatagrams()
  /// Why the network dropped what was sent last, and may not when it is sent again.
  package internal(set) var obstacle: ICMPError?
  /// The size of the first request, in bytes.
  package internal(set) var requestBytes = 0

  package init() {}
}

/// Datagrams that arrived and were not taken for an answer, by reason.
package struct IgnoredDatagrams: Sendable, Hashable {
  /// Neither STUN nor ChannelData, or malformed.
  package internal(set) var garbage = 0
  /// A well-formed response to a transaction that is not ours.
  package internal(set) var wrongTransaction = 0
  /// From another address than the server's.
  package internal(set) var wrongSource = 0
  /// Where the last answer to us came from that came from elsewhere.
  package internal(set) var otherSource: TransportAddress?
  /// An answer to us whose integrity is wrong.
  package internal(set) var badIntegrity = 0
  /// A success for us without integrity, where the request had some.
  package internal(set) var missingIntegrity = 0
  /// A FINGERPRINT that does not agree.
  package internal(set) var badFingerprint = 0

  package init() {}

  package mutating func add(_ other: IgnoredDatagrams) {
    garbage += other.garbage
    wrongTransaction += other.wrongTransaction
    wrongSource += other.wrongSource
    otherSource = other.otherSource ?? otherSource
    badIntegrity += other.badIntegrity
    missingIntegrity += other.missingIntegrity
    badFingerprint += other.badFingerprint
  }

  package var total: Int { garbage + wrongTransaction + wrongSource + badIntegrity + missingIntegrity + badFingerprint }
}

/// Why a request got no success response.
package enum RequestFailure: Error, Sendable {
  case timedOut(Timeout)
  case rejected(Rejection)
  /// The response has comprehension-required attributes that this client does not know (RFC 8489, section 6.3.4).
  case unknownAttributes([AttributeType])
  /// The response was for us but breaks the protocol.
  case malformedResponse(DecodingError)
  /// The challenge announces password algorithms, or an earlier one offered some, and it offers none or weaker ones:
  /// somebody on the path changed it (RFC 8489, section 9.2.5).
  case bidDown
  /// The challenge offers password algorithms of which this client knows none.
  case noKnownPasswordAlgorithm([PasswordAlgorithm])
  /// The request was not sent: this attribute, or with it the message, is longer than it may be.
  case overlongRequest(AttributeType)
  /// The transport broke.
  case transport(TransportFailure)
  /// The caller's task was cancelled.
  case cancelled

  package struct Timeout: Sendable, Hashable {
    /// How long was waited since the first send.
    package let waited: Duration
    /// How long the last transaction could be waited for: less than ``waited`` where challenges took their time.
    package let allowed: Duration
    package let effort: Effort
    /// Whether the server has answered anything on this connection.
    package let hasAnsweredBefore: Bool

    /// Both as one: this one, and that of a request which was sent in its place.
    package func followed(by next: Timeout) -> Timeout {
      var effort = next.effort
      effort.sends += self.effort.sends
      effort.ignored.add(self.effort.ignored)
      return Timeout(
        waited: waited + next.waited, allowed: allowed + next.allowed, effort: effort,
        hasAnsweredBefore: next.hasAnsweredBefore)
    }
  }
}

/// An error response.
package struct Rejection: Sendable, Hashable {
  package let method: Method
  package let error: ErrorCode
  /// Whether the refused request carried credentials.
  package let hadCredentials: Bool
  /// Whether the response's integrity was checked and holds.
  package let isAuthenticated: Bool
  package let realm: String?
  package let software: String?
  package let unknownAttributes: [AttributeType]
  package let alternateServer: TransportAddress?
  package let effort: Effort
  package let elapsed: Duration

  package init(
    method: Method, error: ErrorCode, hadCredentials: Bool = false, isAuthenticated: Bool = false,
    realm: String? = nil, software: String? = nil, unknownAttributes: [AttributeType] = [],
    alternateServer: TransportAddress? = nil, effort: Effort = Effort(), elapsed: Duration = .zero
  ) {
    self.method = method
    self.error = error
    self.hadCredentials = hadCredentials
    self.isAuthenticated = isAuthenticated
    self.realm = realm
    self.software = software
    self.unknownAttributes = unknownAttributes
    self.alternateServer = alternateServer
    self.effort = effort
    self.elapsed = elapsed
  }
}
