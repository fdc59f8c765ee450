extension ProbeFailure.Code {
  private init(_ name: String) { self.init(rawValue: name) }

  // Names and addresses.
  package static let nameNotFound = Self("dns.nameNotFound")
  package static let noUsableAddress = Self("dns.noUsableAddress")

  // Transports.
  package static let portUnreachable = Self("icmp.portUnreachable")
  package static let hostUnreachable = Self("icmp.hostUnreachable")
  package static let networkUnreachable = Self("icmp.networkUnreachable")
  package static let connectionRefused = Self("tcp.connectionRefused")
  package static let connectionReset = Self("tcp.connectionReset")
  package static let connectionClosed = Self("tcp.closedByServer")
  package static let connectTimedOut = Self("tcp.connectTimedOut")
  package static let messageTooLong = Self("udp.messageTooLong")
  package static let transportBroken = Self("transport.broken")
  package static let transportStalled = Self("transport.stalled")

  // TLS and DTLS.
  package static let certificateUntrusted = Self("tls.untrusted")
  package static let certificateNameMismatch = Self("tls.nameMismatch")
  package static let certificateExpired = Self("tls.expired")
  package static let certificateNotYetValid = Self("tls.notYetValid")
  package static let certificateInvalid = Self("tls.certificateInvalid")
  package static let tlsVersion = Self("tls.noCommonVersion")
  package static let tlsRefused = Self("tls.refused")
  package static let clientCertificateMissing = Self("tls.clientCertificateMissing")
  package static let clientCertificateRefused = Self("tls.clientCertificateRefused")
  package static let notTLS = Self("tls.notTLS")
  package static let tlsTimedOut = Self("tls.timeout")
  package static let tlsConfiguration = Self("tls.configuration")
  package static let tlsFailed = Self("tls.failed")

  // STUN.
  package static let stunTimeout = Self("stun.timeout")
  package static let garbage = Self("stun.garbage")
  package static let wrongTransaction = Self("stun.wrongTransaction")
  package static let wrongSource = Self("stun.wrongSource")
  package static let badIntegrity = Self("stun.badIntegrity")
  package static let badFingerprint = Self("stun.badFingerprint")
  package static let malformedResponse = Self("stun.malformedResponse")
  package static let unknownAttribute = Self("stun.unknownAttribute")
  package static let stunRejected = Self("stun.rejected")
  package static let reflexiveAddressUnusable = Self("stun.reflexiveAddressUnusable")
  package static let otherAddressUnusable = Self("stun.otherAddressUnusable")
  package static let changeRequestIgnored = Self("stun.changeRequestIgnored")

  // TURN.
  package static let turnTimeout = Self("turn.timeout")
  package static let tryAlternate = Self("turn.tryAlternate")
  package static let badRequest = Self("turn.badRequest")
  package static let unauthorized = Self("turn.unauthorized")
  package static let credentialsMissing = Self("turn.credentialsMissing")
  package static let forbidden = Self("turn.forbidden")
  package static let notUnderstood = Self("turn.attributeNotUnderstood")
  package static let allocationMismatch = Self("turn.allocationMismatch")
  package static let staleNonceLoop = Self("turn.staleNonceLoop")
  package static let familyNotSupported = Self("turn.familyNotSupported")
  package static let wrongCredentials = Self("turn.wrongCredentials")
  package static let transportNotSupported = Self("turn.transportNotSupported")
  package static let peerFamilyMismatch = Self("turn.peerFamilyMismatch")
  package static let quotaReached = Self("turn.quotaReached")
  package static let serverError = Self("turn.serverError")
  package static let insufficientCapacity = Self("turn.insufficientCapacity")
  package static let rejected = Self("turn.rejected")
  package static let bidDown = Self("turn.bidDown")
  package static let noKnownPasswordAlgorithm = Self("turn.noKnownPasswordAlgorithm")
  package static let relayedAddressUnusable = Self("turn.relayedAddressUnusable")
  package static let relayedAddressUnasked = Self("turn.relayedAddressUnasked")
  package static let lifetimeZero = Self("turn.lifetimeZero")
  package static let refusalUnproven = Self("turn.refusalUnproven")
  package static let nothingRelayed = Self("turn.nothingRelayed")

  // The probe itself.
  package static let deadlineTooShort = Self("probe.deadlineTooShort")
  package static let invalidInput = Self("probe.invalidInput")
  package static let cancelled = Self("probe.cancelled")
}
