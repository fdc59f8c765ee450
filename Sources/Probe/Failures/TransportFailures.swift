package import Addresses
package import STUN

extension ProbeFailure {
  /// What a broken transport means.
  package init(_ failure: TransportFailure, server: TransportAddress, transport: Transport) {
    let protocolName = transport.rawValue.uppercased()
    let target = "\(server) over \(protocolName)"
    let (code, message, advice): (Code, String, String) =
      switch failure {
      case .portUnreachable:
        (
          .portUnreachable, "No process listens on \(target): the host answered with ICMP port unreachable.",
          "Look whether the server runs, and which address and port it listens on."
        )
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
      case .connectTimedOut:
        (
          .connectTimedOut, "No connection to \(target) came about in time.",
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
      case .other(let text):
        (.transportBroken, "The transport to \(target) broke: \(text).", "Look at the words of the system.")
      }
    self.init(
      code, message, advice: advice,
      evidence: [Evidence("server", "\(server)"), Evidence("transport", transport.rawValue)])
  }
}
