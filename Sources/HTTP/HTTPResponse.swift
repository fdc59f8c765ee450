package import Addresses
package import Connections
package import Schema

/// What a server answered.
package struct HTTPResponse: Sendable {
  /// `1.0`, `1.1` or `2`.
  package let version: String
  package let status: Int
  /// The reason phrase; empty in HTTP/2.
  package let reason: String
  /// In the order of their coming, those of the last response alone.
  package let headers: [HTTPHeader]
  /// Decoded from the codings that the server applied (gzip, br, zstd); empty if somebody else took it as it came.
  package let body: [UInt8]
  /// Each request that was sent, the one of this response last.
  package let hops: [HTTPHop]
  /// From the first wish until the end of the body.
  package let elapsed: Duration

  /// The values of a header field, in order.
  package func values(of name: String) -> [String] { HTTPHeader.values(of: name, in: headers) }
}

extension HTTPHeader {
  static func values(of name: String, in headers: [HTTPHeader]) -> [String] {
    let name = name.lowercased()
    return headers.filter { $0.name.lowercased() == name }.map(\.value)
  }
}

/// One request of an exchange: the first, or one that a redirect led to.
package struct HTTPHop: Sendable {
  package let method: String
  package let url: String
  /// Nil if no response came.
  package internal(set) var status: Int?
  /// Where a redirect leads, as a whole URL; nil if this is none.
  package internal(set) var redirect: String?
  package internal(set) var phases = HTTPPhases()
  /// From the wish until the end of this hop.
  package internal(set) var elapsed = Duration.zero
  /// Each address that was tried; empty through a proxy and for a unix socket.
  package internal(set) var tries: [ConnectionTry] = []
  /// When the certificate of the server stops being valid; nil without TLS.
  package internal(set) var certificateEnd: Timestamp?

  /// Which address answered.
  package var address: TransportAddress? { tries.first { $0.answer == .connected }?.address }
}

/// How long the parts of one hop took. They are disjoint, and their sum is the hop's time. A part that was not begun, or did not come to
/// its end, is absent.
package struct HTTPPhases: Hashable, Sendable {
  /// Nil for a literal address and for a unix socket.
  package internal(set) var nameLookup: Duration?
  package internal(set) var connect: Duration?
  /// Nil without TLS.
  package internal(set) var tls: Duration?
  /// From the end of what is above until the first byte of the response: sending the request, and the server's work.
  package internal(set) var firstByte: Duration?
  /// From the first byte of the response to its last.
  package internal(set) var transfer: Duration?

  /// Those that are there, by name, in their order.
  package var all: [(name: String, duration: Duration)] {
    [
      ("nameLookup", nameLookup), ("connect", connect), ("tls", tls), ("firstByte", firstByte),
      ("transfer", transfer),
    ].compactMap { name, duration in duration.map { (name, $0) } }
  }
}
