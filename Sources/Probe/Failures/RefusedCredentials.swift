import Glibc
import STUN
import Schema

/// Why a server does not accept credentials, as far as they themselves and the announced realm tell.
extension ProbeFailure {
  /// The user name begins or ends with a time: has it passed?
  func explainedByExpiry(_ server: ProbedServer) -> ProbeFailure? {
    guard let expiry = server.currentCredentials()?.expiry else { return nil }
    let passed = Int64(time(nil)) - expiry
    guard passed >= 0 else { return nil }
    let ago = Duration.seconds(passed).inWords
    return ProbeFailure(
      .credentialsExpired, "The user name expired \(ago) ago by this host's clock, and the server refuses it.",
      advice: "Get new credentials from whoever makes them; if they are new, compare the clocks.",
      evidence: evidence + [Evidence("expiredFor", ago)])
  }

  /// The user is known in one realm: is it the one that the server announces?
  func explainedByRealm(_ server: ProbedServer) -> ProbeFailure? {
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

  /// The same failure, its words fitting the credentials that were given and what the announced realm tells.
  func fitted(to server: ProbedServer) -> ProbeFailure {
    guard evidence("method") == "\(Method.allocate)", let credentials = server.credentials else { return self }
    var message = sentence
    let advice: Sentence
    switch credentials {
    case .sharedSecret:
      message.replaceEnd(Self.refusesUser, with: "it does not accept the credentials made from the secret.")
      advice =
        "Compare the secret with the server's (coturn: static-auth-secret), and both clocks. If the server has long-term "
        + "users instead (coturn: lt-cred-mech), give the target a username and credential in place of the secret (in "
        + "the environment or .env: TURN_USERNAME and TURN_CREDENTIAL)."
    case .longTerm(let credentials):
      let look: Sentence =
        credentials.expiry == nil
        ? "Look at user name and password."
        : "The user name holds a time, as those do whose password is made from a secret: look whether that is the "
          + "server's (coturn: static-auth-secret), and at both clocks."
      advice =
        "\(look) A server with a shared secret (coturn: use-auth-secret) knows no users: give the target the secret in "
        + "place of them (in the environment or .env: TURN_SECRET)."
    }
    return ProbeFailure(
      code, message, advice: [advice, realmRemark(server)].compactMap(\.self).joined,
      evidence: evidence)
  }

  /// What the announced realm tells; nil if none was announced.
  private func realmRemark(_ server: ProbedServer) -> Sentence? {
    guard let announced = evidence("realm") else { return nil }
    if server.expectedRealm != nil { return "The realm \"\(announced)\" is the expected one." }
    // A secret is seldom one realm's alone.
    guard case .longTerm(let credentials)? = server.credentials else { return nil }
    if let domain = credentials.username.split(separator: "@", maxSplits: 1).dropFirst().first, domain != announced {
      return "The user name is one of \"\(domain)\", the server's realm is \"\(announced)\": look there first."
    }
    return "The server's realm is \"\(announced)\": a user of another realm is refused with the right password. "
      + "Declare the target's realm to have the two compared."
  }
}

extension LongTermCredentials {
  /// Ten digits: 2001 to 2286.
  private static let centuries: Range<Int64> = 1_000_000_000..<10_000_000_000

  /// The time that the user name begins or ends with, in seconds since 1970, as names made for a shared secret do; nil
  /// if there is none.
  fileprivate var expiry: Int64? {
    let parts = username.split(separator: ":")
    return [parts.first, parts.last].lazy.compactMap { $0.flatMap { Int64($0) } }.first(where: Self.centuries.contains)
  }
}
