import Addresses
import STUN
import Schema

extension ProbeFailure.Code {
  package static let protocolUnreachable = Self(rawValue: "icmp.protocolUnreachable")
  package static let packetTooBig = Self(rawValue: "icmp.packetTooBig")
  package static let sourceRouteFailed = Self(rawValue: "icmp.sourceRouteFailed")
  package static let networkUnknown = Self(rawValue: "icmp.networkUnknown")
  package static let hostUnknown = Self(rawValue: "icmp.hostUnknown")
  package static let hostIsolated = Self(rawValue: "icmp.hostIsolated")
  package static let networkProhibited = Self(rawValue: "icmp.networkProhibited")
  package static let hostProhibited = Self(rawValue: "icmp.hostProhibited")
  package static let adminProhibited = Self(rawValue: "icmp.adminProhibited")
  package static let networkUnreachableForService = Self(rawValue: "icmp.networkUnreachableForService")
  package static let hostUnreachableForService = Self(rawValue: "icmp.hostUnreachableForService")
  package static let precedenceViolation = Self(rawValue: "icmp.precedenceViolation")
  package static let precedenceCutoff = Self(rawValue: "icmp.precedenceCutoff")
  package static let timeExceeded = Self(rawValue: "icmp.timeExceeded")
  package static let reassemblyTimeExceeded = Self(rawValue: "icmp.reassemblyTimeExceeded")
  package static let parameterProblem = Self(rawValue: "icmp.parameterProblem")
  package static let beyondScope = Self(rawValue: "icmp.beyondScope")
  package static let sourceAddressRefused = Self(rawValue: "icmp.sourceAddressRefused")
  package static let routeRejected = Self(rawValue: "icmp.routeRejected")
  package static let unassignedICMP = Self(rawValue: "icmp.unassigned")

  /// Whether an ICMP message says it: then another address, or another transport, may get through.
  var isICMP: Bool { rawValue.hasPrefix("icmp.") }
}

extension ProbeFailure {
  /// What an ICMP message about a datagram to a server means.
  init(_ error: ICMPError, server: TransportAddress, transport: Transport) {
    let target = "\(server) over \(transport.rawValue.uppercased())"
    let (code, says, advice) = Self.meaning(of: error, target: target)
    let who: Sentence =
      error.reporter.map { $0.unmapped == server.ip.unmapped ? "The server's host" : "\($0)" } ?? "The network"
    let number = "\(error.version.rawValue) type \(error.type), code \(error.code)"
    self.init(
      code, "\(who) says that \(says) (\(number)).", advice: advice,
      evidence: [
        Evidence("server", "\(server)"), Evidence("transport", transport.rawValue), Evidence("icmp", number),
      ] + (error.reporter.map { [Evidence("reporter", "\($0)")] } ?? [])
        + (error.mtu.map { [Evidence("mtu", "\($0)")] } ?? []))
  }

  private static func meaning(of error: ICMPError, target: String) -> (Code, says: Sentence, advice: Sentence) {
    switch error.kind {
    case .portUnreachable:
      (
        .portUnreachable, "no process listens on \(target)",
        "Look whether the server runs, and which port it listens on."
      )
    case .hostUnreachable:
      (
        .hostUnreachable, "the host of \(target) cannot be reached",
        "Look whether the host is up and has this address; the router before it got no answer from it."
      )
    case .networkUnreachable:
      (
        .networkUnreachable, "it has no route to \(target)",
        "Look at the routes of the router that says so, and whether the server's address is right."
      )
    case .protocolUnreachable:
      (
        .protocolUnreachable, "the host of \(target) does not take UDP",
        "Look at the host's firewall: a rule may reject UDP with \"protocol unreachable\"."
      )
    case .packetTooBig:
      (
        .packetTooBig,
        "a datagram to \(target) is larger than the path takes" + (error.mtu.map { ": \($0) bytes" } ?? ""),
        "Use smaller packets, or look at the MTU of the tunnels and interfaces on the path."
      )
    case .sourceRouteFailed:
      (
        .sourceRouteFailed, "the source route to \(target) cannot be followed",
        "Look at this host's routes and IP options: probes ask for no source route."
      )
    case .networkUnknown:
      (.networkUnknown, "it does not know the network of \(target)", "Look whether the server's address is right.")
    case .hostUnknown:
      (.hostUnknown, "it does not know the host of \(target)", "Look whether the server's address is right.")
    case .hostIsolated:
      (
        .hostIsolated, "this host may not speak with \(target)",
        "Look at the router that says so, and at this host's own link."
      )
    case .networkProhibited:
      (
        .networkProhibited, "the network of \(target) must not be reached from here",
        "A firewall there rejects it: have it let UDP through to this address and port."
      )
    case .hostProhibited:
      (
        .hostProhibited, "the host of \(target) must not be reached from here",
        "A firewall there rejects it: have it let UDP through to this address and port."
      )
    case .adminProhibited:
      (
        .adminProhibited, "a rule prohibits packets to \(target)",
        "A firewall there rejects them: have it let UDP through to this address and port."
      )
    case .networkUnreachableForService:
      (
        .networkUnreachableForService, "it has no route to \(target) for this type of service",
        "Look at routes that depend on the type of service (DSCP)."
      )
    case .hostUnreachableForService:
      (
        .hostUnreachableForService, "the host of \(target) cannot be reached with this type of service",
        "Look at routes that depend on the type of service (DSCP)."
      )
    case .precedenceViolation:
      (
        .precedenceViolation, "packets to \(target) may not have this precedence",
        "Look at what sets the type of service (DSCP) of this host's packets."
      )
    case .precedenceCutoff:
      (
        .precedenceCutoff, "the precedence of packets to \(target) is too low",
        "Look at what sets the type of service (DSCP) of this host's packets."
      )
    case .timeExceeded:
      (
        .timeExceeded, "a packet to \(target) passed too many routers",
        "Look for a routing loop: traceroute to this address shows it."
      )
    case .reassemblyTimeExceeded:
      (
        .reassemblyTimeExceeded, "pieces of a datagram to \(target) are missing",
        "A firewall may drop fragments, or the path loses packets: use smaller packets."
      )
    case .parameterProblem:
      (
        .parameterProblem, "it cannot read the header of a packet to \(target)",
        "Look for equipment on the path that changes packets."
      )
    case .beyondScope:
      (
        .beyondScope, "packets from our address may not leave for \(target)",
        "Look at this host's IPv6 addresses: a link-local or unique local one does not reach it."
      )
    case .sourceAddressRefused:
      (
        .sourceAddressRefused, "packets to \(target) are not taken from our address",
        "Look at ingress filters, and whether this host uses the address of the right network."
      )
    case .routeRejected:
      (
        .routeRejected, "its route to \(target) rejects packets",
        "Look at reject routes (blackhole, prohibit) on the router that says so."
      )
    case .unassigned:
      (.unassignedICMP, "a packet to \(target) did not get there", "Look up the ICMP type and code.")
    }
  }
}
