import Addresses
import STUN
import Schema

/// Success responses that promise what cannot be.
extension ProbeFailure {
  /// Why nobody can use an allocation as it was granted; nil if nothing speaks against it.
  ///
  /// Loopback and private addresses are in order: in a lab they are what is wanted.
  init?(
    impossible state: AllocationState, askedFor options: AllocateOptions, server: TransportAddress, transport: Transport
  ) {
    let target = "\(server) over \(transport.rawValue.uppercased())"
    let relayed = state.relayedAddresses
    let given = Evidence.text(of: relayed, separator: ", ")
    let evidence =
      Self.evidence(of: .allocate, server: server, transport: transport) + [
        Evidence("relayedAddresses", given), Evidence("lifetime", state.lifetime.inSeconds),
      ]
    if let (address, flaw) = relayed.lazy.compactMap({ address in address.flaw().map { (address, $0) } }).first {
      self.init(
        .relayedAddressUnusable, "\(target) relays from \(address), which no peer can send to (\(flaw.rawValue)).",
        advice: "Look at the server's relay and external addresses (coturn: relay-ip, external-ip).",
        evidence: evidence + [Evidence("flaw", flaw.rawValue)])
    } else if let unasked = Self.unasked(relayed.map(\.unmapped.ip.family), options) {
      self.init(
        .relayedAddressUnasked, "\(target) relays from \(given), where \(unasked).",
        advice: "Look at the server's version and its relay addresses: a client takes what it asked for, or nothing.",
        evidence: evidence)
    } else if state.lifetime == .zero {
      self.init(
        .lifetimeZero, "\(target) granted an allocation that lasts 0 s.",
        advice: "Look at the longest lifetime that the server's configuration allows (coturn: max-allocate-lifetime).",
        evidence: evidence)
    } else if let reflexive = state.reflexiveAddress {
      self.init(unusableReflexive: reflexive, in: .allocate, server: server, transport: transport)
    } else {
      return nil
    }
  }

  /// Two allocations at the same time have the same relayed address, so that no peer can reach both.
  init(sharedBy server: ProbedServer, _ relayed: TransportAddress) {
    self.init(
      .relayedAddressShared, "\(server.uri) gave \(relayed) to two allocations at the same time.",
      advice: "Look whether several servers answer behind this address, each with the same relay address and ports.",
      evidence: [Evidence("server", "\(server.uri)"), Evidence("relayedAddress", "\(relayed)")])
  }

  /// Why nobody can have the address that the server says is ours; nil if somebody can.
  init?(unusableReflexive address: TransportAddress, in method: Method, server: TransportAddress, transport: Transport)
  {
    guard let flaw = address.flaw() else { return nil }
    self.init(
      .reflexiveAddressUnusable,
      "\(server) over \(transport.rawValue.uppercased()) says that our address is \(address), which nobody can have "
        + "(\(flaw.rawValue)).",
      advice: "Look which software answers there, and for a gateway between that rewrites addresses inside of packets "
        + "(an ALG).",
      evidence: Self.evidence(of: method, server: server, transport: transport) + [
        Evidence("reflexiveAddress", "\(address)"), Evidence("flaw", flaw.rawValue),
      ])
  }

  /// What was asked for, in words, where something else or more was given.
  ///
  /// Where no family was asked for, any is taken: RFC 8656 says IPv4, and servers may be set to the client's own.
  private static func unasked(_ given: [AddressFamily], _ options: AllocateOptions) -> String? {
    if options.isDual { return Set(given).count == given.count ? nil : "one address of each family was asked for" }
    if given.count > 1 { return "one address was asked for" }
    guard let family = options.family, given != [family] else { return nil }
    return "one of \(family == .ipv4 ? "IPv4" : "IPv6") was asked for"
  }

  private static func evidence(
    of method: Method, server: TransportAddress, transport: Transport
  ) -> [Evidence] {
    [Evidence("server", "\(server)"), Evidence("transport", transport.rawValue), Evidence("method", "\(method)")]
  }
}
