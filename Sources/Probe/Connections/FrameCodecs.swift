import Addresses
import NIOCore
import STUN

/// One STUN or ChannelData message as it arrived, whatever the transport.
struct ReceivedFrame: Sendable {
  let bytes: ByteBuffer
  /// nil over streams and DTLS, where the connection says it.
  let source: TransportAddress?
}

/// One frame a datagram.
final class DatagramFrameCodec: ChannelDuplexHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias InboundOut = ReceivedFrame
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>

  private let server: SocketAddress
  private let serverAddress: TransportAddress

  init(server: SocketAddress, serverAddress: TransportAddress) {
    self.server = server
    self.serverAddress = serverAddress
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let envelope = unwrapInboundIn(data)
    let source = envelope.remoteAddress == server ? serverAddress : TransportAddress(envelope.remoteAddress)
    context.fireChannelRead(wrapInboundOut(ReceivedFrame(bytes: envelope.data, source: source)))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    context.write(
      wrapOutboundOut(AddressedEnvelope(remoteAddress: server, data: unwrapOutboundIn(data))), promise: promise)
  }
}

/// One piece of plain text a frame, as DTLS hands records on.
final class RecordFrameDecoder: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ReceivedFrame

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.fireChannelRead(wrapInboundOut(ReceivedFrame(bytes: unwrapInboundIn(data), source: nil)))
  }
}

/// Bytes in place of addressed datagrams, for a socket that is connected to its server.
final class ConnectedDatagramCodec: ChannelDuplexHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>

  private let server: SocketAddress

  init(server: SocketAddress) { self.server = server }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.fireChannelRead(wrapInboundOut(unwrapInboundIn(data).data))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    context.write(
      wrapOutboundOut(AddressedEnvelope(remoteAddress: server, data: unwrapOutboundIn(data))), promise: promise)
  }
}

/// Frames cut out of a stream.
final class StreamFrameDecoder: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ReceivedFrame

  private var deframer = StreamDeframer()
  private var isBroken = false

  /// Bytes that do not make a frame.
  var pendingByteCount: Int { deframer.pendingByteCount }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isBroken else { return }
    deframer.append(unwrapInboundIn(data))
    do throws(DecodingError) {
      while let frame = try deframer.next() {
        context.fireChannelRead(wrapInboundOut(ReceivedFrame(bytes: frame, source: nil)))
      }
    } catch {
      isBroken = true
      context.fireErrorCaught(TransportFailure.brokenStream(error))
    }
  }
}
