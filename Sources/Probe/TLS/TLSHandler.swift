import NIOCore
import STUN

/// Encrypts and decrypts between the network and the frames; bytes over TCP, datagrams over UDP.
final class TLSHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// What the handshake came to.
  let handshake: EventLoopFuture<TLSHandshake>
  private let promise: EventLoopPromise<TLSHandshake>
  private let session: TLSSession
  private let verifies: Bool
  private var isDone = false
  private var pending: [(ByteBuffer, EventLoopPromise<Void>?)] = []
  private var timer: Scheduled<Void>?

  init(_ session: TLSSession, verifiesCertificate: Bool, eventLoop: any EventLoop) {
    self.session = session
    verifies = verifiesCertificate
    promise = eventLoop.makePromise()
    handshake = promise.futureResult
  }

  func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { proceed(context) } }

  func channelActive(context: ChannelHandlerContext) {
    proceed(context)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    session.receive(unwrapInboundIn(data))
    proceed(context)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let bytes = unwrapOutboundIn(data)
    guard isDone else { return pending.append((bytes, promise)) }
    do throws(TLSFailure) {
      try session.write(bytes)
      send(context, promise: promise)
    } catch {
      promise?.fail(TransportFailure.tls(error))
    }
  }

  func flush(context: ChannelHandlerContext) { context.flush() }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    if isDone {
      session.shutDown()
      send(context, promise: nil)
      context.flush()
    }
    context.close(mode: mode, promise: promise)
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(context, TransportFailure.closedByServer)
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { fail(context, TransportFailure.closedByServer) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if isDone { return context.fireErrorCaught(error) }
    if case .tls(let failure)? = error as? TransportFailure, failure.kind == .timedOut,
      let reason = session.reasonForTimeout
    {
      fail(context, TransportFailure.tls(reason))
    } else {
      fail(context, error)
    }
  }

  private func proceed(_ context: ChannelHandlerContext) {
    do throws(TLSFailure) {
      if !isDone, try session.handshake() == .done { try finish(context) }
      send(context, promise: nil)
      context.flush()
      if isDone { try deliver(context) }
      scheduleTimer(context)
    } catch {
      // The alert that says why.
      send(context, promise: nil)
      context.flush()
      if isDone {
        context.fireErrorCaught(TransportFailure.tls(error))
      } else {
        fail(context, TransportFailure.tls(error))
      }
    }
  }

  private func finish(_ context: ChannelHandlerContext) throws(TLSFailure) {
    let summary = session.summary()
    if verifies, let failure = summary.verification { throw failure }
    isDone = true
    promise.succeed(summary)
    for (bytes, promise) in pending { write(context: context, data: wrapOutboundOut(bytes), promise: promise) }
    pending = []
  }

  private func deliver(_ context: ChannelHandlerContext) throws(TLSFailure) {
    while true {
      switch try session.read() {
      case .bytes(let bytes): context.fireChannelRead(wrapInboundOut(bytes))
      case .needsMore: return
      case .closed: return context.fireErrorCaught(TransportFailure.closedByServer)
      }
    }
  }

  private func send(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
    let records = session.takeOutbound()
    for record in records.dropLast() { context.write(wrapOutboundOut(record), promise: nil) }
    guard let last = records.last else { return promise?.succeed() ?? () }
    context.write(wrapOutboundOut(last), promise: promise)
  }

  private func scheduleTimer(_ context: ChannelHandlerContext) {
    timer?.cancel()
    timer = nil
    guard !isDone, let delay = session.timeout else { return }
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
      guard let self else { return }
      self.session.timeoutPassed()
      self.proceed(context)
    }
  }

  private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
    timer?.cancel()
    timer = nil
    for (_, promise) in pending { promise?.fail(error) }
    pending = []
    promise.fail(error)
  }
}
