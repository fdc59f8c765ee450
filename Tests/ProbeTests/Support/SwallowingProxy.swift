import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy on loopback that takes every connection, and forwards nothing of every second one.
enum SwallowingProxy {
  static func with<Value>(to port: UInt16, _ body: (UInt16) async throws -> Value) async throws -> Value {
    let connections = Counter()
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { client in
        guard connections.next().isMultiple(of: 2) else { return client.eventLoop.makeSucceededVoidFuture() }
        return ClientBootstrap(group: client.eventLoop)
          .connect(host: "127.0.0.1", port: Int(port))
          .flatMapThrowing { server in
            try client.pipeline.syncOperations.addHandler(Forwarder(to: server))
            try server.pipeline.syncOperations.addHandler(Forwarder(to: client))
          }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let bound = UInt16(listener.localAddress?.port ?? 0)
    do {
      let value = try await body(bound)
      try await listener.close()
      return value
    } catch {
      try? await listener.close()
      throw error
    }
  }

  private final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
      count.withLock { count in
        count += 1
        return count - 1
      }
    }
  }

  private final class Forwarder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let target: any Channel

    init(to target: any Channel) { self.target = target }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      target.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { target.close(promise: nil) }
  }
}
