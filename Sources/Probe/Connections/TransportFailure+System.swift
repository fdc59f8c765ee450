import NIOCore
import STUN

#if canImport(Glibc)
  import Glibc
#endif

extension TransportFailure {
  /// What a system or channel error means for a client of this transport.
  init(_ error: any Error, over transport: Transport) {
    switch error {
    case let failure as TransportFailure:
      self = failure
    case let failure as TLSFailure:
      self = .tls(failure)
    case let error as IOError:
      self.init(errno: error.errnoCode, over: transport)
    case let error as ChannelError:
      switch error {
      case .connectTimeout(let limit): self = .connectTimedOut(after: .nanoseconds(limit.nanoseconds))
      case .eof, .ioOnClosedChannel, .alreadyClosed, .inputClosed, .outputClosed: self = .closedByServer
      default: self = .other("\(error)")
      }
    default:
      self = .other("\(error)")
    }
  }

  private init(errno code: CInt, over transport: Transport) {
    switch code {
    case ECONNREFUSED: self = transport.isReliable ? .connectionRefused : .portUnreachable
    case EHOSTUNREACH, EHOSTDOWN: self = .hostUnreachable
    case ENETUNREACH, ENETDOWN, EADDRNOTAVAIL: self = .networkUnreachable
    case ECONNRESET, EPIPE: self = .connectionReset
    case ETIMEDOUT: self = .connectTimedOut(after: nil)
    case EMSGSIZE: self = .messageTooLong
    case EPERM, EACCES: self = .notPermitted
    default: self = .other(unsafe String(cString: strerror(code)))
    }
  }
}
