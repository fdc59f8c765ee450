import Addresses
import STUN
import Schema

/// Whose address a peer has that a server does not relay to.
enum PeerOwner: Sendable {
  case thisHost
  case observer

  fileprivate var words: Sentence {
    switch self {
    case .thisHost: "this host as the server sees it"
    case .observer: "the observer: where packets leave the server is unknown"
    }
  }
}

extension ProbeFailure {
  /// What to do where a server does not relay to loopback addresses.
  static let adviceOnLoopbackPeers: Sentence =
    "coturn refuses loopback peers, whatever allowed-peer-ip says, unless allow-loopback-peers is set, which is for labs "
    + "only; if it is set, look at denied-peer-ip."

  /// Addresses of peers, without their ports where those have no meaning.
  static func names(of peers: [TransportAddress]) -> String {
    peers.map { $0.port == 0 ? "\($0.ip)" : "\($0)" }.joined(separator: " ")
  }

  /// The same failure; where it is the refusal of a peer, saying whose address that is.
  func naming(_ owner: PeerOwner) -> ProbeFailure {
    guard code == .forbidden, evidence("peer") != nil else { return self }
    return ProbeFailure(code, "\(sentence.withoutFullStop), \(owner.words).", advice: advisory, evidence: evidence)
  }

  /// The same failure; where it is the refusal of a relayed address of the server itself, saying so.
  func namingRelayedAddress(_ refused: IPAddress, of allocation: Allocation) -> ProbeFailure {
    guard code == .forbidden else { return self }
    let isLoopbackServer = SpecialRange(allocation.connection.server.ip) == .loopback
    let reason: Sentence
    if !program.mayBeCoturn {
      reason = program.adviceOnDeniedPeers
    } else if SpecialRange(refused) == .loopback {
      reason = Self.adviceOnLoopbackPeers
    } else if isLoopbackServer {
      reason =
        "The server is reached at a loopback address: if \(refused) stands for one, too (external-ip), allowing it "
        + "does not help. \(Self.adviceOnLoopbackPeers)"
    } else {
      reason =
        "Allow \(refused) in the denied and allowed peer addresses of its configuration (coturn: allowed-peer-ip)."
    }
    let ours = allocation.reflexiveAddress?.ip
    let isOurs = ours == refused || isLoopbackServer
    return ProbeFailure(
      code, "\(sentence) That is the server's own relayed address.",
      advice: "Both ends of this probe are relayed by the server. \(reason) If such peers are denied on purpose, "
        + "do without this probe; turn.allocate works all the same"
        + (isOurs ? "." : ", and turn.ports if our own address is not denied."),
      evidence: evidence)
  }
}
