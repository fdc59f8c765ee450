import Addresses
import Journal
import Probe
import Schema

extension ProbedServer {
  /// What to warn of where the server gave an allocation otherwise than it should have; nil if it did as declared.
  ///
  /// - Parameter realm: of its challenge; nil if it asked for no credentials.
  func objection(toAllocationIn realm: String?) -> Finding? {
    guard let realm else {
      guard credentials != nil || expectedRealm != nil else { return nil }
      let unseen = expectedRealm.map { ", and never named the realm \"\($0)\"" } ?? ""
      return Finding(
        ProbeFailure.Code.anonymousAccess.rawValue,
        "\(uri) gave the allocation without asking for credentials\(unseen).",
        advice: ProbeFailure.adviceToAuthenticate)
    }
    guard let expectedRealm, expectedRealm != realm else { return nil }
    return Finding(
      ProbeFailure.Code.realmMismatch.rawValue,
      "\(uri) accepts the credentials in the realm \"\(realm)\", not in \"\(expectedRealm)\".",
      advice:
        "Clients that keep a key instead of the password are refused: look at the server's realm (coturn: realm= "
        + "in turnserver.conf), or change the realm that the target declares.")
  }
}

extension Finding {
  /// The server does not confirm that what a step allocated is gone.
  static func allocationKept(by uri: ServerURI) -> Finding {
    Finding(
      "turn.allocationKept",
      "\(uri) did not confirm that what it allocated is gone: it lasts until its lifetime ends.",
      advice: "Until then it takes up a relay port and the user's quota. Look at the server's log of this second.")
  }
}

extension Finding {
  /// Clients that reach the server where it was asked do not reach what it relays from; nil if they may.
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
