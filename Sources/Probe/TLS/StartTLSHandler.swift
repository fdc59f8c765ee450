import Addresses
import NIOCore
import STUN

/// Speaks SMTP until the server agrees to TLS (RFC 3207), and holds back what comes behind it in the pipeline until then.
final class StartTLSHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Stage: String {
    case greeting = "its greeting"
    case hello = "its answer to EHLO"
    case start = "its answer to STARTTLS"
    case done
    case failed
  }

  private var stage = Stage.greeting
  private var received = ByteBuffer()
  private var reply: [String] = []
  private var replyLength = 0

  /// Of a whole reply; real ones are far smaller.
  private static let maximumLength = 65_536

  private var isSpeaking: Bool { stage != .done && stage != .failed }

  func channelActive(context: ChannelHandlerContext) {}

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard isSpeaking else { return stage == .done ? context.fireChannelRead(data) : () }
    received.writeImmutableBuffer(unwrapInboundIn(data))
    while isSpeaking, let line = takeLine() {
      reply.append(line)
      guard !Self.isFollowed(line) else { continue }
      let lines = reply
      (reply, replyLength) = ([], 0)
      answer(lines, context)
    }
    if isSpeaking, received.readableBytes + replyLength > Self.maximumLength {
      fail(context, "\(stage.rawValue) has no end")
    }
  }

  /// A hyphen behind the code: more lines follow (RFC 5321, section 4.2.1).
  private static func isFollowed(_ line: String) -> Bool {
    line.utf8.count >= 4 && line.utf8.prefix(3).allSatisfy { (0x30...0x39).contains($0) }
      && line.utf8.dropFirst(3).first == 0x2D
  }

  private func takeLine() -> String? {
    let view = received.readableBytesView
    guard let end = view.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let bytes = view[view.startIndex..<end]
    replyLength += bytes.count
    received.moveReaderIndex(forwardBy: bytes.count + 1)
    return String(decoding: bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes, as: UTF8.self)
  }

  private func answer(_ lines: [String], _ context: ChannelHandlerContext) {
    let last = String((lines.last ?? "").unicodeScalars.prefix(200).map(Character.init))
    guard last.hasPrefix(stage == .hello ? "250" : "220") else {
      return fail(context, "\(stage.rawValue) was \"\(last)\"")
    }
    switch stage {
    case .greeting:
      stage = .hello
      say("EHLO \(Self.ownName(context))", context)
    case .hello:
      guard lines.contains(where: { $0.dropFirst(4).uppercased() == "STARTTLS" }) else {
        return fail(context, "it offers no STARTTLS")
      }
      stage = .start
      say("STARTTLS", context)
    case .start:
      // What stands in clear text behind the answer may be anybody's.
      guard received.readableBytes == 0 else { return fail(context, "it sent clear text behind \(stage.rawValue)") }
      stage = .done
      context.fireChannelActive()
    case .done, .failed: break
    }
  }

  /// Our address as EHLO has it (RFC 5321, section 4.1.3).
  private static func ownName(_ context: ChannelHandlerContext) -> String {
    guard let text = context.localAddress?.ipAddress, let address = IPAddress(text) else { return "localhost" }
    return address.family == .ipv6 ? "[IPv6:\(address)]" : "[\(address)]"
  }

  private func say(_ command: String, _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: command + "\r\n")), promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if isSpeaking, case .tls(let failure)? = error as? TransportFailure, failure.kind == .timedOut {
      return fail(context, "\(stage.rawValue) did not come \(failure.detail)")
    }
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if isSpeaking { fail(context, "it closed the connection before \(stage.rawValue)") }
    context.fireChannelInactive()
  }

  private func fail(_ context: ChannelHandlerContext, _ reason: String) {
    stage = .failed
    context.fireErrorCaught(TransportFailure.tls(TLSFailure(.startTLS, reason)))
  }
}
