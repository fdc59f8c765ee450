import Addresses
import Glibc
import STUN

extension ProbeFailure.Code {
  package static let udpBlocked = Self(rawValue: "path.udpBlocked")
  package static let credentialsExpired = Self(rawValue: "turn.credentialsExpired")
  package static let realmMismatch = Self(rawValue: "turn.realmMismatch")
  package static let draining = Self(rawValue: "turn.draining")
  package static let externalAddressWrong = Self(rawValue: "turn.externalAddressWrong")
}

extension ProbeFailure {
  /// The same failure, or a more telling one where a second look at the server finds the cause.
  ///
  /// The second look is a probe of its own: what it explains it has seen. Where it finds nothing, the failure stays.
  package func explained(on server: Server, deadline: Duration) async -> ProbeFailure {
    let end = Instant.now + deadline
    switch code {
    case .stunTimeout where server.transport == .udp, .turnTimeout where server.transport == .udp:
      return await explainedByTCP(server, by: end) ?? self
    case .unauthorized:
      return explainedByExpiry(server) ?? explainedByRealm(server) ?? withRealmToLookAt(server)
    case .forbidden where evidence("method") == "\(Method.allocate)":
      return await explainedByDraining(server, by: end) ?? self
    case .nothingRelayed:
      return await explainedByExternalAddress(server, by: end) ?? self
    default:
      return self
    }
  }

  /// UDP is silent: does the same port answer over TCP?
  private func explainedByTCP(_ server: Server, by end: Instant) async -> ProbeFailure? {
    var overTCP = server
    overTCP.uri.transport = .tcp
    overTCP.uri.scheme = .turn
    overTCP.uri.port = server.uri.port ?? server.uri.scheme.defaultPort
    guard end > .now, let report = try? await BindingProbe(server: overTCP, requests: 1).run(deadline: end - .now)
    else {
      return nil
    }
    return ProbeFailure(
      .udpBlocked, "\(report.server) answers over TCP, and not over UDP.",
      advice: "Look at firewalls on the path that drop UDP, and at the server's UDP listener. Until then clients get "
        + "through with ?transport=tcp.",
      evidence: evidence + [Evidence("answersOverTCP", "\(report.server)")])
  }

  /// The user name begins or ends with a time: has it passed?
  private func explainedByExpiry(_ server: Server) -> ProbeFailure? {
    guard let username = server.currentCredentials()?.username else { return nil }
    let parts = username.split(separator: ":")
    guard let expiry = [parts.first, parts.last].compactMap({ $0.flatMap { Int64($0) } }).first,
      expiry > 1_000_000_000
    else { return nil }
    let passed = Int64(time(nil)) - expiry
    guard passed >= 0 else { return nil }
    return ProbeFailure(
      .credentialsExpired, "The user name expired \(passed) s ago by this host's clock, and the server refuses it.",
      advice: "Get new credentials from whoever makes them; if they are new, compare the clocks.",
      evidence: evidence + [Evidence("expiredFor", "\(passed) s")])
  }

  /// The user is known in one realm: is it the one that the server announces?
  private func explainedByRealm(_ server: Server) -> ProbeFailure? {
    guard let expected = server.expectedRealm, let announced = evidence("realm"), announced != expected else {
      return nil
    }
    return ProbeFailure(
      .realmMismatch,
      "The server announces the realm \"\(announced)\", not \"\(expected)\", and refuses the credentials.",
      advice: "Look at the server's realm (coturn: realm= in turnserver.conf): a user's key is made with the realm, so "
        + "the same password in another realm is refused. If the realm was changed on purpose, make the user's key anew "
        + "and change the realm that the target declares.",
      evidence: evidence + [Evidence("expectedRealm", expected)])
  }

  /// The same failure, its advice saying what the announced realm tells.
  private func withRealmToLookAt(_ server: Server) -> ProbeFailure {
    guard let announced = evidence("realm") else { return self }
    let remark: String
    if server.expectedRealm != nil {
      remark = "The realm \"\(announced)\" is the expected one."
    } else if case .longTerm(let credentials)? = server.credentials,
      let domain = credentials.username.split(separator: "@", maxSplits: 1).dropFirst().first, domain != announced
    {
      remark = "The user name is one of \"\(domain)\", the server's realm is \"\(announced)\": look there first."
    } else {
      remark =
        "The server's realm is \"\(announced)\": a user of another realm is refused with the right password. "
        + "Declare the target's realm to have the two compared."
    }
    return ProbeFailure(code, message, advice: "\(advice) \(remark)", evidence: evidence)
  }

  /// Allocations are forbidden: is Binding answered?
  private func explainedByDraining(_ server: Server, by end: Instant) async -> ProbeFailure? {
    guard end > .now,
      (try? await BindingProbe(server: server, requests: 1).run(deadline: end - .now)) != nil
    else { return nil }
    return ProbeFailure(
      .draining, "\(server.uri) answers, accepts the credentials, and gives us no allocation, as when it is draining.",
      advice: "Look whether somebody has begun a restart (coturn: SIGUSR1, and `Draining` in its log); if nobody has, "
        + "whether the server denies our address or this user.",
      evidence: evidence + [Evidence("answersBinding", "yes")])
  }

  /// Nothing is relayed: does the server send from the address that it gives out?
  private func explainedByExternalAddress(_ server: Server, by end: Instant) async -> ProbeFailure? {
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
