import TestSupport

extension Coturn {
  /// What names it, its user and the certificate to trust, as users set it.
  var environment: [String: String] {
    [
      "TURN_SERVER": "turn:127.0.0.1:\(port)", "TURN_USERNAME": Self.username, "TURN_CREDENTIAL": Self.credential,
      "TURN_CA": authority,
    ]
  }
}
