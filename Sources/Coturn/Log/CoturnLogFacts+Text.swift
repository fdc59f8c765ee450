import Schema

extension CoturnLogFacts {
  /// What a reader has to know about the figures, in sentences.
  ///
  /// - Parameter told: the version that the log is said to be of.
  package func notes(told: CoturnVersion? = nil) -> [String] {
    var notes: [String] = []
    let newest = CoturnVersion.newestKnown
    if let version = version ?? told, version > newest {
      notes.append(
        "coturn \(version) is newer than \(newest), the newest that is known here: the log is read as that one's")
    }
    if let told, !isVersionPossible(told) {
      notes.append("the log is said to be of \(told), and its text says \(versionText(told: nil) ?? "no version")")
    }
    if forgedLines > 0 {
      notes.append(
        "\(forgedLines) lines were written by a client, through a newline in its name, realm or origin: they are not counted"
      )
    }
    if timeReversals > 0 {
      notes.append(
        "time goes backwards \(timeReversals) times without a start: a clock was set, or a client wrote the line")
    }
    if undated > 0 {
      notes.append("\(undated) records have only seconds since the start: they count, whatever the time asked for")
    }
    if suppressed > 0 { notes.append("the logger left \(suppressed) messages out: counts are lower bounds") }
    if unreadableRecords > 0 {
      notes.append("\(unreadableRecords) records of the journal hold no message that can be read")
    }
    if account.cutLines > 0 {
      notes.append("\(account.cutLines) lines are longer than 1 MiB, and were read up to there")
    }
    if probeFailures > 0 {
      notes.append(
        "\(probeFailures) failures of the user runbook-probe are left out; other probes cannot be told from clients")
    }
    if !isVerbose {
      notes.append(
        "the server does not log sessions: without `verbose` in turnserver.conf successes are unknown, not 0")
    }
    if sessionsLeftOut > 0 { notes.append("\(sessionsLeftOut) sessions are not listed one by one") }
    let names = users.droppedNames + clients.droppedNames + deniedPeers.droppedNames
    if names > 0 { notes.append("\(names) names with the fewest entries are not listed") }
    return notes
  }

  private func isVersionPossible(_ told: CoturnVersion) -> Bool {
    version.map { $0 == told }
      ?? (versions.contains(told) || told > versions.upperBound && versions.upperBound == .newestKnown)
  }

  /// The facts for people, a line each.
  package func summary(told: CoturnVersion? = nil) -> [String] {
    var lines = ["version     \(versionText(told: told) ?? "not known")"]
    lines.append("records     \(records), \(errorLevelRecords) marked ERROR")
    if let first, let last { lines.append("time        \(Self.text(first)) to \(Self.text(last))") }
    lines.append("starts      \(starts)")
    lines.append(
      "sessions    \(opened) opened, \(closed) closed, \(leftOpen.count) left open, "
        + "\(closedWithoutAllocation) closed without an allocation")
    lines.append("relayed     \(relayedBytes.map { "\($0) bytes" } ?? "not known")")
    lines.append("log-ins     \(failures) refused, \(challenges) challenges (which are no failures)")
    for (name, count) in users.ordered.filter({ $0.count.failures > 0 }).prefix(10) {
      lines.append("  user      \(String(decoding: name, as: UTF8.self))  \(count.failures)")
    }
    let suspects = clients.ordered.filter { $0.count.failures > 0 || $0.count.rateLimits > 0 }
    for (name, count) in suspects.prefix(10) {
      lines.append(
        "  from      \(String(decoding: name, as: UTF8.self))  \(count.failures) refused, \(count.rateLimits) rate limits"
      )
    }
    for peer in peers.sorted(by: { $0.count > $1.count }).prefix(10) {
      lines.append("  peer      \(peer.peer) denied by \(peer.range)  \(peer.count)")
    }
    for kind in CoturnLogKind.allCases where count(kind) > 0 {
      lines.append("  found     \(kind.rawValue)  \(count(kind))")
    }
    if isTLSLost == true { lines.append("TLS         the listeners are off since the last start") }
    if isReloadFailed == true {
      lines.append("TLS         the last reload failed: the certificate from before is served")
    }
    return lines
  }

  private static func text(_ moment: CoturnLogMoment) -> String {
    switch moment {
    case .sinceStart(let start, let seconds): "\(seconds) s after start \(start)"
    case .wall: moment.json.string ?? ""
    }
  }
}
