import Addresses
import Probe

/// What to set on a server that relays where it should not.
enum OpenRelayRemedy {
  /// - Parameter openings: at least one.
  static func advice(against openings: [OpenRelayProbe.Entry], on program: ServerProgram) -> String {
    let networks = unique(openings.map { network(of: $0) }).map(\.description).joined(separator: ", ")
    return switch program {
    case .coturn, .unnamed: adviceForCoturn(against: openings)
    case .p1stun:
      "Put these networks into the server's blacklist (ejabberd: turn_blacklist; eturnal: blacklist): \(networks)"
    case .other(let name): "Have \(name) refuse peers of these networks: \(networks)"
    }
  }

  private static func adviceForCoturn(against openings: [OpenRelayProbe.Entry]) -> String {
    var sentences: [String] = []
    if openings.contains(where: { isLoopback($0.address) }) {
      sentences.append("coturn relays to loopback only if allow-loopback-peers is set: take it out.")
    }
    let denied = unique(openings.filter { !isLoopback($0.address) }.map { network(of: $0) })
    if !denied.isEmpty {
      sentences.append(
        "Deny what is open in the server's configuration (coturn, a line each): "
          + denied.map { "denied-peer-ip=\($0.range)" }.joined(separator: " "))
    }
    return sentences.joined(separator: " ")
  }

  private static func isLoopback(_ address: IPAddress) -> Bool { SpecialRange(address) == .loopback }

  private static func unique(_ networks: [Network]) -> [Network] {
    networks.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The first and the last address of a network, and how many bits they share.
  private struct Network: Hashable, CustomStringConvertible {
    let first: String
    let last: String
    let length: Int

    init(_ first: String, _ last: String, _ length: Int) {
      (self.first, self.last, self.length) = (first, last, length)
    }

    /// One host.
    init(_ address: IPAddress) { self.init("\(address)", "\(address)", address.family == .ipv4 ? 32 : 128) }

    /// As CIDR.
    var description: String { "\(first)/\(length)" }
    /// As coturn writes one.
    var range: String { first == last ? first : "\(first)-\(last)" }
  }

  /// The whole network that an address stands for.
  private static func network(of opening: OpenRelayProbe.Entry) -> Network {
    switch opening.kind {
    case .thisNetwork: Network("0.0.0.0", "0.255.255.255", 8)
    case .loopback: Network("127.0.0.0", "127.255.255.255", 8)
    case .private10: Network("10.0.0.0", "10.255.255.255", 8)
    case .private172: Network("172.16.0.0", "172.31.255.255", 12)
    case .private192: Network("192.168.0.0", "192.168.255.255", 16)
    case .sharedAddressSpace: Network("100.64.0.0", "100.127.255.255", 10)
    case .linkLocal: Network("169.254.0.0", "169.254.255.255", 16)
    case .multicast: Network("224.0.0.0", "239.255.255.255", 4)
    case .broadcast: Network("255.255.255.255", "255.255.255.255", 32)
    case .unspecifiedIPv6: Network("::", "::", 128)
    case .loopbackIPv6: Network("::1", "::1", 128)
    case .linkLocalIPv6: Network("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 10)
    case .uniqueLocalIPv6: Network("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 7)
    case .multicastIPv6: Network("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 8)
    case .mappedLoopback, .mappedPrivate: Network("::ffff:0.0.0.0", "::ffff:255.255.255.255", 96)
    case .nat64Loopback: Network("64:ff9b::", "64:ff9b::ffff:ffff", 96)
    case .sixToFourLoopback: Network("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 16)
    case .server, .relay: Network(opening.address)
    }
  }
}
