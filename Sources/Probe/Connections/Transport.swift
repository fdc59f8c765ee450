package import Addresses
import STUN

/// How a client reaches its server.
package enum Transport: String, Sendable, Hashable, CaseIterable {
  case udp
  case tcp
  case tls
  case dtls

  /// Whether the transport keeps order and repeats what is lost, so that requests are sent once.
  package var isReliable: Bool { self == .tcp || self == .tls }

  /// Whether the server shows a certificate.
  package var isSecure: Bool { self == .tls || self == .dtls }

  /// The timers that requests over this transport follow.
  var schedule: RetransmissionSchedule { isReliable ? .reliable : .unreliable() }

  /// What a URI says, with what the RFCs assume where it says nothing: UDP for `stun` and `turn`, TLS over TCP for
  /// `stuns` and `turns`.
  package init(of uri: ServerURI) {
    switch (uri.scheme.isSecure, uri.transport) {
    case (false, .tcp): self = .tcp
    case (false, _): self = .udp
    case (true, .udp): self = .dtls
    case (true, _): self = .tls
    }
  }
}
