import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("CredentialsProbe")
  struct CredentialsProbeTests {
    @Test("coturn with users accepts good credentials and refuses an unknown user and foreign nonces")
    func longTerm() async throws {
      try await Coturn.with { coturn in
        let report = try await CredentialsProbe(server: coturn.server()).run(deadline: .seconds(10))
        #expect(report.outcomes.map(\.trial) == [.good, .unknownUser, .inventedNonce, .reusedNonce])
        #expect(report.violations == [])
        #expect(report.outcomes.map(\.errorCode) == [nil, 401, 438, 438])
        #expect(coturn.log.contains("Cannot find credentials of user <runbook-probe>"))
      }
    }

    @Test("coturn with a shared secret refuses an expired user and another secret")
    func sharedSecret() async throws {
      try await Coturn.with(authentication: .sharedSecret) { coturn in
        let server = ProbedServer(
          uri: coturn.uri(),
          credentials: .sharedSecret(Coturn.secret, user: "probe", lifetime: .seconds(600), order: .expiryFirst))
        let report = try await CredentialsProbe(server: server).run(deadline: .seconds(10))
        #expect(report.outcomes.map(\.trial) == [.good, .expired, .wrongSecret, .inventedNonce, .reusedNonce])
        #expect(report.violations == [])
      }
    }

    @Test("An answer that is no refusal of credentials says nothing of them")
    func otherError() async throws {
      try await ScriptedTURN.with { request, _, _ in
        (try? request.attribute(Username.self)?.text) == "u" ? nil : [ScriptedReply.error(500, to: request)]
      } _: { server, _ in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await CredentialsProbe(server: server).run(deadline: .seconds(15))
        }
        #expect(failure?.code == .serverError)
      }
    }

    @Test("A server that answers bad credentials with the integrity of good ones fails, and the trial is named")
    func answersEverybody() async throws {
      try await ScriptedTURN.with { _, _, _ in
        nil
      } _: { server, _ in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await CredentialsProbe(server: server).run(deadline: .milliseconds(1500))
        }
        #expect(failure?.code == .badIntegrity)
        #expect(failure?.message.contains("(unknownUser)") == true)
        #expect(failure?.evidence("trial") == "unknownUser")
      }
    }

    @Test("A nonce that a server takes although it never gave it is a violation")
    func anyNonce() async throws {
      try await ScriptedTURN.with { request, _, _ in
        (try? request.attribute(Username.self)?.text) == "u" ? nil : [ScriptedReply.challenge(to: request)]
      } _: { server, _ in
        let report = try await CredentialsProbe(server: server).run(deadline: .seconds(15))
        #expect(report.violations == [.inventedNonce, .reusedNonce])
      }
    }
  }
}
