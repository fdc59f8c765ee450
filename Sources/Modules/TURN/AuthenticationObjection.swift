import Journal
import Probe
import Schema

extension Server {
  /// What to warn of where the server gave an allocation otherwise than it should have; nil where it did as declared.
  ///
  /// - Parameter realm: of its challenge; nil where it asked for no credentials.
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
