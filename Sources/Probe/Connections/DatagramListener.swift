import Addresses
import NIOCore
import STUN
import Schema

/// A UDP socket of our own, to see what truly arrives and to send from the outside.
struct DatagramListener: Sendable {
  struct Datagram: Sendable {
    let bytes: ByteBuffer
    let source: TransportAddress
  }

  private let channel: any Channel
  private let arrivals: AsyncStream<Datagram>
  private let continuation: AsyncStream<Datagram>.Continuation

  /// The port that it listens on.
  var port: UInt16 { channel.localAddress?.port.flatMap(UInt16.init(exactly:)) ?? 0 }

  /// Opens a socket on every address of a family, uses it and closes it.
  static func withListener<Value>(
    _ family: AddressFamily, in network: ProbeNetwork, _ body: (DatagramListener) async throws(ProbeFailure) -> Value
  ) async throws(ProbeFailure) -> Value {
    let listener: DatagramListener
    do {
      listener = try await open(family, network)
    } catch {
      throw ProbeFailure(
        .transportBroken, "No UDP socket can be opened here: \(error).", advice: "Look at this host's limits.")
    }
    let result: Result<Value, ProbeFailure>
    do throws(ProbeFailure) {
      let value = try await body(listener)
      result = .success(value)
    } catch {
      result = .failure(error)
    }
    listener.continuation.finish()
    try? await listener.channel.close()
    return try result.get()
  }

  private static func open(_ family: AddressFamily, _ network: ProbeNetwork) async throws -> DatagramListener {
    let (arrivals, continuation) = AsyncStream.makeStream(of: Datagram.self, bufferingPolicy: .bufferingNewest(4096))
    let channel: any Channel = try await DatagramChannel.open(
      .anyone(family), in: network, on: try DatagramEventLoop.shared()
    ) { channel in
      try channel.pipeline.syncOperations.addHandler(Receiver(continuation))
      return channel
    }
    return DatagramListener(channel: channel, arrivals: arrivals, continuation: continuation)
  }

  func send(_ text: String, to target: TransportAddress) {
    channel.writeAndFlush(AddressedDatagram(bytes: ByteBuffer(string: text), target: target), promise: nil)
  }

  /// What arrives until the wait is over, or until enough has come. To be called once.
  func collect(for wait: Duration, upTo count: Int) async -> [Datagram] {
    let limit = channel.eventLoop.scheduleTask(in: TimeAmount(wait)) { continuation.finish() }
    defer { limit.cancel() }
    var collected: [Datagram] = []
    for await datagram in arrivals {
      collected.append(datagram)
      if collected.count >= count { break }
    }
    return collected
  }

  private final class Receiver: ChannelInboundHandler {
    typealias InboundIn = ReceivedFrame
    private let continuation: AsyncStream<Datagram>.Continuation

    init(_ continuation: AsyncStream<Datagram>.Continuation) { self.continuation = continuation }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let frame = unwrapInboundIn(data)
      guard let source = frame.source else { return }
      continuation.yield(Datagram(bytes: frame.bytes, source: source))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
  }
}

extension Allocation {
  /// Sends a datagram to a peer as a Send indication; the peer needs a permission.
  nonisolated func send(_ payload: ByteBuffer, to peer: TransportAddress) {
    let connection = connection
    connection.eventLoop.execute {
      let handler = connection.handler.value
      handler.writeUnflushed(handler.client.sendIndication(payload, to: peer))
      handler.flush()
    }
  }

  /// Sends a datagram to a channel's peer.
  nonisolated func send(_ payload: ByteBuffer, over channel: ChannelNumber) {
    let connection = connection
    connection.eventLoop.execute {
      let handler = connection.handler.value
      var frame = ByteBuffer()
      handler.client.channelData(payload, to: channel, into: &frame)
      handler.writeUnflushed(frame)
      handler.flush()
    }
  }

  /// What peers send until the wait is over, or until enough has come.
  ///
  /// - Parameter isWanted: what else comes is left out, and ends no wait: anybody at a permitted address may send.
  nonisolated func collect(
    for wait: Duration, upTo count: Int, where isWanted: @escaping @Sendable (RelayedData) -> Bool = { _ in true },
    afterStarting start: () -> Void
  ) async -> [RelayedData] {
    let connection = connection
    let (arrivals, continuation) = AsyncStream.makeStream(of: RelayedData.self)
    // Done before anything is sent: the event loop reads sockets first, and what comes to nobody is dropped.
    try? await connection.eventLoop.submit {
      connection.handler.value.onData = { data, _ in if isWanted(data) { continuation.yield(data) } }
    }.get()
    start()
    let limit = connection.eventLoop.scheduleTask(in: TimeAmount(wait)) { continuation.finish() }
    defer { limit.cancel() }
    var collected: [RelayedData] = []
    for await data in arrivals {
      collected.append(data)
      if collected.count >= count { break }
    }
    connection.eventLoop.execute { connection.handler.value.onData = nil }
    return collected
  }
}
