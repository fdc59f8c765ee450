import Addresses
import Journal
import Probe
import Schema

extension Finding {
  /// Clients that reach the server where it was asked do not reach what it relays from; nil where they may.
  ///
  /// - Parameter server: the address at which it was asked.
  static func unreachableRelay(_ relayed: [IPAddress], of uri: ServerURI, askedAt server: IPAddress) -> Finding? {
    guard let misplaced = relayed.lazy.compactMap({ MisplacedAddress($0, of: server) }).first else { return nil }
    let isSameFamily = misplaced.relayed.family == server.unmapped.family && SpecialRange(server.unmapped) == nil
    let address = isSameFamily ? "\(server.unmapped)" : "PUBLIC-ADDRESS"
    return Finding(
      "turn.relayedAddressUnreachable",
      "\(uri) was asked at \(server) and relays from \(misplaced.relayed), \(misplaced.range.words): peers elsewhere "
        + "cannot send to it.",
      advice:
        "Give the server its external address (coturn: external-ip=\(address)/\(misplaced.relayed)), and have its "
        + "NAT forward the relay ports.")
  }
}
