import Addresses
import NIOCore
import STUN

/// Makes the payloads of one direction of one run, and knows them again.
///
/// Each is a number, a tag of this number, and noise. Tag and noise are keyed for the direction and the run, so that only
/// what was sent this way and arrived whole is known again: what a server makes up, changes or turns round is not.
struct RelayPackets {
  /// The smallest payload that a probe may be asked for.
  static let minimumSize = 24

  private let size: Int
  private let key = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
  private let noise: ByteBuffer

  /// - Parameter size: of every payload; number and tag take 12 bytes of it.
  init(size: Int) {
    self.size = size
    var generator = SystemRandomNumberGenerator()
    let count = max(0, size - 12)
    var noise = ByteBufferAllocator().buffer(capacity: count + 8)
    while noise.readableBytes < count { noise.writeInteger(generator.next() as UInt64) }
    noise.moveWriterIndex(to: count)
    self.noise = noise
  }

  func write(_ number: Int, into buffer: inout ByteBuffer) {
    let number = UInt32(truncatingIfNeeded: number)
    buffer.writeMultipleIntegers(number, tag(of: number))
    buffer.writeImmutableBuffer(noise)
  }

  /// nil for what is not, byte for byte, a payload of this direction.
  func number(of payload: ByteBuffer) -> Int? {
    var payload = payload
    guard payload.readableBytes == size, let (number, tag) = payload.readMultipleIntegers(as: (UInt32, UInt64).self),
      tag == self.tag(of: number), payload == noise
    else { return nil }
    return Int(number)
  }

  /// SipHash, with 128 bits of key in front.
  private func tag(of number: UInt32) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(key.0)
    hasher.combine(key.1)
    hasher.combine(number)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}

/// How an allocation reaches a peer.
enum RelayRoute: Sendable {
  case channel(ChannelNumber)
  case indications(TransportAddress)
}

/// One side of a relay probe.
struct RelayEnd: Sendable {
  let connection: ServerConnection
  let route: RelayRoute

  init(_ connection: ServerConnection, _ route: RelayRoute) {
    self.connection = connection
    self.route = route
  }
}

/// What a relay probe sends.
struct RelayPlan: Sendable {
  let packets: Int
  let size: Int
  /// Packets a second; nil keeps `window` under way.
  let rate: Int?
  /// How long is waited after the last packet at least, where some are missing.
  let patience: Duration
  let end: Instant
  let progress: ProbeProgress
  /// How many packets are under way where no rate is set.
  var window = 32
}

/// What became of a relay probe's packets.
struct RelayTally: Sendable {
  var sent = 0
  let startedAt: Instant
  var lastSentAt: Instant
  /// When no more was waited for.
  var endedAt: Instant
  /// Datagrams that arrived at either side from the other, and not as any was sent.
  var corrupted = 0
  /// The last ICMP message that the server passed on to either side.
  var icmp: ICMP?
  /// Why the network dropped a datagram that was too large for it, or in pieces.
  var obstacle: ICMPError?
  /// At the echo.
  var there: FlowTracker
  /// Back at the sender.
  var back: FlowTracker
}
