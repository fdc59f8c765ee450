package import Addresses
package import Probe
package import Schema
import Steps

extension TURNServer {
  /// The server over another transport than its URI names.
  ///
  /// Over TLS and DTLS, host and port are those of ``tlsURI`` if it is there, as it is declared.
  ///
  /// - Parameter securePort: for TLS and DTLS, in place of the declared one; else the URI's own if it is a secure one, or 5349.
  /// - Throws: ``ServerURI/ParsingError`` if the URI is no STUN or TURN URI.
  package func over(_ transport: Transport, securePort: UInt16? = nil) throws(ServerURI.ParsingError) -> Self {
    let uri = try ServerURI(parsing: transport.isSecure ? overTLS.uri : uri)
    var port = uri.scheme.isSecure == transport.isSecure ? uri.port : nil
    if transport.isSecure, let securePort { port = securePort }
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
    guard let transport else {
      try self.init(target)
      return
    }
    let server: TURNServer
    do throws(ServerURI.ParsingError) { server = try target.over(transport) } catch {
      throw .invalidURI(transport.isSecure ? target.overTLS.uri : target.uri, error)
    }
    try self.init(server)
  }
}

/// The input `transport` of a probe.
func transportField<Root>(_ path: any KeyPath<Root, Transport?> & Sendable) -> Field<Root, Transport?> {
  Field(
    "transport", path, .optional(.enumeration(Transport.self)),
    "Asks over this one in place of the one that the URI names; tls and dtls at the target's tlsServer, or else at port 5349."
  )
}
