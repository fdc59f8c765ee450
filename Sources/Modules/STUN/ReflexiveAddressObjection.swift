import Addresses
import Journal
import Probe
import Schema

extension Finding {
  /// The server sees another in place of its clients; nil if the address that it sees may be ours.
  ///
  /// - Parameters:
  ///   - seen: our address as the server tells it.
  ///   - own: our address as this host tells it.
  ///   - server: where it was asked.
  static func hiddenClient(seenAs seen: IPAddress, own: IPAddress?, askedAt server: TransportAddress) -> Finding? {
    guard seen.unmapped != own?.unmapped, let misplaced = MisplacedAddress(seen, of: server.ip) else { return nil }
    let isOnItsHost = misplaced.range == .loopback
    // Through NAT64 our address is the translator's, of its own network.
    guard isOnItsHost || seen.unmapped.family == server.unmapped.ip.family else { return nil }
    return Finding(
      "stun.clientAddressHidden",
      "\(server) says that our address is \(seen), \(misplaced.range.words): "
        + (isOnItsHost ? "a program on the server's own host" : "something in front of the server")
        + " passes our requests on under its own address.",
      advice:
        "Look for a proxy or port forwarding there (nginx, HAProxy, Docker's userland proxy, masquerading). It must keep "
        + "the source address of packets, or the server must listen on the public address itself: clients cannot use the "
        + "address that they are told."
        + (isOnItsHost ? "" : " If this host and the server are behind the same NAT, probe from outside."))
  }

  /// One socket is seen at several addresses.
  static func unstableReflexiveAddress(_ seen: [TransportAddress], at server: TransportAddress) -> Finding {
    let hosts = Set(seen.map(\.ip)).count
    return Finding(
      "stun.reflexiveAddressUnstable",
      "\(server) saw requests of one socket come from \(seen.count) addresses: "
        + seen.prefix(4).map(\.description).joined(separator: ", ") + (seen.count > 4 ? ", …" : "") + ".",
      advice: (hosts > 1
        ? "A load balancer in front of the server, or a NAT with several outgoing addresses, changes the source address"
        : "A load balancer in front of the server, or a NAT, changes the source port")
        + " between packets: allocations break there, since the server knows a client by its address and port. Have it keep "
        + "a client's packets on one path (session affinity by source address).")
  }
}
