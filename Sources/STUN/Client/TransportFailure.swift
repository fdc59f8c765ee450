/// How a transport can fail, as the operating system or the TLS library reports it.
package enum TransportFailure: Error, Sendable, Hashable {
  /// ICMP port unreachable: nobody listens there.
  case portUnreachable
  /// Another ICMP message about what was sent.
  case icmp(ICMPError)
  /// This host does not let us send there.
  case notPermitted
  case hostUnreachable
  case networkUnreachable
  /// TCP: the port is closed.
  case connectionRefused
  case connectionReset
  /// The server closed the connection in an orderly way.
  case closedByServer
  /// No connection within the time; nil if it was the system's.
  case connectTimedOut(after: Duration?)
  /// The datagram is larger than the path takes.
  case messageTooLong
  /// Bytes on a stream that are no STUN: nothing behind them can be read.
  case brokenStream(DecodingError)
  /// A stream that begins as another protocol does, such as HTTP.
  case otherProtocol(String)
  /// TLS or DTLS: the handshake failed, or the certificate does not convince.
  case tls(TLSFailure)
  /// The caller's task was cancelled while the transport was opened.
  case cancelled
  /// Anything else, in the system's words.
  case other(String)
}

/// How a TLS or DTLS connection can fail.
package struct TLSFailure: Error, Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The certificate's issuer is not trusted here.
    case untrusted
    /// The certificate is for other names than the server's.
    case nameMismatch
    case expired
    case notYetValid
    /// The certificate does not hold for another reason.
    case certificateInvalid
    /// Server and client have no version in common.
    case noCommonVersion
    /// The server ended the handshake with an alert.
    case refused
    /// The server asked for a client's certificate, got none, and ended the handshake.
    case clientCertificateMissing
    /// The server asked for a client's certificate, got one, and ended the handshake.
    case clientCertificateRefused
    /// What answered does not speak TLS.
    case notTLS
    /// The handshake did not end in time.
    case timedOut
    /// The server did not go on to TLS from its clear-text protocol.
    case startTLS
    /// Our own side: a file that cannot be read, an option that is not known.
    case configuration
    case other
  }

  package let kind: Kind
  /// In the words of the TLS library.
  package let detail: String

  package init(_ kind: Kind, _ detail: String) {
    self.kind = kind
    self.detail = detail
  }
}
