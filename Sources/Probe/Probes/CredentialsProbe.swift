import Addresses
import Glibc
import STUN
import Schema

/// Tries good credentials, which must work, and bad ones, which must be refused.
///
/// The bad ones use the user name `runbook-probe`, so that log reviews can subtract them.
package struct CredentialsProbe: Sendable {
  /// The user name of every deliberate failure.
  package static let deliberateUser = "runbook-probe"

  package var server: ProbedServer

  package init(server: ProbedServer) { self.server = server }

  /// One set of credentials that was tried.
  package enum CredentialsKind: String, Sendable, Hashable, CaseIterable {
    /// What the server was given as: must work.
    case good
    /// A user that does not exist, with a password of chance.
    case unknownUser
    /// With a shared secret: a name that expired an hour ago, signed rightly.
    case expired
    /// With a shared secret: a name that is valid, signed with another secret.
    case wrongSecret
    /// Good credentials with a nonce that the server never gave.
    case inventedNonce
    /// Good credentials with a nonce that the server gave to another socket.
    case reusedNonce
  }

  package struct CredentialsOutcome: Sendable, Hashable {
    package let trial: CredentialsKind
    /// Whether the server granted an allocation.
    package let isAccepted: Bool
    /// The number of the first error; nil if it was accepted.
    package let errorCode: Int?
    /// Good ones are accepted, all others refused.
    package var isAsExpected: Bool { isAccepted == (trial == .good) }
  }

  package struct Report: Sendable {
    package let outcomes: [CredentialsOutcome]
    /// What the server calls itself.
    package let software: String?
    /// Trials that did not end as they must.
    package var violations: [CredentialsKind] { outcomes.filter { !$0.isAsExpected }.map(\.trial) }
  }

  /// The credentials to try. Throws `probe.invalidInput` if there are none.
  @discardableResult
  package func checkInput() throws(ProbeFailure) -> ProbedServer.Credentials {
    guard let credentials = server.credentials else {
      throw ProbeFailure(
        .invalidInput, "There are no credentials to try.", advice: ProbeFailure.adviceToGiveCredentials)
    }
    return credentials
  }

  /// Runs every trial that the kind of credentials allows, one after the other.
  ///
  /// - Throws: `ProbeFailure` for what is no answer to a trial: silence, no route, other refusals;
  ///   `turn.anonymousAccess` where the server asks for no credentials.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    let credentials = try checkInput()
    progress("credentials that must work")
    var outcomes = [try await accepted(.good, with: server, by: end)]
    for (trial, bad) in Self.badServers(server, credentials) {
      progress("credentials that must be refused: \(trial.rawValue)")
      outcomes.append(try await accepted(trial, with: bad, isGoodAccepted: outcomes[0].isAccepted, by: end))
    }
    progress("nonces that must be refused")
    let (given, software) = try await givenChallenge(by: end)
    let invented = Nonce(Array("runbook-\(UInt64.random(in: 0 ... .max))".utf8))
    outcomes.append(
      try await refusal(of: .init(realm: given.realm, nonce: invented), .inventedNonce, by: end))
    outcomes.append(try await refusal(of: given, .reusedNonce, by: end))
    return Report(outcomes: outcomes, software: software)
  }

  private static func badServers(
    _ server: ProbedServer, _ credentials: ProbedServer.Credentials
  ) -> [(CredentialsKind, ProbedServer)] {
    func with(_ credentials: ProbedServer.Credentials) -> ProbedServer {
      var bad = server
      bad.credentials = credentials
      return bad
    }
    let chance = "\(UInt64.random(in: 0 ... .max))"
    switch credentials {
    case .longTerm:
      return [(.unknownUser, with(.longTerm(LongTermCredentials(username: deliberateUser, password: chance))))]
    case .sharedSecret(let secret, _, let lifetime, let order):
      return [
        (.expired, with(.sharedSecret(secret, user: deliberateUser, lifetime: .seconds(-3600), order: order))),
        (.wrongSecret, with(.sharedSecret(chance, user: deliberateUser, lifetime: lifetime, order: order))),
      ]
    }
  }

  private func accepted(
    _ trial: CredentialsKind, with server: ProbedServer, isGoodAccepted: Bool = false, by end: Instant
  ) async throws(ProbeFailure) -> CredentialsOutcome {
    do throws(ProbeFailure) {
      _ = try await AllocateProbe(server: server).run(deadline: max(.milliseconds(1), end - .now))
      return CredentialsOutcome(trial: trial, isAccepted: true, errorCode: nil)
    } catch {
      // Where good ones were accepted, nothing but the credentials is left for a server to object to.
      if trial != .good, [.badIntegrity, .integrityMissing].contains(error.code) {
        throw Self.misplacedIntegrity(trial, error)
      }
      let refusals: [ProbeFailure.Code] = [.unauthorized, .credentialsMissing, .wrongCredentials]
      guard refusals.contains(error.code) || (error.code == .badRequest && trial != .good && isGoodAccepted) else {
        throw error
      }
      return CredentialsOutcome(
        trial: trial, isAccepted: false, errorCode: error.evidence("errorCode").flatMap { Int($0) })
    }
  }

  /// Bad credentials were answered with an integrity that is not theirs, or with a success without any: a success has the
  /// one of good credentials.
  private static func misplacedIntegrity(_ trial: CredentialsKind, _ failure: ProbeFailure) -> ProbeFailure {
    ProbeFailure(
      failure.code,
      "Credentials that must be refused (\(trial.rawValue)) were answered "
        + (failure.code == .integrityMissing ? "with a success that is not signed." : "with another's integrity."),
      advice: "Look whether the server looks at credentials at all: one that does refuses these with 401.",
      evidence: failure.evidence + [.init("trial", trial.rawValue)])
  }

  /// Realm and nonce that the server gives to a socket of its own, and what it calls itself.
  private func givenChallenge(
    by end: Instant
  ) async throws(ProbeFailure) -> (AllocationRequest.PresetChallenge, software: String?) {
    let (challenge, _) = try await Allocation.withAllocation(AllocationRequest(server: server), by: end) {
      allocation throws(ProbeFailure) in
      (
        realm: await allocation.connection.realm(), nonce: await allocation.connection.nonce(),
        software: allocation.software
      )
    }
    guard let realm = challenge.realm, let nonce = challenge.nonce else {
      throw ProbeFailure(
        .anonymousAccess,
        "\(server.uri) gives allocations without asking for credentials: good and bad ones are the same to it.",
        advice: ProbeFailure.adviceToAuthenticate)
    }
    return (AllocationRequest.PresetChallenge(realm: realm, nonce: nonce), challenge.software)
  }

  /// Asks for an allocation with good credentials and a nonce that must be refused.
  private func refusal(
    of challenge: AllocationRequest.PresetChallenge, _ trial: CredentialsKind, by end: Instant
  ) async throws(ProbeFailure) -> CredentialsOutcome {
    let (effort, _) = try await Allocation.withAllocation(
      AllocationRequest(server: server, presetChallenge: challenge), by: end
    ) { allocation throws(ProbeFailure) in allocation.response.effort }
    // It was refused when it took more than the request that carried the old nonce.
    let refusals = effort.staleNonces + effort.challenges
    return CredentialsOutcome(
      trial: trial, isAccepted: refusals == 0, errorCode: refusals == 0 ? nil : effort.staleNonces > 0 ? 438 : 401)
  }
}
