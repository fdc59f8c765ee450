import Addresses
import STUN
import Schema

extension ProbeFailure.Code {
  package static let udpBlocked = Self(rawValue: "path.udpBlocked")
  package static let credentialsExpired = Self(rawValue: "turn.credentialsExpired")
  package static let realmMismatch = Self(rawValue: "turn.realmMismatch")
  package static let draining = Self(rawValue: "turn.draining")
  package static let hairpinMissing = Self(rawValue: "turn.hairpinMissing")
  package static let externalAddressWrong = Self(rawValue: "turn.externalAddressWrong")
}

extension ProbeFailure {
  /// The same failure, or a more telling one where a second look at the server finds the cause.
  ///
  /// The second look is a probe of its own: what it explains it has seen. Where it finds nothing, the failure stays.
  package func explained(on server: ProbedServer, deadline: Duration) async -> ProbeFailure {
    let end = Instant.now + deadline
    if let cause = await explainedByPort(server, by: end) { return cause }
    switch code {
    case .stunTimeout, .turnTimeout:
      // Where something was answered, the path is open.
      guard server.transport == .udp, evidence("answeredBefore") == nil else { return self }
      async let elsewhere = explainedByOtherSource(server, by: end)
      async let overTCP = explainedByTCP(server, by: end)
      if let elsewhere = await elsewhere { return elsewhere }
      return await overTCP ?? self
    case .portUnreachable where server.transport == .udp:
      return await explainedByMissingListener(server, by: end) ?? self
    case .unauthorized:
      return explainedByExpiry(server) ?? explainedByRealm(server) ?? fitted(to: server)
    case .forbidden where evidence("method") == "\(Method.allocate)" && program.mayBeCoturn:
      return await explainedByDraining(server, by: end) ?? self
    // Who has asked an observer has had this look.
    case .nothingRelayed where evidence("observer") == nil:
      async let external = explainedByExternalAddress(server, by: end)
      async let hairpin = explainedByMissingHairpin(server, by: end)
      if let external = await external { return external }
      return await hairpin ?? self
    default:
      return self
    }
  }

  /// UDP is silent: do answers come from another address? A socket that is connected never hears them.
  private func explainedByOtherSource(_ server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    guard let asked = try? await server.candidates(by: end).current,
      let source = try? await BindingProbe.otherSource(
        ofAnswersBy: asked, in: server.network, by: min(end, .now + .milliseconds(700)))
    else { return nil }
    return ProbeFailure(
      .wrongSource, "\(asked) was asked, and \(source) answers: clients drop such answers.",
      advice:
        "Look at the addresses the server listens on (coturn: listening-ip): with several it must answer from the "
        + "one that was asked; and for a NAT between that rewrites them.",
      evidence: evidence + [Evidence("answersFrom", "\(source)")])
  }

  /// UDP is silent: does the same port answer over TCP?
  private func explainedByTCP(_ server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    guard let answering = await Self.answeringOverTCP(server, by: end) else { return nil }
    return ProbeFailure(
      .udpBlocked, "\(answering) answers over TCP, and not over UDP.",
      advice: "Look at firewalls on the path that drop UDP, and at the server's UDP listener. Until then clients get "
        + "through with ?transport=tcp.",
      evidence: evidence + [Evidence("answersOverTCP", "\(answering)")])
  }

  /// Nobody listens on UDP: does the same port answer over TCP?
  private func explainedByMissingListener(_ server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    guard let answering = await Self.answeringOverTCP(server, by: end) else { return nil }
    return ProbeFailure(
      code, "Nothing listens on \(answering) over UDP (ICMP port unreachable), but TCP answers there.",
      advice: "Look whether the server's UDP listener is switched off or has another address (coturn: no-udp, "
        + "listening-ip). Until then clients get through with ?transport=tcp.",
      evidence: evidence + [Evidence("answersOverTCP", "\(answering)")])
  }

  private static func answeringOverTCP(_ server: ProbedServer, by end: Instant) async -> TransportAddress? {
    var overTCP = server
    overTCP.uri.transport = .tcp
    overTCP.uri.scheme = .turn
    overTCP.uri.port = server.uri.port ?? server.uri.scheme.defaultPort
    guard end > .now else { return nil }
    return try? await BindingProbe(server: overTCP, requests: 1).run(deadline: end - .now).server
  }

  /// Allocations are forbidden: is Binding answered?
  private func explainedByDraining(_ server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    guard end > .now,
      (try? await BindingProbe(server: server, requests: 1).run(deadline: end - .now)) != nil
    else { return nil }
    return ProbeFailure(
      .draining, "\(server.uri) answers, accepts the credentials, and gives us no allocation, as when it is draining.",
      advice: "Look whether somebody has begun a restart (coturn: SIGUSR1, and `Draining` in its log); if nobody has, "
        + "whether the server denies our address or this user.",
      evidence: evidence + [Evidence("answersBinding", "yes")])
  }

  /// Nothing is relayed from one relayed address to another: does what this host sends to one arrive?
  private func explainedByMissingHairpin(_ server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    guard evidence("reached") == "0", end > .now,
      let report = try? await PortsProbe(server: server, allocations: 1).run(deadline: end - .now),
      report.unreachable.isEmpty, let reached = report.reachable.first
    else { return nil }
    return ProbeFailure(
      .hairpinMissing,
      "\(server.uri) relays what this host sends to \(reached), and nothing that goes from one of its relayed addresses to "
        + "another.",
      advice:
        "What the server sends to its own relayed addresses must come back to it: have its NAT or firewall lead that "
        + "back (hairpin, NAT loopback), or give the server both addresses (coturn: external-ip=PUBLIC/PRIVATE). Until then "
        + "clients that all need the relay do not reach each other.",
      evidence: evidence + [Evidence("reachedFromHere", "\(reached)")])
  }

  /// Nothing is relayed: does the server send from the address that it gives out?
  private func explainedByExternalAddress(_ server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    var observer = server
    observer.uri.transport = .udp
    guard end > .now,
      let report = try? await ExternalAddressProbe(server: server, observer: observer).run(deadline: end - .now),
      let observed = report.observedAddress, observed != report.relayedAddress
    else { return nil }
    return ProbeFailure(
      .externalAddressWrong,
      "The server gives out \(report.relayedAddress) for its relays, and sends from \(observed).",
      advice:
        "Look at the server's external address (coturn: external-ip): it must be the one that reaches the relays.",
      evidence: evidence + [
        Evidence("givenAddress", "\(report.relayedAddress)"), Evidence("observedAddress", "\(observed)"),
      ])
  }
}
