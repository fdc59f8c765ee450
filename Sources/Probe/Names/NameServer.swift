import Addresses
import NIOCore
import NIOPosix
import STUN

/// Asks one name server for the SRV records of a name.
struct NameServer: Sendable {
  let address: TransportAddress

  /// How long one question may take over UDP, and how long over TCP.
  private static let patience: Duration = .seconds(1)

  /// Asks over UDP, and once more over TCP where the answer was cut off (RFC 7766, section 5); nil without an answer.
  func records(of name: String, by deadline: Instant) async -> DNSMessage.Answer? {
    guard let loop = try? DatagramEventLoop.shared() else { return nil }
    let answer = await ask(name, by: deadline, on: loop, openDatagrams)
    guard answer == .truncated else { return answer }
    return await ask(name, by: deadline, on: MultiThreadedEventLoopGroup.singleton.next(), openStream)
  }

  /// Who gets what a server sends, until there is an answer.
  private struct Question: Sendable {
    let id: UInt16
    let message: ByteBuffer
    let answer: EventLoopPromise<DNSMessage.Answer?>

    /// Ends the wait with this message, unless it is none for this question.
    func receive(_ message: ByteBuffer) {
      if let found = DNSMessage.answer(message, id: id) { answer.succeed(found) }
    }
  }

  private func ask(
    _ name: String, by deadline: Instant, on eventLoop: any EventLoop,
    _ open: (Question, TimeAmount) async throws -> any Channel
  ) async -> DNSMessage.Answer? {
    let id = UInt16.random(in: 0 ... .max)
    let limit = min(deadline, .now + Self.patience)
    guard let message = DNSMessage.question(id: id, name: name), limit > .now else { return nil }
    let question = Question(id: id, message: message, answer: eventLoop.makePromise())
    let timer = eventLoop.scheduleTask(in: TimeAmount(limit - .now)) { question.answer.succeed(nil) }
    defer { timer.cancel() }
    guard let channel = try? await open(question, TimeAmount(limit - .now)) else {
      question.answer.succeed(nil)
      return nil
    }
    let answer = await withTaskCancellationHandler {
      (try? await question.answer.futureResult.get()) ?? nil
    } onCancel: {
      question.answer.succeed(nil)
    }
    try? await channel.close()
    return answer
  }

  // MARK: UDP

  /// Opening a socket waits for nobody, and needs no limit.
  private func openDatagrams(_ question: Question, _: TimeAmount) async throws -> any Channel {
    guard let loop = question.answer.futureResult.eventLoop as? DatagramEventLoop else {
      throw ChannelError.operationUnsupported
    }
    return try await DatagramChannel.open(.connected(address), on: loop) { channel in
      try channel.pipeline.syncOperations.addHandler(DatagramReceiver(question))
      channel.writeAndFlush(question.message, promise: nil)
      return channel
    }
  }

  private final class DatagramReceiver: ChannelInboundHandler {
    typealias InboundIn = ReceivedFrame
    private let question: Question

    init(_ question: Question) { self.question = question }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { question.receive(unwrapInboundIn(data).bytes) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { question.answer.succeed(nil) }
  }

  // MARK: TCP

  private func openStream(_ question: Question, _ time: TimeAmount) async throws -> any Channel {
    let channel = try await ClientBootstrap(group: question.answer.futureResult.eventLoop)
      .connectTimeout(time)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(StreamReceiver(question))
        }
      }
      .connect(to: try SocketAddress(address)).get()
    // Each message follows its length, sent in one piece (RFC 7766, section 8).
    var frame = ByteBuffer()
    frame.writeInteger(UInt16(question.message.readableBytes))
    frame.writeImmutableBuffer(question.message)
    channel.writeAndFlush(frame, promise: nil)
    return channel
  }

  private final class StreamReceiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let question: Question
    private var received = ByteBuffer()

    init(_ question: Question) { self.question = question }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      received.writeImmutableBuffer(unwrapInboundIn(data))
      while let message = received.readLengthPrefixedSlice(as: UInt16.self) { question.receive(message) }
    }

    func channelInactive(context: ChannelHandlerContext) {
      question.answer.succeed(nil)
      context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { question.answer.succeed(nil) }
  }
}
