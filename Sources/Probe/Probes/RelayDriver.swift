import NIOCore
import STUN

/// Sends and echoes a relay probe's packets, on the event loop that both connections share.
final class RelayDriver {
  private let plan: RelayPlan
  private let sender: Side
  private let echo: Side
  private let eventLoop: any EventLoop
  private let run = UInt64.random(in: .min ... .max)
  private var tally: RelayTally
  private var continuation: CheckedContinuation<Result<RelayTally, ProbeFailure>, Never>?
  private var tick: Scheduled<Void>?
  private var lastProgress: Instant
  private var lastTold: Instant
  /// Packets below this number no longer keep the window shut, arrived or not.
  private var writtenOff = 0
  /// Packets from there on that came back.
  private var receivedInWindow = 0

  private struct Side {
    let handler: ClientHandler
    let outlet: RelayOutlet
    let end: RelayEnd

    init(_ end: RelayEnd) {
      handler = end.connection.handler.value
      outlet = RelayOutlet(end.connection)
      self.end = end
    }
  }

  /// Runs the plan to its end, to its deadline, or until the task is cancelled.
  static func run(_ plan: RelayPlan, sender: RelayEnd, echo: RelayEnd) async throws(ProbeFailure) -> RelayTally {
    let eventLoop = sender.connection.eventLoop
    let box = NIOLoopBoundBox<RelayDriver?>.makeBoxSendingValue(nil, eventLoop: eventLoop)
    let result: Result<RelayTally, ProbeFailure> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        eventLoop.execute {
          let driver = RelayDriver(plan, sender: sender, echo: echo, continuation: continuation)
          box.value = driver
          driver.start()
        }
        // Cancelled before there was a driver, it found nothing to end.
        if Task.isCancelled { eventLoop.execute { box.value?.cancel() } }
      }
    } onCancel: {
      eventLoop.execute { box.value?.cancel() }
    }
    return try result.get()
  }

  private init(
    _ plan: RelayPlan, sender: RelayEnd, echo: RelayEnd,
    continuation: CheckedContinuation<Result<RelayTally, ProbeFailure>, Never>
  ) {
    self.plan = plan
    self.sender = Side(sender)
    self.echo = Side(echo)
    self.continuation = continuation
    eventLoop = sender.connection.eventLoop
    let now = Instant.now
    lastProgress = now
    lastTold = now
    tally = RelayTally(
      startedAt: now, lastSentAt: now, endedAt: now, there: FlowTracker(expecting: plan.packets),
      back: FlowTracker(expecting: plan.packets))
  }

  private func start() {
    sender.handler.onData = { [weak self] data, now in self?.senderReceived(data, now: now) }
    echo.handler.onData = { [weak self] data, now in self?.echoReceived(data, now: now) }
    for side in [sender, echo] {
      side.handler.onFailure = { [weak self] failure in
        self?.finish(
          .failure(ProbeFailure(failure, server: side.end.connection.server, transport: side.end.connection.transport)))
      }
    }
    sender.outlet.whenRelieved { [weak self] in
      self?.tick?.cancel()
      self?.proceed()
    }
    proceed()
  }

  private func cancel() {
    let connection = sender.end.connection
    finish(
      .failure(ProbeFailure(.cancelled, of: .send, server: connection.server, transport: connection.transport)))
  }

  // MARK: Sending

  private func proceed() {
    tick = nil
    let now = Instant.now
    tally.endedAt = now
    if now >= plan.end { return finish(.success(tally)) }
    sendDue(now: now)
    // A packet that cannot be sent at all ends the run.
    guard continuation != nil else { return }
    tell(now: now)
    guard let next = nextTick(now: now) else { return finish(.success(tally)) }
    tick = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(max(.zero, next - .now))) { [weak self] in
      self?.proceed()
    }
  }

  private func sendDue(now: Instant) {
    let due: Int
    if let rate = plan.rate {
      due = Int((now - tally.startedAt) / .seconds(1) * Double(rate)) + 1
    } else {
      if now - lastProgress > Self.stall { (writtenOff, receivedInWindow) = (sender.outlet.written, 0) }
      due = writtenOff + receivedInWindow + plan.window
    }
    let last = min(due, plan.packets, sender.outlet.written + Self.batch)
    guard sender.outlet.written < last, sender.outlet.takesMore() else { return }
    while sender.outlet.written < last, sender.outlet.takesMore() {
      let packet = RelayPacket(
        run: run, number: UInt32(sender.outlet.written), direction: .there,
        sentAt: nanoseconds(Instant.now - tally.startedAt))
      write(packet, from: sender)
    }
    lastProgress = now
    tally.lastSentAt = now
    sender.handler.flush()
  }

  private func tell(now: Instant) {
    guard now - lastTold >= .milliseconds(200) else { return }
    lastTold = now
    plan.progress("\(sender.outlet.sent) of \(plan.packets) packets sent, \(tally.back.received) came back")
  }

  /// nil when everything has come back, or can no longer be expected to.
  private func nextTick(now: Instant) -> Instant? {
    if sender.outlet.isFull || (sender.outlet.written == plan.packets && sender.outlet.hasUnsent) {
      lastProgress = now
      return min(now + Self.look, plan.end)
    }
    if sender.outlet.written < plan.packets {
      guard let rate = plan.rate else { return min(lastProgress + Self.stall, plan.end) }
      return min(tally.startedAt + .seconds(Double(sender.outlet.written) / Double(rate)), plan.end)
    }
    let longest = tally.back.transits.max() ?? .zero
    let patience =
      tally.back.received == plan.packets
      ? min(max(longest * 2, .milliseconds(20)), .seconds(1)) : max(longest * 4, plan.patience)
    let end = min(lastProgress + patience, plan.end)
    return end > now ? end : nil
  }

  private func write(_ packet: RelayPacket, from side: Side) {
    let allocator = side.end.connection.channel.allocator
    switch side.end.route {
    case .channel(let channel):
      var payload = allocator.buffer(capacity: plan.size)
      packet.write(into: &payload, size: plan.size)
      var frame = allocator.buffer(capacity: plan.size + 8)
      side.handler.client.channelData(payload, to: channel, into: &frame)
      side.outlet.write(frame)
    case .indications(let peer):
      var payload = allocator.buffer(capacity: plan.size)
      packet.write(into: &payload, size: plan.size)
      side.outlet.write(side.handler.client.sendIndication(payload, to: peer))
    }
  }

  // MARK: Receiving

  private func echoReceived(_ data: RelayedData, now: Instant) {
    guard let packet = packet(in: data, direction: .there) else { return }
    tally.there.arrived(Int(packet.number), transit: transit(of: packet, now: now), at: now)
    write(
      RelayPacket(run: run, number: packet.number, direction: .back, sentAt: packet.sentAt), from: echo)
    echo.handler.flush()
    echo.outlet.pauseReadingWhileFull()
  }

  private func senderReceived(_ data: RelayedData, now: Instant) {
    guard let packet = packet(in: data, direction: .back) else { return }
    tally.back.arrived(Int(packet.number), transit: transit(of: packet, now: now), at: now)
    lastProgress = now
    if Int(packet.number) >= writtenOff { receivedInWindow += 1 }
    if plan.rate == nil || tally.back.received == plan.packets {
      tick?.cancel()
      proceed()
    }
  }

  private func packet(in data: RelayedData, direction: RelayPacket.Direction) -> RelayPacket? {
    let payload: ByteBuffer
    switch data {
    case .channel(_, let bytes), .indication(_, let bytes): payload = bytes
    case .icmp(let message, _):
      tally.icmp = message
      return nil
    }
    guard payload.readableBytes == plan.size, let packet = RelayPacket(payload), packet.run == run,
      packet.direction == direction
    else { return nil }
    return packet
  }

  private func transit(of packet: RelayPacket, now: Instant) -> Duration {
    (now - tally.startedAt) - .nanoseconds(packet.sentAt)
  }

  private func finish(_ result: Result<RelayTally, ProbeFailure>) {
    tick?.cancel()
    let result = result.flatMap(judge)
    for side in [sender, echo] {
      side.handler.onData = nil
      side.handler.onFailure = nil
      side.outlet.end()
    }
    continuation?.resume(returning: result)
    continuation = nil
  }

  /// Counts as sent what has left, and fails where the server does not read any more.
  private func judge(_ tally: RelayTally) -> Result<RelayTally, ProbeFailure> {
    let now = Instant.now
    if let failure = sender.outlet.stall(at: now, of: plan) ?? echo.outlet.stall(at: now, of: plan) {
      return .failure(failure)
    }
    var tally = tally
    tally.sent = sender.outlet.sent
    return .success(tally)
  }

  /// How long to wait for any packet before the window opens again.
  private static let stall: Duration = .milliseconds(500)
  /// How often what waits to be sent is looked at.
  private static let look: Duration = .milliseconds(100)
  /// How many packets are written between two flushes at most.
  private static let batch = 64

  private func nanoseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
  }
}
