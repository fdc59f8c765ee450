package import Schema

extension CoturnLogFacts {
  /// The facts as `runbook coturn log --format json` prints them; docs/coturn-log.md describes the shape.
  ///
  /// - Parameters:
  ///   - told: the version that the log is said to be of, for one that names none.
  ///   - set: the names of the files, the oldest first, if there are several.
  ///   - window: what the figures are about, if not everything.
  package func json(told: CoturnVersion? = nil, set: [String] = [], window: CoturnLogReview.Window? = nil) -> JSON {
    var members: [JSON.Member] = [
      .init("physicalLines", .int(Int64(account.linesOfLastSource))),
      .init("version", versionText(told: told).map { .string($0) } ?? .null),
      .init("records", .int(Int64(records))),
      .init("errorLevelRecords", .int(Int64(errorLevelRecords))),
      .init("errorsByKind", errorsByKind),
      .init("auth", authentication),
      .init("sessions", sessionCounts),
      .init("bytesBySession", bytesBySession),
      .init("deniedPeers", .array(peers.map(\.json))),
      .init("forbidden403", .int(Int64(forbidden))),
      .init("starts", .int(Int64(starts))),
      .init("restarts", .int(Int64(restarts))),
      .init("first", first?.json ?? .null),
      .init("last", last?.json ?? .null),
    ]
    if set.count > 1 { members.append(.init("set", .array(set.map { .string($0) }))) }
    if let window { members.append(windowMember(window)) }
    if hasCutRecords { members.append(.init("longestRecordBytes", .int(Int64(longestRecord)))) }
    if account.nulBytes > 0 { members.append(.init("nulBytes", .int(Int64(account.nulBytes)))) }
    return .object(members)
  }

  /// The version that the log names; else that it is said to be of; else those that its records fit.
  package func versionText(told: CoturnVersion?) -> String? {
    if let version { return version.description }
    if let told { return told.description }
    guard isCoturn else { return nil }
    guard versions.lowerBound != versions.upperBound else { return versions.lowerBound.description }
    return "\(versions.lowerBound) to \(versions.upperBound)"
  }

  private var errorsByKind: JSON {
    .object(
      CoturnLogKind.allCases.filter { count($0) > 0 }.map { .init($0.rawValue, .int(Int64(count($0)))) }
        .sorted { $0.name < $1.name })
  }

  private var authentication: JSON {
    let failing = users.counts.filter { $0.value.failures > 0 }
      .map { (name: $0.key, count: $0.value.failures) }.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    let areTexts = failing.allSatisfy { $0.name.isPlainText }
    var reasons: [JSON.Member] = []
    for (name, kind) in [("unknown-or-expired", CoturnLogKind.unknownOrExpired), ("wrong-password", .wrongPassword)]
    where count(kind) > 0 {
      reasons.append(.init(name, .int(Int64(count(kind)))))
    }
    var members: [JSON.Member] = [
      .init("challenges", .int(Int64(challenges))),
      .init("failures", .int(Int64(failures))),
      .init(
        "failuresByUser",
        areTexts
          ? .object(failing.map { .init(String(decoding: $0.name, as: UTF8.self), .int(Int64($0.count))) }) : .null),
      .init("failuresByReason", .object(reasons)),
    ]
    if !areTexts {
      members.append(
        .init("failuresByUserHex", .object(failing.map { .init($0.name.hexadecimal, .int(Int64($0.count))) })))
    }
    return .object(members)
  }

  private var sessionCounts: JSON {
    let reasons = closeReasons.counts.map {
      JSON.Member(String(decoding: $0.key, as: UTF8.self), .int(Int64($0.value)))
    }
    return [
      "opened": .int(Int64(opened)), "closed": .int(Int64(closed)),
      "closedWithoutAllocation": .int(Int64(closedWithoutAllocation)),
      "leftOpen": .array(leftOpen.map { .string($0.name) }),
      "closeReasons": .object(reasons.sorted { $0.name < $1.name }),
    ]
  }

  private var bytesBySession: JSON {
    .object(
      sessions.map { session in
        .init(
          session.name,
          [
            "user": .string(String(decoding: session.user, as: UTF8.self)),
            "client": session.client?.json ?? .null, "peer": session.peer?.json ?? .null,
            "relayed": session.relayed.map { .int(Int64(clamping: $0)) } ?? .null,
          ])
      })
  }

  /// A peer that was refused, and the range that refused it.
  package struct Peer: Hashable, Sendable {
    package var peer: String
    package var range: String
    package var count: Int

    fileprivate var json: JSON { ["peer": .string(peer), "range": .string(range), "count": .int(Int64(count))] }
  }

  package var peers: [Peer] {
    deniedPeers.counts.map { name, count in
      let parts = name.split(separator: 0, maxSplits: 1).map { String(decoding: $0, as: UTF8.self) }
      return Peer(peer: parts.first ?? "", range: parts.last ?? "", count: count)
    }.sorted { ($0.peer, $0.range) < ($1.peer, $1.range) }
  }

  private func windowMember(_ window: CoturnLogReview.Window) -> JSON.Member {
    let isDay =
      window.from.flatMap { from in window.until.map { $0.duration(since: from) == .seconds(86_400) } } ?? false
    let bound = { (moment: Timestamp?) -> JSON in moment.map { CoturnLogMoment.wall($0, offset: 0).json } ?? .null }
    return .init(
      isDay ? "windowLast24h" : "window",
      [
        "since": bound(window.from), "until": bound(window.until),
        "errorLevelRecords": .int(Int64(errorLevelRecords)),
        "deniedPeers": .int(Int64(count(.peerDenied))), "authFailures": .int(Int64(failures)),
      ])
  }
}

extension CoturnTraffic {
  fileprivate var json: JSON {
    func figure(_ number: UInt64) -> JSON { .int(Int64(clamping: number)) }
    return [
      "rp": figure(receivedPackets), "rb": figure(receivedBytes), "sp": figure(sentPackets), "sb": figure(sentBytes),
    ]
  }
}

extension CoturnLogMoment {
  /// `2025-10-09T08:00:00+08:00` in the log's own zone, or start and seconds.
  package var json: JSON {
    switch self {
    case .sinceStart(let start, let seconds): ["epoch": .int(Int64(start)), "seconds": .int(seconds)]
    case .wall(let moment, let offset): .string(Self.text(moment, offset))
    }
  }

  private static func text(_ moment: Timestamp, _ offset: Int) -> String {
    guard let local = Timestamp(seconds: moment.seconds + Int64(offset), nanoseconds: moment.nanoseconds) else {
      return moment.description
    }
    let zone = abs(offset) / 60
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return String(local.description.dropLast()) + (offset < 0 ? "-" : "+") + two(zone / 60) + ":" + two(zone % 60)
  }
}

extension [UInt8] {
  /// Whether it can be shown, and is what it seems: UTF-8 without control characters.
  package var isPlainText: Bool {
    guard let text = String(validating: self, as: UTF8.self) else { return false }
    return text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
  }

  package var hexadecimal: String {
    map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
