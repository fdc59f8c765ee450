package import Names

/// One header field. The name is compared without regard to case.
package struct HTTPHeader: Hashable, Sendable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A request, and the bounds within which it is carried out.
package struct HTTPRequest: Sendable {
  /// How a certificate is judged.
  package struct TLS: Hashable, Sendable {
    /// False takes whatever certificate there is.
    package var verifiesCertificate = true
    /// PEM; nil takes the system's authorities.
    package var authorityFile: String?
    /// The name that the URL's own origin is asked for (SNI), and that its certificate must be for; nil takes the URL's
    /// host. It does not go together with a proxy of the environment.
    package var serverName: String?
    /// PEM, a certificate and its key, for the URL's own origin if it asks for one.
    package var clientCertificate: (chainFile: String, keyFile: String)? {
      get { chainFile.flatMap { chain in keyFile.map { (chain, $0) } } }
      set { (chainFile, keyFile) = (newValue?.chainFile, newValue?.keyFile) }
    }
    private var chainFile: String?
    private var keyFile: String?

    package init() {}
  }

  /// What a server may send. What is longer ends the exchange with an error.
  package struct Limits: Hashable, Sendable {
    /// Bytes of one response's header fields, with those of interim responses and trailers.
    package var head = 64 << 10
    /// Bytes of a decoded body.
    package var body = 8 << 20

    package init() {}
  }

  package var method = "GET"
  /// `http:` or `https:`, without user name and password.
  package var url: String
  package var headers: [HTTPHeader] = []
  /// Header fields that are secret. Like `Authorization`, `Cookie` and `Proxy-Authorization`, they go to the URL's own origin and to
  /// no other that a redirect leads to.
  package var credentials: [HTTPHeader] = []
  package var body: [UInt8]?
  /// The path of a unix socket to connect to, in place of the URL's host.
  package var unixSocket: String?
  /// Which addresses of the host are tried.
  package var addresses = AddressPreference.any
  /// How many redirects are followed; with 0, a redirect is the response.
  package var redirects = 0
  /// Whether HTTP/2 is offered to servers with TLS.
  package var offersHTTP2 = true
  /// Whether `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` are taken from the environment.
  package var takesProxyFromEnvironment = false
  package var tls = TLS()
  package var limits = Limits()

  package init(_ url: String) { self.url = url }
}
