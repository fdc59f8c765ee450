package import Schema

/// How bad it is.
package enum AuditSeverity: String, Hashable, Sendable, Comparable, CaseIterable {
  case info, low, medium, high, critical

  package static func < (one: AuditSeverity, other: AuditSeverity) -> Bool {
    (allCases.firstIndex(of: one) ?? 0) < (allCases.firstIndex(of: other) ?? 0)
  }
}

/// What a finding is about: a number of the list in `docs/coturn-audit.md`, or a word beside that list.
package enum AuditItem: Hashable, Sendable, CustomStringConvertible {
  case number(Int)
  case word(String)

  package var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .word(let word): word
    }
  }

  package var json: JSON {
    switch self {
    case .number(let number): .int(Int64(number))
    case .word(let word): .string(word)
    }
  }
}

/// One mistake or risk of a configuration.
package struct AuditFinding: Hashable, Sendable {
  package let code: AuditCode
  package let item: AuditItem
  package let severity: AuditSeverity
  /// The line of the file; nil for what is missing, and for what the version alone says.
  package let line: Int?
  /// What is the matter, and why it matters, in sentences. It never holds a secret of the file.
  package let message: String
  /// What to write in place of the line, or to add if there is no line: one or more whole lines, right as they stand.
  /// Empty: take the line away. Nil: only the operator can know.
  package let instead: String?
  /// Whether the version alone says so, so that a distribution may have mended it without changing the version.
  package let ifNotBackported: Bool
  /// Whether the server does not start because of it. It stands in no report of its own.
  package let endsServer: Bool

  package init(
    _ code: AuditCode, _ item: AuditItem, _ severity: AuditSeverity, line: Int? = nil, _ message: String,
    instead: String? = nil, ifNotBackported: Bool = false, endsServer: Bool = false
  ) {
    self.code = code
    self.item = item
    self.severity = severity
    self.line = line
    self.message = message
    self.instead = instead
    self.ifNotBackported = ifNotBackported
    self.endsServer = endsServer
  }

  package var json: JSON {
    [
      "item": item.json, "code": .string(code.name), "severity": .string(severity.rawValue),
      "line": line.map { .int(Int64($0)) } ?? .null, "message": .string(message),
      "instead": instead.map { .string($0) } ?? .null, "ifNotBackported": .bool(ifNotBackported),
    ]
  }
}

/// What a finding says, for machines.
package enum AuditCode: String, Hashable, Sendable, CaseIterable {
  case anonymousRelay, authenticationOff, usersIgnored, weakSecret, plainPassword, realmMissing, loopbackPeers
  case privatePeers, peerRangeDropped, peerRangeUnclear, peerRangeUnderblocks, peerRangeDeniesAll
  case peersAllowed, linkLocalPeers, loopbackUnlisted, multicastPeers, tcpRelay
  case cliOpen, cliPublic, webAdministrationPublic, mobilityOn, oldTLS, dtlsCapped
  case weakDiffieHellman, cipherListBroken, cipherListWeak, quotaMissing, capacityWithoutLimit
  case amplification, nonceNeverExpires, lifetimeUnusual, serverRelay, metricsPublic, userLabels
  case optionUnknown, optionRemoved, optionEndsServer, valueHasComment, lineCut
  case privilegedPort, keyUnreadable, sampleKey, runsAsRoot, configurationReadable, keyReadable
  case configurationUnreadable, advisory
  case portsConfusing, databaseDriver, databasePassword, relativePath, mechanismImplied, addressInvalid, userInvalid
  case certificateWithoutKey, limitInBits, notAConfiguration, versionNotKnown

  /// As it stands in findings: `coturn.anonymousRelay`.
  package var name: String { "coturn.\(rawValue)" }
}
