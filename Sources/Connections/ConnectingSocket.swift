import Addresses
import Glibc

/// A socket that connects, without anybody waiting for it.
struct ConnectingSocket: ~Copyable {
  let address: TransportAddress
  let start: ContinuousClock.Instant
  /// -1 once it was handed on, or if there never was one.
  private(set) var descriptor: Int32
  /// Set once the outcome is known: 0 if it is connected, otherwise the error's number.
  private(set) var outcome: Int32?

  init(to address: TransportAddress) {
    self.address = address
    start = .now
    descriptor = -1
    outcome = nil
    let family = address.ip.family == .ipv4 ? AF_INET : AF_INET6
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    descriptor = socket(family, type, 0)
    guard descriptor >= 0 else {
      outcome = errno
      return
    }
    let failure = Self.connect(descriptor, to: address)
    if failure != EINPROGRESS { outcome = failure }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Takes note of what the kernel knows by now, after poll(2) has woken us.
  mutating func look() {
    var failure: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    outcome = getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno
  }

  /// The connected socket, which is the caller's to close.
  mutating func handOver() -> Int32 {
    defer { descriptor = -1 }
    return descriptor
  }

  /// What came of it.
  ///
  /// - Parameter pending: what stands for no outcome.
  func result(pending: ConnectionAnswer) -> ConnectionTry {
    let answer: ConnectionAnswer =
      switch outcome {
      case nil: pending
      case 0?: .connected
      case ECONNREFUSED?: .refused
      case ETIMEDOUT?: .silent
      case ENETUNREACH?, EHOSTUNREACH?, EADDRNOTAVAIL?, EAFNOSUPPORT?: .unreachable
      default: .failed
      }
    return ConnectionTry(
      address: address, answer: answer, errorNumber: outcome == 0 ? nil : outcome,
      elapsed: start.duration(to: .now))
  }

  /// Begins to connect: 0 if it is done already, EINPROGRESS while it goes on.
  private static func connect(_ descriptor: Int32, to address: TransportAddress) -> Int32 {
    let bytes = socketAddress(of: address)
    let status = bytes.withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) {
        Glibc.connect(descriptor, $0.baseAddress, socklen_t(bytes.count))
      }
    }
    return status == 0 ? 0 : errno
  }

  /// The address as connect(2) takes it.
  private static func socketAddress(of address: TransportAddress) -> [UInt8] {
    func bytes(_ value: some BitwiseCopyable) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
    let port = bytes(address.port.bigEndian)
    guard address.ip.family == .ipv6 else {
      return bytes(sa_family_t(AF_INET)) + port + address.ip.octets + [UInt8](repeating: 0, count: 8)
    }
    return bytes(sa_family_t(AF_INET6)) + port + bytes(UInt32(0)) + address.ip.octets + bytes(UInt32(0))
  }
}
