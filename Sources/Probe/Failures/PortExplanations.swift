import Addresses
import STUN
import Schema

extension ProbeFailure {
  /// A client and a port that speak different protocols, or a handshake that fails for one reason: seen by speaking
  /// otherwise to the same port.
  func explainedByPort(_ server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    guard server.tls.startTLS == nil else { return nil }
    switch server.transport {
    case .tls:
      if let plain = await explainedByPlainPort(server, over: .tcp, by: end) { return plain }
      return await explainedByRefusal(server, by: end)
    case .dtls:
      if let plain = await explainedByPlainPort(server, over: .udp, by: end) { return plain }
      return await explainedByRefusal(server, by: end)
    case .tcp: return await explainedByEncryptedPort(server, by: end)
    case .udp: return nil
    }
  }

  /// No handshake: does the port answer STUN without one?
  private func explainedByPlainPort(
    _ server: ProbedServer, over transport: ServerURI.URITransport, by end: Instant
  ) async -> ProbeFailure? {
    let codes: [Code] = [.notTLS, .tlsTimedOut, .tlsFailed, .connectionClosed, .connectionReset]
    guard codes.contains(code), let plain = server.onSamePort(.turn, transport) else { return nil }
    let failure: ProbeFailure
    do throws(ProbeFailure) {
      let report = try await BindingProbe(server: plain, requests: 1).run(deadline: end.share(2))
      let name = transport == .tcp ? "TLS" : "DTLS"
      if let passing = await explainedBySecondHandshake(server, name, by: end) { return passing }
      return ProbeFailure(
        .plainPort, "\(report.server) speaks plain STUN, not \(name).",
        advice: "Write the server's \(name) port, or \(plain.uri) for this one; look whether the server has a readable "
          + "certificate and key (coturn: cert, pkey, no-tls, no-dtls): without them coturn switches TLS off silently.",
        evidence: evidence + [Evidence("answersPlain", "\(report.server)")])
    } catch { failure = error }
    if failure.code == .otherProtocol { return failure }
    return transport == .tcp ? await PortService.stranger(on: plain, by: end) : nil
  }

  /// No handshake, but plain STUN on its port, which coturn answers on its TLS ports as well: does another try make one?
  private func explainedBySecondHandshake(
    _ server: ProbedServer, _ name: String, by end: Instant
  ) async -> ProbeFailure? {
    var again = server
    again.tls.verifiesCertificate = false
    let limit = Instant.now + min(.seconds(1), end.share(2))
    guard code != .notTLS, let agreement = try? await TLSAgreement(again, by: limit) else { return nil }
    return ProbeFailure(
      code, "\(message) The next handshake, from another port, took \(agreement.elapsed.inSeconds).",
      advice:
        "The server speaks \(name). Look how busy its processors are, and for lost packets. If only some ports of the "
        + "client fail, one of its threads may hang: ask again, and restart the server if it goes on.",
      evidence: evidence + [Evidence("nextHandshake", agreement.elapsed.inSeconds)])
  }

  /// No STUN over TCP: does the port make a TLS handshake?
  private func explainedByEncryptedPort(_ server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    let codes: [Code] = [.garbage, .connectionClosed, .connectionReset, .stunTimeout, .turnTimeout]
    guard codes.contains(code), evidence("answeredBefore") == nil, let encrypted = server.onSamePort(.turns, .tcp)
    else {
      return nil
    }
    guard let agreement = try? await TLSAgreement(encrypted, by: .now + end.share(2)) else {
      return await PortService.stranger(on: server, by: end)
    }
    if let stranger = await PortService.stranger(on: agreement.client, by: end) { return stranger }
    return ProbeFailure(
      .encryptedPort, "The port of \(server.uri) speaks TLS (\(agreement.handshake.version)), not plain STUN.",
      advice: "Write \(encrypted.uri) for this port, or the port of the server's TCP listener.",
      evidence: evidence + [Evidence("answersTLS", agreement.handshake.version)])
  }

  /// TLS is spoken: is a browser's offer refused, or does another service answer inside?
  ///
  /// Another service's port is the cause before its certificate is.
  private func explainedByRefusal(_ server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    let codes: [Code] = [
      .garbage, .connectionClosed, .connectionReset, .stunTimeout, .turnTimeout, .certificateUntrusted,
      .certificateNameMismatch, .certificateExpired, .certificateNotYetValid, .certificateInvalid,
    ]
    if codes.contains(code), evidence("answeredBefore") == nil,
      let stranger = await PortService.stranger(on: server, by: .now + end.share(2))
    {
      return stranger
    }
    guard isTLSRefusal, (try? await TLSAgreement(server, by: .now + end.share(3))) == nil else { return nil }
    if let objection = await TLSConcession.objection(to: self, server, by: end) { return objection }
    guard code == .tlsRefused, end > .now,
      (try? await TLSAgreement(TLSConcession.everything.client(of: server), by: end)) == nil, end > .now
    else { return nil }
    return ProbeFailure(
      code, "\(message) It refuses every version and cipher that it is offered.",
      advice:
        "Look at the server's certificate and key first: whether its user can read both, whether they belong together, "
        + "and whether the server's own certificate comes first in the file. Then look at its ciphers.",
      evidence: evidence)
  }
}

extension ProbedServer {
  /// The same host and port spoken to otherwise.
  fileprivate func onSamePort(_ scheme: ServerURI.Scheme, _ transport: ServerURI.URITransport) -> ProbedServer? {
    var other = self
    (other.uri.scheme, other.uri.transport) = (scheme, transport)
    other.uri.port = uri.port ?? uri.scheme.defaultPort
    return other
  }
}

extension Instant {
  /// An equal part of the time that is left until this instant.
  fileprivate func share(_ parts: Int) -> Duration { max(.zero, self - .now) / parts }
}

/// What speaks on a port over TCP or TLS.
enum PortService {
  /// What a port is asked, one after the other. Servers may be silent to Binding (coturn: `no-stun`) or to Allocate; coturn
  /// answers web clients as well, so that they come last.
  private enum Question: CaseIterable {
    case binding
    case allocate
    case webPage
  }

  /// The failure that names another protocol than STUN, such as HTTP; nil if STUN is answered, or nothing that is known.
  static func stranger(on server: ProbedServer, by end: Instant) async -> ProbeFailure? {
    guard server.transport.isReliable, let address = try? await server.candidates(by: end).current else { return nil }
    var options = server.connectionOptions()
    // Whoever answers here gets no credentials: the certificate is not checked.
    options.credentials = nil
    options.tls.verifiesCertificate = false
    for (index, question) in Question.allCases.enumerated() {
      let left = end - .now
      guard left > .zero else { return nil }
      let limit = Instant.now + min(.seconds(1), left / (Question.allCases.count - index))
      let answer: Result<Response, RequestFailure>
      do {
        let connection = try await ServerConnection.open(
          to: address, over: server.transport, options: options, by: limit)
        answer = await ask(question, over: connection, by: limit)
        await connection.close()
      } catch {
        return nil
      }
      switch answer {
      case .success, .failure(.rejected): return nil
      case .failure(.transport(let failure)):
        if case .otherProtocol = failure { return ProbeFailure(failure, server: address, transport: server.transport) }
      case .failure: break
      }
    }
    return nil
  }

  private static func ask(
    _ question: Question, over connection: ServerConnection, by limit: Instant
  ) async -> Result<Response, RequestFailure> {
    if question == .webPage { try? await connection.say("GET / HTTP/1.0\r\n\r\n") }
    do throws(RequestFailure) {
      let response = try await connection.perform(
        question == .allocate ? .allocate(AllocateOptions()) : .binding(), by: limit)
      // From a server that asks for no credentials.
      if question == .allocate { connection.sendOnce(.refresh(lifetimeSeconds: 0)) }
      return .success(response)
    } catch {
      return .failure(error)
    }
  }
}
