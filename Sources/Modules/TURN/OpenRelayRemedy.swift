import Addresses
import Probe

/// What to set on a server that relays where it should not.
enum OpenRelayRemedy {
  /// - Parameter openings: at least one.
  static func advice(against openings: [OpenRelayProbe.Entry]) -> String {
    var sentences: [String] = []
    var ranges: [String] = []
    for opening in openings {
      guard let range = range(of: opening) else { continue }
      if !ranges.contains(range) { ranges.append(range) }
    }
    if openings.contains(where: { isLoopback($0.address) }) {
      sentences.append("coturn relays to loopback only where allow-loopback-peers is set: take it out.")
    }
    if !ranges.isEmpty {
      sentences.append(
        "Deny what is open in the server's configuration (coturn, a line each): "
          + ranges.map { "denied-peer-ip=\($0)" }.joined(separator: " "))
    }
    return sentences.joined(separator: " ")
  }

  private static func isLoopback(_ address: IPAddress) -> Bool { SpecialRange(address) == .loopback }

  /// The whole range that an address stands for, as coturn writes one; nil where nothing needs to be denied besides.
  private static func range(of opening: OpenRelayProbe.Entry) -> String? {
    switch opening.kind {
    case .loopback, .loopbackIPv6: nil
    case .thisNetwork: "0.0.0.0-0.255.255.255"
    case .private10: "10.0.0.0-10.255.255.255"
    case .private172: "172.16.0.0-172.31.255.255"
    case .private192: "192.168.0.0-192.168.255.255"
    case .sharedAddressSpace: "100.64.0.0-100.127.255.255"
    case .linkLocal: "169.254.0.0-169.254.255.255"
    case .multicast: "224.0.0.0-239.255.255.255"
    case .broadcast: "255.255.255.255"
    case .unspecifiedIPv6: "::"
    case .linkLocalIPv6: "fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    case .uniqueLocalIPv6: "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    case .multicastIPv6: "ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    case .mappedLoopback, .mappedPrivate: "::ffff:0.0.0.0-::ffff:255.255.255.255"
    case .nat64Loopback: "64:ff9b::-64:ff9b::ffff:ffff"
    case .sixToFourLoopback: "2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    case .server, .relay: isLoopback(opening.address) ? nil : "\(opening.address)"
    }
  }
}
