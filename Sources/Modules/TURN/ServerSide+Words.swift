import Coturn
import Journal
import Schema

extension ServerSide {
  /// What the server's log says of the call, in a sentence; nil if it says nothing that we did not see ourselves.
  func sentence(log: String) -> Sentence? {
    guard let verbose, let whole else { return nil }
    guard let cause else { return sessions.isEmpty ? Self.absence(from: log, verbose: verbose, whole: whole) : nil }
    let first = sessions.first { !$0.refusals.isEmpty } ?? sessions.first
    let session: Sentence = "Session \(first?.id ?? "") in \(log)"
    switch cause {
    case .requestsLost:
      return verbose
        ? "\(log) tells of other sessions meanwhile and not of ours: our packets do not reach this server."
        : "\(log) tells of no session at all meanwhile: our packets do not reach this server, or it logs elsewhere or without "
          + "`verbose`."
    case .answersLost:
      return "\(session) answers us: the way back is closed, not the way there."
    case .realm:
      return "\(session) is of the realm \"\(first?.realm ?? "")\", not of the target's."
    case .credentials:
      return switch first?.credentials {
      case .wrongPassword: "\(session): the user \"\(first?.user ?? "")\" is known, and the password is wrong."
      case .unknownOrExpired:
        "\(session): the user \"\(first?.user ?? "")\" is not known in the realm \"\(first?.realm ?? "")\", or its time is over."
      case nil: "\(session): the credentials of \"\(first?.user ?? "")\" were refused."
      }
    case .quota: return "\(session) was refused because of a quota (user-quota, total-quota)."
    case .portsExhausted: return "\(session) was refused for want of a relay port (min-port, max-port)."
    case .deniedPeer:
      guard let range = first?.deniedRange else {
        return "\(session): its peer is denied; loopback and multicast addresses always are, without a further record."
      }
      return "\(session): its peer is denied by the range \(range)."
    case .refused: return "\(session) was refused: \(first?.refusals.first ?? "")."
    case .relayPorts, .clientPath:
      guard let worst = losses.max(by: { $0.lost < $1.lost }) else { return nil }
      return "By the server's figures \(worst.lost) packets were lost \(Self.words(for: worst.leg))."
    case .externalAddress:
      return "\(log) shows that the server relays from another address than it announces (external-ip)."
    }
  }

  /// The server answered, and its log knows nothing of it.
  private static func absence(from log: String, verbose: Bool, whole: Bool) -> Sentence {
    guard whole else { return "\(log) tells of no session of ours: it was rotated meanwhile, or not read to its end." }
    return verbose
      ? "\(log) tells of other sessions meanwhile and not of ours: it is not the log of the server that answered."
      : "\(log) tells of no session: the server logs elsewhere, or without `verbose`."
  }

  /// What warns of a call that worked and was tied to nothing in the log; nil for one that was.
  func callNotInLog(_ log: String) -> Finding? {
    guard verbose != nil, sessions.isEmpty, let absence = sentence(log: log) else { return nil }
    return Finding(
      "turn.callNotInLog", "the call went well, and \(absence.withoutFullStop)",
      advice:
        "Look with `ss -lntup` whether another server answers on this port (several may share it by SO_REUSEPORT), "
        + "whether this is the log of the one that should, and whether that one logs with `verbose`; if all is so, give "
        + "`correlate` a longer `wait`.")
  }

  private static func words(for leg: CallDiagnosis.Leg) -> Sentence {
    switch leg {
    case .senderToServer: "from the sender to the server"
    case .betweenRelays, .betweenRelaysBack: "between the server's own relay ports"
    case .serverToEcho: "from the server to the echo"
    case .echoToServer: "from the echo to the server"
    case .serverToSender: "from the server to the sender"
    }
  }
}

extension Finding {
  /// The same with what the server's log and figures say.
  func noting(_ side: ServerSide, log: String) -> Finding {
    let words = [side.sentence(log: log), side.metrics?.doubt?.sentence].compactMap(\.self)
    return words.isEmpty ? self : Finding(code, words.reduce(sentence) { $0 + " " + $1 }, advice: advisory)
  }
}
