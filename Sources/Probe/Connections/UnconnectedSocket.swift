import Addresses
import NIOCore
import NIOPosix
import STUN

extension ServerConnection {
  /// A UDP socket that sends to several addresses and hears whoever answers.
  struct Unconnected: Sendable {
    let connection: ServerConnection
    fileprivate let codec: NIOLoopBound<RedirectableFrameCodec>

    /// Sends a request to an address.
    ///
    /// - Parameter source: where the success must come from; nil: from where the request goes.
    func perform(
      _ request: Request, to target: TransportAddress, answeredFrom source: TransportAddress? = nil,
      by deadline: Instant
    ) async throws(RequestFailure) -> Response {
      let codec = codec
      var request = request
      request.answerSource = source ?? target
      try? await connection.eventLoop.submit { codec.value.target = try? SocketAddress(target) }.get()
      return try await connection.perform(request, by: deadline)
    }
  }

  static func withUnconnectedSocket<Value>(
    to first: TransportAddress, _ body: (Unconnected) async throws(ProbeFailure) -> Value
  ) async throws(ProbeFailure) -> Value {
    let socket: Unconnected
    do {
      let host = first.ip.family == .ipv4 ? "0.0.0.0" : "::"
      socket = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .bind(to: try SocketAddress(ipAddress: host, port: 0)) { channel in
          channel.eventLoop.makeCompletedFuture {
            let configuration = STUNClient.Configuration(server: nil, schedule: Transport.udp.schedule)
            let handler = ClientHandler(client: STUNClient(configuration), transport: .udp)
            let codec = RedirectableFrameCodec()
            try channel.pipeline.syncOperations.addHandlers([codec, handler])
            return Unconnected(
              connection: ServerConnection(
                transport: .udp, server: first, channel: channel,
                handler: NIOLoopBound(handler, eventLoop: channel.eventLoop), handshake: nil),
              codec: NIOLoopBound(codec, eventLoop: channel.eventLoop))
          }
        }
    } catch {
      throw ProbeFailure(TransportFailure(error, over: .udp), server: first, transport: .udp)
    }
    let result: Result<Value, ProbeFailure>
    do throws(ProbeFailure) {
      let value = try await body(socket)
      result = .success(value)
    } catch {
      result = .failure(error)
    }
    await socket.connection.close()
    return try result.get()
  }
}

/// One frame a datagram, sent to wherever the next request goes.
private final class RedirectableFrameCodec: ChannelDuplexHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias InboundOut = ReceivedFrame
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>

  var target: SocketAddress?

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let envelope = unwrapInboundIn(data)
    context.fireChannelRead(
      wrapInboundOut(ReceivedFrame(bytes: envelope.data, source: TransportAddress(envelope.remoteAddress))))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard let target else { return promise?.fail(TransportFailure.networkUnreachable) ?? () }
    context.write(
      wrapOutboundOut(AddressedEnvelope(remoteAddress: target, data: unwrapOutboundIn(data))), promise: promise)
  }
}
