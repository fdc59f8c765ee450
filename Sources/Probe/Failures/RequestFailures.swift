package import Addresses
package import STUN
package import Schema

extension ProbeFailure {
  /// What a failed request means.
  ///
  /// - Parameter peers: whom it is about; empty if it is about none.
  package init(
    _ failure: RequestFailure, of method: Method, peers: [TransportAddress] = [], server: TransportAddress,
    transport: Transport
  ) {
    let target = "\(server) over \(transport.rawValue.uppercased())"
    let base =
      [Evidence("server", "\(server)"), Evidence("transport", transport.rawValue), Evidence("method", "\(method)")]
      + (peers.isEmpty ? [] : [Evidence("peer", Self.names(of: peers))])
    switch failure {
    case .timedOut(let timeout):
      if let obstacle = timeout.effort.obstacle, timeout.effort.ignored.total == 0 {
        self.init(obstacle, server: server, transport: transport)
        evidence.append(Evidence("method", "\(method)"))
        return
      }
      self.init(timeout, of: method, target: target, transport: transport, evidence: base)
    case .rejected(let rejection):
      self.init(rejection, from: server, target: target, peers: peers, evidence: base)
    case .transport(let failure):
      self.init(failure, server: server, transport: transport)
      evidence.append(Evidence("method", "\(method)"))
    case .unknownAttributes(let types):
      self.init(
        .unknownAttribute, "\(target) answered \(method) with attributes that must be understood and are not known.",
        advice: "Look at the server's version and options: it uses an extension that was not asked for.",
        evidence: base + [Evidence("attributes", list: types)])
    case .malformedResponse(.missingAttribute(.errorCode)):
      self.init(
        .unnumberedError, "\(target) refused \(method) without an error code.",
        advice: method == .createPermission
          ? "Some servers (those built on pion/turn) refuse so a peer that they do not permit: look at the peers that "
            + "the server's configuration or permission handler denies."
          : "Look at the server's log of this second, and which software answers there.",
        evidence: base)
    case .malformedResponse(let problem):
      self.init(
        .malformedResponse, "\(target) answered \(method) with a response that breaks the protocol: \(problem).",
        advice: "Look which software answers there, and for a gateway between that changes packets.", evidence: base)
    case .bidDown:
      self.init(
        .bidDown,
        "A challenge of \(target) does not offer the password algorithms that it announces, or that an earlier one offered.",
        advice: "Somebody between here and the server may remove them to weaken authentication: compare with a probe "
          + "from the server's own network.", evidence: base)
    case .noKnownPasswordAlgorithm(let offered):
      self.init(
        .noKnownPasswordAlgorithm, "\(target) offers no password algorithm that is known here.",
        advice: "Look at the server's configuration: MD5 and SHA-256 are known here.",
        evidence: base + [Evidence("offered", list: offered.map(\.number))])
    case .overlongRequest(.username):
      self.init(
        .invalidInput, "The user name is longer than the \(Username.maximumLength) bytes that STUN has for it.",
        advice: "Look at the target's username: nothing was sent with it.", evidence: base)
    case .overlongRequest(let attribute):
      self.init(
        .malformedResponse, "What \(target) asks to be echoed makes \(method) too long: \(attribute) does not fit.",
        advice: "Look which software answers there.", evidence: base)
    case .cancelled:
      self.init(
        .cancelled, "The probe of \(target) was stopped before it was done.", evidence: base)
    }
  }

  /// What silence means depends on what was heard meanwhile.
  private init(
    _ timeout: RequestFailure.Timeout, of method: Method, target: String, transport: Transport,
    evidence base: [Evidence]
  ) {
    let heard = timeout.effort.ignored
    let waited = "within \(timeout.waited.inSeconds)"
    var evidence =
      base + [
        Evidence("waited", timeout.waited.inSeconds), Evidence("sends", "\(timeout.effort.sends)"),
      ]
    for (name, count) in [
      ("ignoredGarbage", heard.garbage), ("ignoredWrongTransaction", heard.wrongTransaction),
      ("ignoredWrongSource", heard.wrongSource), ("ignoredBadIntegrity", heard.badIntegrity),
      ("ignoredMissingIntegrity", heard.missingIntegrity), ("ignoredBadFingerprint", heard.badFingerprint),
    ] where count > 0 {
      evidence.append(Evidence(name, "\(count)"))
    }
    let (code, message, advice): (Code, Sentence, Sentence)
    if heard.badIntegrity > 0 {
      (code, message, advice) = (
        .badIntegrity, "\(target) answered \(method), but no answer's integrity agrees with our password.",
        "Somebody else may answer in the server's place, or the server knows another password for this user."
      )
    } else if heard.missingIntegrity > 0 {
      (code, message, advice) = (
        .integrityMissing, "\(target) answered \(method), but signed no answer (MESSAGE-INTEGRITY is missing).",
        "Look which software answers there: a server signs its answers to signed requests, and somebody who does not know "
          + "the password cannot."
      )
    } else if heard.badFingerprint > 0 {
      (code, message, advice) = (
        .badFingerprint, "\(target) answered \(method), but with a checksum that does not agree.",
        "Look for a gateway between that rewrites addresses inside of packets (an ALG)."
      )
    } else if heard.wrongTransaction > 0 {
      (code, message, advice) = (
        .wrongTransaction, "\(target) answered \(method) for transactions that are not ours, \(waited).",
        "Look which software answers there: it does not copy the transaction id, or replays old answers."
      )
    } else if heard.garbage > 0 {
      (code, message, advice) = (
        .garbage, "\(target) answered \(method) with bytes that are no STUN, \(waited).",
        "Look which service listens on this port: it is not a STUN or TURN server."
      )
    } else if heard.wrongSource > 0 {
      (code, message, advice) = (
        .wrongSource, "Answers to \(method) came from another address than \(target), \(waited).",
        "Look at the addresses the server listens on: with several it must answer from the one that was asked."
      )
    } else if timeout.allowed < Self.shortestWait {
      (code, message, advice) = (
        .outOfTime, "There was no time left to wait for the answer of \(target) to \(method).",
        Self.adviceToGiveTime
      )
    } else if timeout.hasAnsweredBefore {
      evidence.append(Evidence("answeredBefore", "yes"))
      (code, message, advice) = (
        method == .binding ? .stunTimeout : .turnTimeout,
        timeout.effort.challenges > 0
          ? "\(target) challenged \(method), then fell silent \(waited)."
          : "\(target) has answered before, and fell silent on \(method) \(waited).",
        "Look whether the server is overloaded or was stopped meanwhile, and whether larger packets get lost."
      )
    } else {
      (code, message, advice) = (
        method == .binding ? .stunTimeout : .turnTimeout, "\(target) did not answer \(method) \(waited).",
        Self.adviceOnSilence(over: transport)
      )
    }
    self.init(code, message, advice: advice, evidence: evidence)
  }

  /// Silence for less than one send is waited for says nothing of a server (RFC 8489, section 6.2.1: RTO).
  static let shortestWait: Duration = .milliseconds(500)

  /// Where the time is set that a probe may take.
  package static let settingsOfTime = "a step by timeout, a probe by --timeout"
  package static let adviceToGiveTime: Sentence = "Give it more time: \(settingsOfTime)."

  /// Where somebody has answered already, the path is open.
  private static func adviceOnSilence(over transport: Transport) -> Sentence {
    let begun: Sentence
    switch transport {
    case .udp:
      return "Look whether the server's process is alive and not stopped, and for a firewall that drops packets; "
        + "if TCP works and UDP does not, the path blocks UDP."
    case .tcp: begun = "The connection was accepted"
    case .tls, .dtls: begun = "The handshake came about"
    }
    return "\(begun), and then nothing was answered: the server's process is stopped or overloaded, or something in "
      + "between (a proxy, a load balancer) accepts connections in its place."
  }
}
