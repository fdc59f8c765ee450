import Addresses
import NIOCore
import STUN

/// One STUN or ChannelData message as it arrived, whatever the transport.
struct ReceivedFrame: Sendable {
  let bytes: ByteBuffer
  /// nil over streams and DTLS, where the connection says it.
  let source: TransportAddress?
}

/// One piece of plain text a frame, as DTLS hands records on.
final class RecordFrameDecoder: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ReceivedFrame

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.fireChannelRead(wrapInboundOut(ReceivedFrame(bytes: unwrapInboundIn(data), source: nil)))
  }
}

/// The bytes of each datagram, for what decrypts them.
final class DatagramBytes: ChannelInboundHandler {
  typealias InboundIn = ReceivedFrame
  typealias InboundOut = ByteBuffer

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.fireChannelRead(wrapInboundOut(unwrapInboundIn(data).bytes))
  }
}

/// Frames cut out of a stream.
final class StreamFrameDecoder: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ReceivedFrame

  private var deframer = StreamDeframer()
  private var isBroken = false
  private var isBeginning = true

  /// How streams of other protocols begin. `HTTP` and `SSH-` read as ChannelData that never becomes whole.
  private static let strangers = [("HTTP/", "HTTP"), ("<html", "HTTP"), ("<!DOC", "HTTP"), ("SSH-", "SSH")]

  /// Bytes that do not make a frame.
  var pendingByteCount: Int { deframer.pendingByteCount }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isBroken else { return }
    let bytes = unwrapInboundIn(data)
    if isBeginning, let stranger = Self.strangers.first(where: { bytes.readableBytesView.starts(with: $0.0.utf8) }) {
      isBroken = true
      return context.fireErrorCaught(TransportFailure.otherProtocol(stranger.1))
    }
    isBeginning = false
    deframer.append(bytes)
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
