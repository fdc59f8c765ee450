import Coturn
package import Schema

/// The parts of what `coturn.log` puts out.
package enum CoturnLogOutput {
  /// How many users, addresses, sessions and peers are listed, those that count most.
  private static let listed = 50

  package struct User: Hashable, Sendable {
    package var user: String
    package var unknownOrExpired: Int
    package var wrongPassword: Int
    package var allocated: Int
    package var quota: Int
    package var ports: Int
    package var forbidden: Int
  }

  package struct Client: Hashable, Sendable {
    package var address: String
    package var failures: Int
    package var rateLimits: Int
    package var withoutAllocation: Int
    package var forbidden: Int
  }

  package struct Authentication: Hashable, Sendable {
    package var failures: Int
    package var unknownOrExpired: Int
    package var expired: Int
    package var wrongPassword: Int
    package var challenges: Int
    package var probeFailures: Int
    package var succeeded: Int?
    package var success: Double?
    package var users: [User]
    package var suspicious: [Client]
  }

  package struct Session: Hashable, Sendable {
    package var session: String
    package var user: String
    package var relayed: Int?
  }

  package struct Sessions: Hashable, Sendable {
    package var opened: Int?
    package var closed: Int?
    package var withoutAllocation: Int?
    package var leftOpen: Int?
    package var relayed: Int?
    package var success: Double?
    package var closeReasons: [String: Int]
    package var largest: [Session]
  }

  package struct Peer: Hashable, Sendable {
    package var peer: String
    package var range: String
    package var count: Int
  }

  package struct Refusals: Hashable, Sendable {
    package var quota: Int
    package var ports: Int
    package var peers: Int
    package var forbidden: Int
    package var rateLimits: Int
    package var malformedNames: Int
    package var socketErrors: Int
    package var deniedPeers: [Peer]
    package var users: [User]
  }

  package struct LoggedServer: Hashable, Sendable {
    package var starts: Int
    package var crashes: Int
    package var reloads: Int
    package var tlsLost: Bool?
    package var reloadFailed: Bool?
    package var draining: Bool
    package var kinds: [String: Int]
  }

  package struct LoggedAccount: Hashable, Sendable {
    package var records: Int
    package var errors: Int
    package var lines: Int
    package var bytes: Int
    package var first: Timestamp?
    package var last: Timestamp?
    package var verbose: Bool
    package var undated: Int
    package var forgedLines: Int
    package var suppressed: Int
    package var unreadableRecords: Int
    package var cutLines: Int
    package var nulBytes: Int
    package var notes: [String]
  }

  fileprivate static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  fileprivate static func users(_ facts: CoturnLogFacts, _ isListed: (CoturnUserCounts) -> Bool) -> [User] {
    facts.users.ordered.filter { isListed($0.count) }.prefix(listed).map { name, count in
      User(
        user: text(name), unknownOrExpired: count.unknownOrExpired, wrongPassword: count.wrongPassword,
        allocated: count.allocated, quota: count.quota, ports: count.ports, forbidden: count.forbidden)
    }
  }
}

extension CoturnLogOutput.Authentication {
  init(_ facts: CoturnLogFacts, suspiciousFrom: Int) {
    let suspicious = facts.clients.ordered.filter { $0.count.failures >= suspiciousFrom || $0.count.rateLimits > 0 }
    self.init(
      failures: facts.failures, unknownOrExpired: facts.count(.unknownOrExpired), expired: facts.expired,
      wrongPassword: facts.count(.wrongPassword), challenges: facts.challenges, probeFailures: facts.probeFailures,
      succeeded: facts.isVerbose ? facts.allocationsSucceeded + facts.allocationsRefused : nil,
      success: facts.authenticationSuccess, users: CoturnLogOutput.users(facts) { $0.failures > 0 },
      suspicious: suspicious.prefix(50).map { address, count in
        CoturnLogOutput.Client(
          address: CoturnLogOutput.text(address), failures: count.failures, rateLimits: count.rateLimits,
          withoutAllocation: count.withoutAllocation, forbidden: count.forbidden)
      })
  }
}

extension CoturnLogOutput.Sessions {
  init(_ facts: CoturnLogFacts) {
    func figure(_ count: Int) -> Int? { facts.isVerbose ? count : nil }
    let largest = facts.sessions.sorted { ($0.relayed ?? 0) > ($1.relayed ?? 0) }.prefix(20)
    var reasons: [String: Int] = [:]
    for (reason, count) in facts.closeReasons.counts { reasons[CoturnLogOutput.text(reason), default: 0] += count }
    self.init(
      opened: figure(facts.opened), closed: figure(facts.closed),
      withoutAllocation: figure(facts.closedWithoutAllocation), leftOpen: figure(facts.leftOpen.count),
      relayed: facts.relayedBytes.map { Int(clamping: $0) }, success: facts.allocationSuccess, closeReasons: reasons,
      largest: largest.map { session in
        .init(
          session: session.name, user: CoturnLogOutput.text(session.user),
          relayed: session.relayed.map { Int(clamping: $0) })
      })
  }
}

extension CoturnLogOutput.Refusals {
  init(_ facts: CoturnLogFacts) {
    self.init(
      quota: facts.count(.quotaExceeded), ports: facts.count(.portsExhausted), peers: facts.count(.peerDenied),
      forbidden: facts.forbidden, rateLimits: facts.count(.rateLimited),
      malformedNames: facts.count(.malformedName), socketErrors: facts.count(.socketError),
      deniedPeers: facts.peers.sorted { ($1.count, $0.peer) < ($0.count, $1.peer) }.prefix(50).map {
        .init(peer: $0.peer, range: $0.range, count: $0.count)
      },
      users: CoturnLogOutput.users(facts) { $0.quota + $0.ports + $0.forbidden > 0 })
  }
}

extension CoturnLogOutput.LoggedServer {
  init(_ facts: CoturnLogFacts) {
    var kinds: [String: Int] = [:]
    for kind in CoturnLogKind.allCases where facts.count(kind) > 0 { kinds[kind.rawValue] = facts.count(kind) }
    self.init(
      starts: facts.starts, crashes: facts.crashes, reloads: facts.reloads, tlsLost: facts.isTLSLost,
      reloadFailed: facts.isReloadFailed, draining: facts.isDraining, kinds: kinds)
  }
}

extension CoturnLogOutput.LoggedAccount {
  init(_ facts: CoturnLogFacts) {
    func moment(_ moment: CoturnLogMoment?) -> Timestamp? {
      if case .wall(let timestamp, _) = moment { timestamp } else { nil }
    }
    self.init(
      records: facts.records, errors: facts.errorLevelRecords, lines: facts.account.lines,
      bytes: facts.account.bytes, first: moment(facts.first), last: moment(facts.last), verbose: facts.isVerbose,
      undated: facts.undated, forgedLines: facts.forgedLines, suppressed: facts.suppressed,
      unreadableRecords: facts.unreadableRecords, cutLines: facts.account.cutLines,
      nulBytes: facts.account.nulBytes, notes: facts.notes())
  }
}
