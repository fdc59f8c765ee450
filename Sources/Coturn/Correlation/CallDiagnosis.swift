package import Addresses

/// Both ends of one call: our own figures beside the server's records, and what follows from both.
package struct CallDiagnosis: Hashable, Sendable {
  /// What we saw.
  package struct Figures: Hashable, Sendable {
    /// Whether the server answered anything at all.
    package var wasAnswered: Bool
    /// Packets that the sender sent, that the echo received, and that came back to the sender; nil if none were sent.
    package var sent: Int?
    package var reached: Int?
    package var received: Int?
    /// The relayed transport addresses that the server gave us.
    package var relayed: [TransportAddress]
    /// The realm that the target declares.
    package var realm: String?

    package init(
      wasAnswered: Bool, sent: Int? = nil, reached: Int? = nil, received: Int? = nil, relayed: [TransportAddress] = [],
      realm: String? = nil
    ) {
      self.wasAnswered = wasAnswered
      (self.sent, self.reached, self.received) = (sent, reached, received)
      (self.relayed, self.realm) = (relayed, realm)
    }
  }

  package enum Cause: String, Hashable, Sendable, CaseIterable {
    /// Nothing of ours is in the log: it did not reach this server.
    case requestsLost
    /// The server answered, and its answers did not reach us.
    case answersLost
    case realm
    case credentials
    case quota
    case portsExhausted
    case deniedPeer
    /// Another refusal.
    case refused
    /// Packets go missing between the server's own relayed transport addresses.
    case relayPorts
    /// Packets go missing between the clients and the server.
    case clientPath
    /// The server announces another address than it relays from; our packets never leave its host, so that they do not show
    /// whether it is the right one.
    case externalAddress
  }

  /// A part of the way of a packet, from the sender to the echo and back.
  package enum Leg: String, Hashable, Sendable, CaseIterable {
    case senderToServer
    case betweenRelays
    case serverToEcho
    case echoToServer
    case betweenRelaysBack
    case serverToSender

    /// Whether it lies between the server's own relayed transport addresses.
    package var isBetweenRelays: Bool { self == .betweenRelays || self == .betweenRelaysBack }
  }

  /// nil if both ends agree that all went well, or if the log does not tell.
  package private(set) var cause: Cause?
  /// How many packets each part of the way lost; empty if the server's figures are not there. Below 0: more arrived than were
  /// counted at its beginning, such as duplicates.
  package private(set) var lost: [Leg: Int] = [:]

  package init(_ records: CallRecords, _ figures: Figures) {
    lost = Self.lost(records, figures)
    cause = Self.cause(records, figures, lost)
  }

  private static func cause(_ records: CallRecords, _ figures: Figures, _ lost: [Leg: Int]) -> Cause? {
    let sessions = records.sessions
    guard !sessions.isEmpty else { return figures.wasAnswered ? nil : .requestsLost }
    if sessions.contains(where: { $0.wasRefused(401) }) {
      let realm = sessions.compactMap(\.realm).first
      return figures.realm != nil && figures.realm != realm ? .realm : .credentials
    }
    let causes: [(code: Int, cause: Cause)] = [(486, .quota), (508, .portsExhausted), (403, .deniedPeer)]
    for (code, cause) in causes where sessions.contains(where: { $0.wasRefused(code) }) { return cause }
    if sessions.contains(where: { !$0.refusals.isEmpty }) { return .refused }
    if !figures.wasAnswered { return .answersLost }
    if let worst = lost.max(by: { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }), worst.value > 0 {
      return worst.key.isBetweenRelays ? .relayPorts : .clientPath
    }
    let isElsewhere = figures.relayed.contains { relayed in
      records.openedRelays.contains { $0.port == relayed.port && $0.ip.unmapped != relayed.ip.unmapped }
        && !records.openedRelays.contains { $0.port == relayed.port && $0.ip.unmapped == relayed.ip.unmapped }
    }
    return isElsewhere ? .externalAddress : nil
  }

  private static func lost(_ records: CallRecords, _ figures: Figures) -> [Leg: Int] {
    func peer(_ role: CallSession.Role) -> CallSession.Traffic? {
      records.sessions.first { $0.role == role && $0.isClosed }?.peer
    }
    guard let sent = figures.sent, let reached = figures.reached, let received = figures.received,
      let sender = peer(.sender), let echo = peer(.echo)
    else { return [:] }
    return [
      .senderToServer: sent - sender.sentPackets, .betweenRelays: sender.sentPackets - echo.receivedPackets,
      .serverToEcho: echo.receivedPackets - reached, .echoToServer: reached - echo.sentPackets,
      .betweenRelaysBack: echo.sentPackets - sender.receivedPackets,
      .serverToSender: sender.receivedPackets - received,
    ]
  }
}
