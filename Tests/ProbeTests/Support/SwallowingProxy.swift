import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy on loopback that takes every connection, and forwards nothing of some, or closes them.
enum SwallowingProxy {
  /// Whether a connection is swallowed, by its number from 0 and by what its client says first.
  typealias Choice = @Sendable (_ connection: Int, _ beginning: ByteBuffer) -> Bool

  static func with<Value>(
    to port: UInt16, closing: Bool = false, swallowing isSwallowed: @escaping Choice,
    _ body: (UInt16) async throws -> Value
  ) async throws -> Value {
    let connections = Counter()
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { client in
        let number = connections.next()
        return ClientBootstrap(group: client.eventLoop)
          .connect(host: "127.0.0.1", port: Int(port))
          .flatMapThrowing { server in
            try client.pipeline.syncOperations.addHandler(Forwarder(to: server, closing) { !isSwallowed(number, $0) })
            try server.pipeline.syncOperations.addHandler(Forwarder(to: client, closing) { _ in true })
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
    private let closes: Bool
    private let admits: (ByteBuffer) -> Bool
    private var forwards: Bool?

    init(to target: any Channel, _ closes: Bool, admits: @escaping (ByteBuffer) -> Bool) {
      self.target = target
      self.closes = closes
      self.admits = admits
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = unwrapInboundIn(data)
      let forwards = forwards ?? admits(bytes)
      self.forwards = forwards
      if forwards {
        target.writeAndFlush(bytes, promise: nil)
      } else if closes {
        context.close(promise: nil)
      }
    }

    func channelInactive(context: ChannelHandlerContext) { target.close(promise: nil) }
  }
}
