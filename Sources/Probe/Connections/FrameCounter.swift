import NIOCore
import Synchronization

/// Counts what a server sends over one connection, whatever it is.
final class FrameCounter: ChannelInboundHandler, Sendable {
  typealias InboundIn = ReceivedFrame
  typealias InboundOut = ReceivedFrame

  struct Total: Sendable {
    var frames = 0
    /// Of their payload.
    var bytes = 0
  }

  private let total = Mutex(Total())

  /// What came since this was asked last.
  func take() -> Total {
    total.withLock { total in
      defer { total = Total() }
      return total
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let byteCount = unwrapInboundIn(data).bytes.readableBytes
    total.withLock { total in
      total.frames += 1
      total.bytes += byteCount
    }
    context.fireChannelRead(data)
  }
}
