import Addresses
import NIOCore
import NIOPosix
import STUN

@testable import Probe

/// A TCP server on loopback that answers as a test says, lies included.
final class ScriptedStreamServer: Sendable {
  /// What it does with the bytes of one read: the pieces to send, each in a packet of its own.
  typealias Script = @Sendable (ByteBuffer) -> [ByteBuffer]

  let port: UInt16
  private let channel: any Channel

  private init(port: UInt16, channel: any Channel) {
    self.port = port
    self.channel = channel
  }

  func uri(_ scheme: ServerURI.Scheme = .turn) -> ServerURI {
    ServerURI(scheme: scheme, host: "127.0.0.1", port: port, transport: .tcp)
  }

  static func with<Value>(
    _ script: @escaping Script, _ body: (ScriptedStreamServer) async throws -> Value
  ) async throws -> Value {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Responder(script: script))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let server = ScriptedStreamServer(port: UInt16(channel.localAddress?.port ?? 0), channel: channel)
    do {
      let value = try await body(server)
      try await channel.close()
      return value
    } catch {
      try? await channel.close()
      throw error
    }
  }

  private final class Responder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let script: Script

    init(script: @escaping Script) { self.script = script }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      for piece in script(unwrapInboundIn(data)) { context.writeAndFlush(wrapOutboundOut(piece), promise: nil) }
    }
  }
}
