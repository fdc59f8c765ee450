package import Addresses
package import STUN
import Schema

extension ProbeFailure {
  /// What a broken transport means.
  package init(_ failure: TransportFailure, server: TransportAddress, transport: Transport) {
    if case .icmp(let error) = failure {
      self.init(error, server: server, transport: transport)
      return
    }
    let protocolName = transport.rawValue.uppercased()
    let target = "\(server) over \(protocolName)"
    let (code, message, advice) = Self.meaning(of: failure, target: target, protocolName: protocolName)
    self.init(
      code, message, advice: advice,
      evidence: [Evidence("server", "\(server)"), Evidence("transport", transport.rawValue)])
  }

  private static func meaning(
    of failure: TransportFailure, target: String, protocolName: String
  ) -> (Code, Sentence, Sentence) {
    switch failure {
    case .portUnreachable:
      (
        .portUnreachable, "No process listens on \(target): the host answered with ICMP port unreachable.",
        "Look whether the server runs, and which address and port it listens on."
      )
    case .notPermitted:
      (
        .sendingNotPermitted, "This host does not let us send to \(target).",
        "Look at this host's own firewall: its rules for what goes out (nft list ruleset)."
      )
    case .icmp(let error):
      (.unassignedICMP, "\(target) was not reached: \(error.kind.rawValue).", "")
    case .hostUnreachable:
      (
        .hostUnreachable, "The host of \(target) cannot be reached.",
        "Look at the address, at routes, and at firewalls that reject instead of dropping."
      )
    case .networkUnreachable:
      (
        .networkUnreachable, "There is no route from here to \(target).",
        "Look at this host's addresses and routes; for IPv6, whether this host has any."
      )
    case .connectionRefused:
      (
        .connectionRefused, "The host refused the connection to \(target).",
        "Look whether the server runs with a \(protocolName) listener on this port."
      )
    case .connectionReset:
      (
        .connectionReset, "The connection to \(target) was reset.",
        "Look at the server's log of this second, and for a firewall between that cuts connections."
      )
    case .closedByServer:
      (
        .connectionClosed, "The server closed the connection to \(target).",
        "Look whether this port speaks STUN over \(protocolName), and at the server's log of this second."
      )
    case .connectTimedOut(let limit):
      (
        .connectTimedOut,
        "No connection to \(target) came about \(limit.map { "within \($0.inSeconds)" } ?? "in the system's time").",
        "Look at firewalls on the path and at the server's host: a dropped packet looks like this."
      )
    case .messageTooLong:
      (
        .messageTooLong, "A datagram to \(target) is larger than the path takes.",
        "Use smaller packets, or look at the MTU of the interfaces on the path."
      )
    case .brokenStream(let problem):
      (
        .garbage, "\(target) sent bytes that are no STUN (\(problem)).",
        "Look which service listens on this port; a TLS listener must be probed with turns: or stuns:."
      )
    case .otherProtocol(let name):
      (
        .otherProtocol, "\(target) answers with \(name), not with STUN.",
        "This is another service's port. Write the port that the TURN server listens on; if both share a port, look at the "
          + "proxy's rule for this name."
      )
    case .tls(let failure):
      meaning(of: failure, target: target, protocolName: protocolName)
    case .cancelled:
      (.cancelled, "The probe of \(target) was stopped before it was done.", "")
    case .other(let text):
      (.transportBroken, "The transport to \(target) broke: \(text).", "Look at the words of the system.")
    }
  }

  /// What a certificate means that does not convince.
  package init(certificate failure: TLSFailure, of target: String) {
    let (code, message, advice) = Self.meaning(of: failure, target: target, protocolName: "TLS")
    self.init(code, message, advice: advice, evidence: [Evidence("server", target)])
  }

  private static func meaning(
    of failure: TLSFailure, target: String, protocolName: String
  ) -> (Code, Sentence, Sentence) {
    switch failure.kind {
    case .untrusted:
      (
        .certificateUntrusted, "The certificate of \(target) is not trusted here: \(failure.detail).",
        "Look whether the server sends its whole chain; if its authority is your own, give that one's certificate (in the "
          + "environment or .env: TURN_CA; otherwise the target's ca)."
      )
    case .nameMismatch:
      (
        .certificateNameMismatch, "The certificate of \(target) is for another name: \(failure.detail).",
        "Look at the names in the certificate, and at the name that the server is reached by."
      )
    case .expired:
      (
        .certificateExpired, "The certificate of \(target) has expired: \(failure.detail).",
        "Renew it with its whole chain, and look whether the server has loaded the renewed one: coturn does on SIGUSR2."
      )
    case .notYetValid:
      (
        .certificateNotYetValid, "The certificate of \(target) is not valid yet: \(failure.detail).",
        "Look at this host's clock and at the certificate's dates."
      )
    case .certificateInvalid:
      (
        .certificateInvalid, "The certificate of \(target) does not hold: \(failure.detail).",
        "Look at the whole chain that the server sends."
      )
    case .noCommonVersion:
      (
        .tlsVersion, "\(target) has no TLS version in common with this client: \(failure.detail).",
        "Look at the versions that the server's configuration allows."
      )
    case .refused:
      (
        .tlsRefused, "\(target) ended the handshake: \(failure.detail).",
        "Look at the server's log of this second; it may demand another cipher."
      )
    case .clientCertificateMissing:
      (
        .clientCertificateMissing, "\(target) asked for a client certificate, and got none: \(failure.detail).",
        "Give the target a certificate and its key (in the environment or .env: TURN_CERT and TURN_KEY)."
      )
    case .clientCertificateRefused:
      (
        .clientCertificateRefused, "\(target) does not accept our client certificate: \(failure.detail).",
        "Look at the certificate's dates and issuer, and at the authorities that the server accepts (coturn: CA-file)."
      )
    case .notTLS:
      (
        .notTLS, "What answers at \(target) does not speak TLS: \(failure.detail).",
        "Look which port the server's TLS listener has; without a readable certificate coturn switches TLS off silently."
      )
    case .timedOut:
      (
        .tlsTimedOut, "\(target) did not finish the handshake \(failure.detail).",
        "Look whether the server's process is alive, whether its \(protocolName) listener is switched on at all, and for "
          + "what swallows packets or connections on the path."
      )
    case .startTLS:
      (
        .startTLSFailed, "\(target) did not switch to TLS: \(failure.detail).",
        "Look at the mail server's TLS settings and its log. A port that speaks TLS from the start, such as 465, is asked "
          + "without STARTTLS."
      )
    case .configuration:
      (.tlsConfiguration, "TLS cannot be set up here: \(failure.detail).", "Look at the files and options given.")
    case .other:
      (
        .tlsFailed, "TLS with \(target) broke: \(failure.detail).",
        "Look at the server's log of this second."
      )
    }
  }
}
