import Addresses
import NIOCore
import STUN

/// The payload of one packet of a relay probe: run, number, direction, time of sending, padding.
struct RelayPacket {
  static let minimumSize = 24

  enum Direction: UInt32 {
    case there = 0
    case back = 1
  }

  let run: UInt64
  let number: UInt32
  let direction: Direction
  /// Nanoseconds since the run began.
  let sentAt: Int64

  init(run: UInt64, number: UInt32, direction: Direction, sentAt: Int64) {
    self.run = run
    self.number = number
    self.direction = direction
    self.sentAt = sentAt
  }

  /// nil for what no relay probe has sent.
  init?(_ payload: ByteBuffer) {
    var payload = payload
    guard
      let (run, number, wire, sentAt) = payload.readMultipleIntegers(as: (UInt64, UInt32, UInt32, Int64).self),
      let direction = Direction(rawValue: wire)
    else { return nil }
    self.init(run: run, number: number, direction: direction, sentAt: sentAt)
  }

  func write(into buffer: inout ByteBuffer, size: Int) {
    buffer.writeMultipleIntegers(run, number, direction.rawValue, sentAt)
    buffer.writeRepeatingByte(0x5A, count: max(0, size - Self.minimumSize))
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
  /// The last ICMP message that the server passed on to either side.
  var icmp: ICMP?
  /// At the echo.
  var there: FlowTracker
  /// Back at the sender.
  var back: FlowTracker
}
