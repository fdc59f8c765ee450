import Addresses
import NIOCore
import NIOPosix
import STUN

@testable import Probe

/// A UDP forwarder between clients and a server that loses, delays, repeats and reorders datagrams by chance with set
/// parameters. The sequence of chance is fixed.
final class ImpairingRelay: Sendable {
  /// Applied to each datagram, in each direction on its own.
  struct Impairment: Sendable {
    /// 0 to 1.
    var loss = 0.0
    /// 0 to 1.
    var duplication = 0.0
    var delay = Duration.zero
    /// Added to the delay, evenly distributed from zero: what makes jitter, and order where packets are close.
    var jitter = Duration.zero
    /// Otherwise requests and answers pass untouched.
    var coversRequests = false
    /// Loses every DTLS record of the first client that sends one (RFC 7983: first bytes 20 to 63), and nothing else.
    var losesFirstHandshake = false
  }

  let address: TransportAddress
  private let channel: any Channel

  private init(address: TransportAddress, channel: any Channel) {
    self.address = address
    self.channel = channel
  }

  static func with<Value>(
    to server: UInt16, _ impairment: Impairment, _ body: (ImpairingRelay) async throws -> Value
  ) async throws -> Value {
    let target = try SocketAddress(ipAddress: "127.0.0.1", port: Int(server))
    let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Front(target: target, impairment: impairment))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    guard let address = channel.localAddress.flatMap(TransportAddress.init) else { throw ChannelError.eof }
    let relay = ImpairingRelay(address: address, channel: channel)
    do {
      let value = try await body(relay)
      try await channel.close()
      return value
    } catch {
      try? await channel.close()
      throw error
    }
  }

  private struct Chance: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var value = state
      value = (value ^ value >> 33) &* 0xFF51_AFD7_ED55_8CCD
      return value ^ value >> 33
    }
  }

  /// The clients' side; each client gets a socket of its own towards the server.
  private final class Front: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>
    private let target: SocketAddress
    private let impairment: Impairment
    private var backs: [SocketAddress: EventLoopFuture<any Channel>] = [:]
    private var chance = Chance(state: 42)
    private var firstSecureClient: SocketAddress?

    init(target: SocketAddress, impairment: Impairment) {
      self.target = target
      self.impairment = impairment
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let envelope = unwrapInboundIn(data)
      if impairment.losesFirstHandshake, (20...63).contains(envelope.data.readableBytesView.first ?? 0) {
        if firstSecureClient == nil { firstSecureClient = envelope.remoteAddress }
        if firstSecureClient == envelope.remoteAddress { return }
      }
      let back = back(for: envelope.remoteAddress, context)
      let target = target
      forward(envelope.data, context) { bytes in
        back.whenSuccess {
          $0.writeAndFlush(AddressedEnvelope(remoteAddress: target, data: bytes), promise: nil)
        }
      }
    }

    private func back(for client: SocketAddress, _ context: ChannelHandlerContext) -> EventLoopFuture<any Channel> {
      if let back = backs[client] { return back }
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      let back = DatagramBootstrap(group: context.eventLoop)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
              Back { bytes in
                let (front, context) = bound.value
                front.forward(bytes, context) { bytes in
                  let context = bound.value.1
                  context.channel.writeAndFlush(
                    AddressedEnvelope(remoteAddress: client, data: bytes), promise: nil)
                }
              })
          }
        }
        .connect(to: target)
      backs[client] = back
      return back
    }

    private func forward(
      _ bytes: ByteBuffer, _ context: ChannelHandlerContext, _ send: @escaping @Sendable (ByteBuffer) -> Void
    ) {
      let first: UInt8? = bytes.getInteger(at: bytes.readerIndex)
      let isChannelData = first.map { (0x40...0x4F).contains($0) } ?? false
      guard isChannelData || impairment.coversRequests else { return send(bytes) }
      if Double.random(in: 0..<1, using: &chance) < impairment.loss { return }
      let copies = Double.random(in: 0..<1, using: &chance) < impairment.duplication ? 2 : 1
      for _ in 0..<copies {
        let delay = impairment.delay + impairment.jitter * Double.random(in: 0..<1, using: &chance)
        if delay > .zero {
          context.eventLoop.scheduleTask(in: TimeAmount(delay)) { send(bytes) }
        } else {
          send(bytes)
        }
      }
    }
  }

  private final class Back: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let received: (ByteBuffer) -> Void

    init(_ received: @escaping (ByteBuffer) -> Void) { self.received = received }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { received(unwrapInboundIn(data).data) }
  }
}
