import Crypto
import Glibc

/// The floor: what the server and the kernel take. One blocking socket, fixed bytes, a key made beforehand, no timers,
/// no checks; the next request is sent as soon as the answer to the last is there.
struct BareClient: AllocationClient {
  let name = "bare socket"
  /// Whoever wants more in flight needs more than a blocking socket.
  let canOverlap = false
  private let key = SymmetricKey(data: Insecure.MD5.hash(data: Array("u:r.example:p".utf8)))

  /// What goes wrong only if the server is not there.
  struct NoAnswer: Error {}

  func run(_ server: BenchmarkServer, count: Int, inFlight: Int) throws -> AllocationSamples {
    var samples = AllocationSamples()
    let start = ContinuousClock.now
    while samples.all.count < count {
      if let sample = try allocate(server.port) { samples.all.append(sample) } else { samples.refused += 1 }
      guard samples.refused <= count else { throw NoAnswer() }
    }
    samples.elapsed = .now - start
    return samples
  }

  /// Binding round trips, one after the other over one socket.
  func ping(_ server: BenchmarkServer, count: Int) throws -> [Duration] {
    let socket = try open(server.port)
    defer { close(socket) }
    return try (0..<count).map { _ in
      let start = ContinuousClock.now
      guard try answer(to: request(0x0001, []), on: socket).starts(with: [0x01, 0x01]) else { throw NoAnswer() }
      return .now - start
    }
  }

  /// nil if the request was refused.
  private func allocate(_ port: Int) throws -> AllocationSample? {
    let start = ContinuousClock.now
    let socket = try open(port)
    let begun = ContinuousClock.now
    let challenge = try answer(to: request(0x0003, Self.requestedTransport), on: socket)
    let nonce = Self.attribute(0x0015, of: challenge)
    let grant = try answer(to: signed(0x0003, Self.requestedTransport, nonce), on: socket)
    let granted = ContinuousClock.now
    guard grant.starts(with: [0x01, 0x03]) else {
      close(socket)
      return nil
    }
    let deletion = try answer(to: signed(0x0004, Self.noLifetime, nonce), on: socket)
    let deleted = ContinuousClock.now
    close(socket)
    guard deletion.starts(with: [0x01, 0x04]) else { throw NoAnswer() }
    return AllocationSample(
      allocate: granted - start, whole: .now - start, exchange: granted - begun, deletion: deleted - granted)
  }

  // MARK: Socket

  private func open(_ port: Int) throws -> CInt {
    let socket = Glibc.socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    let status = withUnsafeBytes(of: &address) {
      connect(socket, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    guard socket >= 0, status == 0 else { throw NoAnswer() }
    var patience = timeval(tv_sec: 1, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    return socket
  }

  private func answer(to request: [UInt8], on socket: CInt) throws -> [UInt8] {
    guard send(socket, request, request.count, 0) == request.count else { throw NoAnswer() }
    return try [UInt8](unsafeUninitializedCapacity: 1500) { buffer, count in
      count = recv(socket, buffer.baseAddress, buffer.count, 0)
      guard count > 0 else {
        count = 0
        throw NoAnswer()
      }
    }
  }

  // MARK: Bytes

  private static let requestedTransport: [UInt8] = [0x00, 0x19, 0, 4, 17, 0, 0, 0]
  private static let noLifetime: [UInt8] = [0x00, 0x0D, 0, 4, 0, 0, 0, 0]
  private static let credentials: [UInt8] =
    [0x00, 0x06, 0, 1, UInt8(ascii: "u"), 0, 0, 0, 0x00, 0x14, 0, 9] + Array("r.example".utf8) + [0, 0, 0]

  private func request(_ type: UInt8, _ attributes: [UInt8]) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    let id = (generator.next() as UInt64, generator.next() as UInt32)
    var message: [UInt8] = [0, type, 0, UInt8(attributes.count), 0x21, 0x12, 0xA4, 0x42]
    withUnsafeBytes(of: id) { message += $0.prefix(12) }
    message += attributes
    return message
  }

  private func signed(_ type: UInt8, _ attributes: [UInt8], _ nonce: [UInt8]) -> [UInt8] {
    var message = request(type, attributes + Self.credentials + nonce)
    message[3] += 24
    let code = HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key)
    message += [0x00, 0x08, 0, 20]
    message += code
    return message
  }

  /// An attribute with its header and padding; empty if it is missing.
  private static func attribute(_ type: UInt8, of message: [UInt8]) -> [UInt8] {
    var offset = 20
    while offset + 4 <= message.count {
      let end = offset + 4 + (Int(message[offset + 3]) + 3) & ~3
      if message[offset] == 0, message[offset + 1] == type, end <= message.count { return Array(message[offset..<end]) }
      offset = end
    }
    return []
  }
}
