import Addresses
import NIOCore
import STUN
import Schema

extension ServerConnection {
  /// A UDP socket that sends to several addresses and hears whoever answers. Its requests carry the attributes that they are
  /// given and no others.
  struct Unconnected: Sendable {
    let connection: ServerConnection
    fileprivate let redirection: NIOLoopBound<RedirectionHandler>

    /// Sends a request to an address.
    ///
    /// - Parameter source: where the success must come from; nil: from where the request goes.
    func perform(
      _ request: Request, to target: TransportAddress, answeredFrom source: TransportAddress? = nil,
      by deadline: Instant
    ) async throws(RequestFailure) -> Response {
      let redirection = redirection
      var request = request
      request.answerSource = source ?? target
      try? await connection.eventLoop.submit { redirection.value.target = target }.get()
      return try await connection.perform(request, by: deadline)
    }
  }

  static func withUnconnectedSocket<Value>(
    to first: TransportAddress, in network: ProbeNetwork, _ body: (Unconnected) async throws(ProbeFailure) -> Value
  ) async throws(ProbeFailure) -> Value {
    let socket: Unconnected
    do {
      socket = try await DatagramChannel.open(
        .anyone(first.ip.family), in: network, on: try DatagramEventLoop.shared()
      ) { channel in
        var configuration = STUNClient.Configuration(server: nil, schedule: Transport.udp.schedule, software: nil)
        configuration.sendsFingerprint = false
        let handler = ClientHandler(client: STUNClient(configuration), transport: .udp)
        let redirection = RedirectionHandler()
        try channel.pipeline.syncOperations.addHandlers([redirection, handler])
        return Unconnected(
          connection: ServerConnection(
            transport: .udp, server: first, channel: channel,
            handler: NIOLoopBound(handler, eventLoop: channel.eventLoop), handshake: nil),
          redirection: NIOLoopBound(redirection, eventLoop: channel.eventLoop))
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

/// Sends each datagram to where the next request goes.
private final class RedirectionHandler: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = AddressedDatagram

  var target: TransportAddress?

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard let target else { return promise?.fail(TransportFailure.networkUnreachable) ?? () }
    context.write(
      wrapOutboundOut(AddressedDatagram(bytes: unwrapOutboundIn(data), target: target)), promise: promise)
  }
}
