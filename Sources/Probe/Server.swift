package import Addresses
import Glibc
package import STUN

/// A STUN or TURN server as a probe is told of it.
package struct Server: Sendable {
  /// How a client proves who it is.
  package enum Credentials: Sendable {
    /// A user name and password that do not expire.
    case longTerm(LongTermCredentials)
    /// A secret shared with the server, from which short-lived credentials are made
    /// (draft-uberti-behave-turn-rest-00).
    case sharedSecret(String, user: String, lifetime: Duration, order: RESTCredentials.Order)
  }

  package var uri: ServerURI
  package var credentials: Credentials?

  package init(uri: ServerURI, credentials: Credentials? = nil) {
    self.uri = uri
    self.credentials = credentials
  }

  /// The transport that the URI names.
  package var transport: Transport { Transport(of: uri) }

  /// Credentials for requests that are sent now.
  func currentCredentials() -> LongTermCredentials? {
    switch credentials {
    case nil: nil
    case .longTerm(let credentials): credentials
    case .sharedSecret(let secret, let user, let lifetime, let order):
      RESTCredentials.make(
        secret: secret, user: user, expiry: Int64(time(nil)) + lifetime.components.seconds, order: order)
    }
  }
}
