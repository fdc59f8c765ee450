package import Addresses

/// The kinds of records that are asked for, by their numbers (RFC 1035, RFC 3596, RFC 2782).
package enum DNSRecordType: UInt16, Hashable, Sendable, CaseIterable {
  case a = 1
  case cname = 5
  case aaaa = 28
  case srv = 33
}

/// One record of an answer.
package struct DNSRecord: Hashable, Sendable {
  package enum Content: Hashable, Sendable {
    case address(IPAddress)
    /// The name that it is an alias of (CNAME).
    case alias(String)
    /// RFC 2782. The target is empty if the service is decidedly not there.
    case service(priority: UInt16, weight: UInt16, port: UInt16, target: String)
  }

  /// In small letters, without the final dot. Bytes that are no visible ASCII, dots and backslashes inside a label are escaped as in
  /// zone files (RFC 1035, section 5.1).
  package let name: String
  package let content: Content
  /// How long it may be kept.
  package let lifetime: Duration

  /// What it is an alias of; nil for a record of another type.
  package var aliasTarget: String? { if case .alias(let target) = content { target } else { nil } }
}

/// What a name server said to one question.
package enum DNSOutcome: String, Hashable, Sendable, CaseIterable {
  /// There are records of the type.
  case found
  /// The name exists and has no record of the type.
  case noData
  /// The name does not exist (NXDOMAIN).
  case noName
  /// The server cannot find out (SERVFAIL).
  case serverFailed
  /// The server does not want to answer (REFUSED).
  case refused
  /// The server does not understand the question (FORMERR, NOTIMP, or another code).
  case notUnderstood
  /// Aliases lead in a circle.
  case aliasLoop
  /// The server says that the name does not exist, and gives a record of it.
  case contradictory
  /// What came back is no answer that can be read.
  case malformed
  /// Nothing came back in time.
  case timedOut
  /// Nobody listens at the server's address, or there is no way there.
  case unreachable

  /// Whether it is the name's own, so that another server would say the same.
  package var isOfName: Bool {
    switch self {
    case .found, .noData, .noName, .aliasLoop: true
    case .serverFailed, .refused, .notUnderstood, .contradictory, .malformed, .timedOut, .unreachable: false
    }
  }
}

/// The answer to one question.
package struct DNSAnswer: Hashable, Sendable {
  package let name: String
  package let type: DNSRecordType
  package let outcome: DNSOutcome
  /// Those of the type, of the name or of what it is an alias of.
  package let records: [DNSRecord]
  /// The names that it is an alias of, in their order.
  package let aliases: [String]
  /// The shortest of the records' lifetimes, aliases included; nil without records.
  package let lifetime: Duration?
  /// Who said so; nil without any server.
  package let server: TransportAddress?
  package let elapsed: Duration

  /// An answer without records.
  init(
    _ question: DNSQuestion, _ outcome: DNSOutcome, records: [DNSRecord] = [], aliases: [String] = [],
    lifetime: Duration? = nil, server: TransportAddress?, elapsed: Duration
  ) {
    name = question.name
    type = question.type
    self.outcome = outcome
    self.records = records
    self.aliases = aliases
    self.lifetime = lifetime
    self.server = server
    self.elapsed = elapsed
  }
}

/// What is asked.
package struct DNSQuestion: Hashable, Sendable {
  package let name: String
  package let type: DNSRecordType

  /// - Parameter name: whole; no search domain is added.
  package init(_ name: String, _ type: DNSRecordType) {
    self.name = name
    self.type = type
  }
}
