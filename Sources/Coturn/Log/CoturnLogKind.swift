/// What a record of coturn's log tells of, by its text whatever its level: quota and ports are INFO, lost TLS listeners carry
/// no level up to 4.6.1.
package enum CoturnLogKind: String, Hashable, Sendable, CaseIterable {
  case unknownOrExpired = "auth.unknownOrExpired"
  case wrongPassword = "auth.wrongPassword"
  /// 438: normal with `stale-nonce`.
  case staleNonce = "nonce.stale"
  case peerDenied = "peer.denied"
  /// 486.
  case quotaExceeded = "quota.exceeded"
  /// 508, and what stands before it.
  case portsExhausted = "ports.exhausted"
  case rateLimited = "attack.rateLimited"
  /// A user name or realm with characters that none may have.
  case malformedName = "client.malformedName"
  case socketError = "socket.error"
  case protocolNotSupported = "socket.protocolNotSupported"
  case certificateNotFound = "tls.certificateNotFound"
  case keyNotFound = "tls.keyNotFound"
  case listenersDisabled = "tls.listenersDisabled"
  case reloadFailed = "tls.reloadFailed"
  case readError = "tls.readError"
  case draining = "server.draining"
  case badFormat = "config.badFormat"
  case cliPasswordEmpty = "config.cliPasswordEmpty"
  case allowLoopbackPeers = "config.allowLoopbackPeers"
  case segfault = "crash.segfault"
  /// Ended with SIGKILL, as the kernel does if memory runs out, though nobody had told the server to stop.
  case killed = "crash.killed"
  /// Ended with another signal of a fault: an assertion that failed, an instruction that is none.
  case aborted = "crash.aborted"
  case cannotOpenLog = "log.cannotOpen"

  /// Its place in a table of counts.
  var place: Int {
    switch self {
    case .unknownOrExpired: 0
    case .wrongPassword: 1
    case .staleNonce: 2
    case .peerDenied: 3
    case .quotaExceeded: 4
    case .portsExhausted: 5
    case .rateLimited: 6
    case .malformedName: 7
    case .socketError: 8
    case .protocolNotSupported: 9
    case .certificateNotFound: 10
    case .keyNotFound: 11
    case .listenersDisabled: 12
    case .reloadFailed: 13
    case .readError: 14
    case .draining: 15
    case .badFormat: 16
    case .cliPasswordEmpty: 17
    case .allowLoopbackPeers: 18
    case .segfault: 19
    case .cannotOpenLog: 20
    case .killed: 21
    case .aborted: 22
    }
  }
}
