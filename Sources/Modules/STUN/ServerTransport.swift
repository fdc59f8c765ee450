package import Addresses
package import Probe
package import Schema
import Steps

extension TURNServer {
  /// The server over another transport than its URI names.
  ///
  /// - Parameter securePort: for TLS and DTLS; else the URI's own if it is a secure one, that of ``tlsURI`` if it is of the
  ///   same host, or 5349.
  /// - Throws: ``ServerURI/ParsingError`` if the URI is no STUN or TURN URI.
  package func over(_ transport: Transport, securePort: UInt16? = nil) throws(ServerURI.ParsingError) -> Self {
    let uri = try ServerURI(parsing: uri)
    var port = uri.scheme.isSecure == transport.isSecure ? uri.port : nil
    if transport.isSecure {
      let declared = tlsURI.flatMap { try? ServerURI(parsing: $0) }.flatMap { $0.host == uri.host ? $0 : nil }
      port = securePort ?? (uri.scheme.isSecure ? uri.port : declared?.port)
    }
    var server = self
    server.uri =
      ServerURI(
        scheme: transport.isSecure ? .turns : .turn, host: uri.host, port: port,
        transport: transport.isReliable ? .tcp : .udp
      ).description
    return server
  }
}

extension ProbedServer {
  /// The server that a step was given, over the transport that it was told, if any.
  init(_ target: TURNServer, over transport: Transport?) throws(StepError) {
    // A URI that cannot be read is told of by the other initialiser.
    guard let transport, let server = try? target.over(transport) else {
      try self.init(target)
      return
    }
    try self.init(server)
  }
}

/// The input `transport` of a probe.
func transportField<Root>(_ path: any KeyPath<Root, Transport?> & Sendable) -> Field<Root, Transport?> {
  Field(
    "transport", path, .optional(.enumeration(Transport.self)),
    "Asks over this one in place of the one that the URI names; for tls and dtls at the port of the target's tlsServer, or 5349."
  )
}
