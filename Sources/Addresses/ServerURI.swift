/// A STUN or TURN server by its URI (RFC 7064 and RFC 7065): `turns:turn.example.org:5349?transport=tcp`.
package struct ServerURI: Sendable, Hashable {
  package enum Scheme: String, Sendable, Hashable, CaseIterable {
    case stun
    case stuns
    case turn
    case turns

    /// Whether the connection is encrypted: TLS over TCP, DTLS over UDP.
    package var isSecure: Bool { self == .stuns || self == .turns }
    /// The scheme's default port: 3478, or 5349 when encrypted.
    package var defaultPort: UInt16 { isSecure ? 5349 : 3478 }
  }

  package enum URITransport: String, Sendable, Hashable, CaseIterable {
    case udp
    case tcp
  }

  /// Why a text is not a server URI; each case says which part is wrong.
  package enum ParsingError: Error, Sendable, Hashable {
    case unknownScheme
    case missingHost
    case invalidHost
    case invalidPort
    case invalidTransport
    /// `?…` behind a `stun` or `stuns` URI, or another query than `transport=`.
    case unexpectedQuery
  }

  package var scheme: Scheme
  /// A name, or an IP address without brackets.
  package var host: String
  /// nil if the URI names none: the default port, or what DNS says.
  package var port: UInt16?
  /// nil if the URI names none: what DNS says, or UDP for `turn`, TCP for `turns`.
  package var transport: URITransport?

  package init(scheme: Scheme, host: String, port: UInt16? = nil, transport: URITransport? = nil) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.transport = transport
  }

  /// The address, where the host is one.
  package var literalAddress: IPAddress? { IPAddress(host) }

  /// Reads a URI. Scheme, host and transport are case-insensitive and come out in lower case.
  package init(parsing text: String) throws(ParsingError) {
    guard let colon = text.firstIndex(of: ":"), let scheme = Scheme(rawValue: text[..<colon].lowercased()) else {
      throw .unknownScheme
    }
    self.scheme = scheme
    let rest = text[text.index(after: colon)...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let authority = rest[0]
    transport = try rest.count > 1 ? Self.transport(inQuery: rest[1], of: scheme) : nil
    let portText: Substring?
    if authority.first == "[" {
      guard let close = authority.firstIndex(of: "]") else { throw .invalidHost }
      host = authority[authority.index(after: authority.startIndex)..<close].lowercased()
      guard case .v6? = IPAddress(host) else { throw .invalidHost }
      let behind = authority[authority.index(after: close)...]
      guard behind.isEmpty || behind.first == ":" else { throw .invalidPort }
      portText = behind.isEmpty ? nil : behind.dropFirst()
    } else {
      let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      host = parts[0].lowercased()
      guard !host.isEmpty else { throw .missingHost }
      guard isHost(host), !host.contains(":") else { throw .invalidHost }
      portText = parts.count > 1 ? parts[1] : nil
    }
    port = try portText.map(Self.port)
  }

  /// Reads HOST, HOST:PORT or an IPv6 address, as people type them; nil if the text is none of these.
  package init?(_ scheme: Scheme, address text: String) {
    guard let uri = ["\(scheme):\(text)", "\(scheme):[\(text)]"].lazy.compactMap({ try? ServerURI(parsing: $0) }).first
    else { return nil }
    self = uri
  }

  private static func port(_ text: Substring) throws(ParsingError) -> UInt16 {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(text), port > 0 else {
      throw .invalidPort
    }
    return port
  }

  private static func transport(inQuery query: Substring, of scheme: Scheme) throws(ParsingError) -> URITransport {
    guard scheme == .turn || scheme == .turns, query.lowercased().hasPrefix("transport=") else {
      throw .unexpectedQuery
    }
    guard let transport = URITransport(rawValue: query.dropFirst("transport=".count).lowercased()) else {
      throw .invalidTransport
    }
    return transport
  }
}

extension ServerURI: CustomStringConvertible {
  /// The URI, with a port or transport only if one was named.
  package var description: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return "\(scheme.rawValue):\(name)" + (port.map { ":\($0)" } ?? "")
      + (transport.map { "?transport=\($0.rawValue)" } ?? "")
  }
}
