import NIOCore
import STUN

/// Drives a `STUNClient` on its channel's event loop: bytes in, bytes out, timers, outcomes.
final class ClientHandler: ChannelInboundHandler {
  typealias InboundIn = ReceivedFrame
  typealias OutboundOut = ByteBuffer

  /// Names a request from the outside, before it has begun.
  final class RequestToken: Sendable {}

  private(set) var client: STUNClient
  /// Gets what peers send; set by who uses the allocation's data path.
  var onData: ((RelayedData, Instant) -> Void)?
  /// Gets why the transport broke while the data path is used.
  var onFailure: ((TransportFailure) -> Void)?
  /// Gets why a datagram got lost that may get through when it is sent again.
  var onObstacle: ((ICMPError) -> Void)?
  /// Told when the channel takes more again, after it did not.
  var onWritable: (() -> Void)?
  /// Over streams, what cuts them into frames.
  private let deframer: StreamFrameDecoder?
  private let transport: Transport
  private var context: ChannelHandlerContext?
  private var continuations: [STUNClient.RequestID: CheckedContinuation<Result<Response, RequestFailure>, Never>] = [:]
  private var requests: [ObjectIdentifier: STUNClient.RequestID] = [:]
  private var timer: Scheduled<Void>?
  private var timerInstant: Instant?
  /// Why nothing can be sent any more.
  private var failure: TransportFailure?

  init(client: STUNClient, transport: Transport, deframer: StreamFrameDecoder? = nil) {
    self.deframer = deframer
    self.client = client
    self.transport = transport
  }

  /// Makes the next request carry a nonce that this connection was not given.
  func assume(realm: String, nonce: Nonce) { client.authentication.assume(realm: realm, nonce: nonce) }

  // MARK: Requests

  func begin(
    _ request: Request, token: RequestToken, deadline: Instant,
    continuation: CheckedContinuation<Result<Response, RequestFailure>, Never>
  ) {
    if let failure { return continuation.resume(returning: .failure(.transport(failure))) }
    do throws(RequestFailure) {
      let (id, bytes) = try client.begin(request, deadline: deadline, now: .now)
      continuations[id] = continuation
      requests[ObjectIdentifier(token)] = id
      write(bytes)
      scheduleTimer()
    } catch {
      continuation.resume(returning: .failure(error))
    }
  }

  func cancel(_ token: RequestToken) {
    guard let id = requests[ObjectIdentifier(token)] else { return }
    client.abandon(id)
    finish(id, .failure(.cancelled))
    scheduleTimer()
  }

  /// Sends a request without waiting for its answer.
  func sendOnce(_ request: Request) {
    guard let (id, bytes) = try? client.begin(request, deadline: .now, now: .now) else { return }
    client.abandon(id)
    write(bytes)
  }

  private func finish(_ id: STUNClient.RequestID, _ result: Result<Response, RequestFailure>) {
    if let token = requests.first(where: { $0.value == id })?.key { requests[token] = nil }
    continuations.removeValue(forKey: id)?.resume(returning: result)
  }

  // MARK: Data

  /// Whether what is written now leaves soon. Otherwise the other end does not take what was written before.
  var isWritable: Bool { context?.channel.isWritable ?? false }

  /// Writes a frame without flushing.
  ///
  /// - Parameter whenSent: called when the system has taken it.
  func writeUnflushed(_ bytes: ByteBuffer, whenSent: (() -> Void)? = nil) {
    guard let context else { return }
    guard let whenSent else { return context.write(wrapOutboundOut(bytes), promise: nil) }
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { [weak self] result in
      switch result {
      case .success: whenSent()
      case .failure(let error): self?.fail(error)
      }
    }
    context.write(wrapOutboundOut(bytes), promise: promise)
  }

  func flush() { context?.flush() }

  private func write(_ bytes: ByteBuffer) {
    guard let context else { return }
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenFailure { [weak self] in self?.fail($0) }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: promise)
  }

  // MARK: Channel

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    fail(TransportFailure.closedByServer)
    timer?.cancel()
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    let now = Instant.now
    switch client.receive(frame.bytes, from: frame.source, now: now) {
    case .deliver(let data): onData?(data, now)
    case .nothing: break
    case let action: perform(action)
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { onWritable?() }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(TransportFailure.closedByServer)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if case .icmp(let message)? = error as? TransportFailure, message.isOvercomeByRepetition {
      client.note(message)
      onObstacle?(message)
    } else {
      fail(error)
    }
  }

  private func fail(_ error: any Error) {
    let failure = TransportFailure(error, over: transport)
    // A connection that broke stays broken; an ICMP error speaks of one datagram.
    if transport.isReliable, self.failure == nil { self.failure = failure }
    for (id, outcome) in client.transportFailed(failure) { finish(id, .failure(outcome)) }
    onFailure?(failure)
    scheduleTimer()
  }

  private func perform(_ action: STUNClient.Action) {
    switch action {
    case .nothing: break
    case .send(let bytes): write(bytes)
    case .finish(let id, let result): finish(id, result)
    case .deliver(let data): onData?(data, .now)
    }
    scheduleTimer()
  }

  /// Leaves a timer that fires too early: it looks again then. Most answers come long before.
  private func scheduleTimer() {
    guard let context, let next = client.nextTimer else { return }
    if let timerInstant, timerInstant <= next { return }
    timer?.cancel()
    timerInstant = next
    let delay = TimeAmount(max(.zero, next - .now))
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.timerFired() }
  }

  private func timerFired() {
    timer = nil
    timerInstant = nil
    if let deframer, deframer.pendingByteCount > 0, let next = client.nextTimer, next <= .now {
      client.noteUnfinishedFrame()
    }
    while true {
      let action = client.timerFired(now: .now)
      if case .nothing = action { break }
      perform(action)
    }
    scheduleTimer()
  }
}

/// Runs a task on the event loop of the connection that it uses: otherwise each request and each answer is handed from
/// one thread to another, which takes longer than what they do.
///
/// What runs there must not block.
final class EventLoopExecutor: TaskExecutor {
  private let eventLoop: any EventLoop

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
