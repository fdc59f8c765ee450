package import Addresses
import Glibc
package import STUN

/// A STUN or TURN server as a probe is told of it.
package struct ProbedServer: Sendable {
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
  /// The realm in which the user is known; nil if nobody says. The one that a challenge names is used in any case.
  package var expectedRealm: String?
  /// For `stuns` and `turns`.
  package var tls: TLSOptions
  /// Who is asked for SRV records; nil takes the system's.
  package var nameServers: [TransportAddress]?
  /// Where its sockets are opened.
  package var network: ProbeNetwork = .ofHost
  /// The address at which it is reached, in place of those of its name; the certificate is held against the name all the same.
  package var address: IPAddress?
  /// What was learnt of its addresses.
  let addressMemory = AddressMemory()

  package init(uri: ServerURI, credentials: Credentials? = nil, tls: TLSOptions = TLSOptions()) {
    self.uri = uri
    self.credentials = credentials
    self.tls = tls
  }

  /// The TLS options with the name filled in that the URI gives.
  var namedTLS: TLSOptions {
    var options = tls
    options.serverName = tls.serverName ?? uri.host
    return options
  }

  /// What every connection to this server is opened with.
  func connectionOptions() -> ServerConnection.Options {
    ServerConnection.Options(credentials: currentCredentials(), tls: namedTLS, network: network)
  }

  /// The addresses of its name that were tried before the one that answered, over its transport.
  package var passedOver: [PassedOverAddress] { addressMemory.passedOver(over: transport) }

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

/// Is told in a few words what a probe is doing, for people who wait; never what came of it.
///
/// Called from any thread, once for each thing that is tried; of what goes packet by packet, a few times a second.
package typealias ProbeProgress = @Sendable (String) -> Void
