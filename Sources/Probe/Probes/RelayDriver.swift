import Addresses
import NIOCore
import STUN
import Schema

/// Sends and echoes a relay probe's packets, on the event loop that both connections share.
final class RelayDriver {
  private let plan: RelayPlan
  private let sender: Side
  private let echo: Side
  private let eventLoop: any EventLoop
  /// What goes from the sender to the echo, and what the echo answers it with.
  private let (there, back): (RelayPackets, RelayPackets)
  private var tally: RelayTally
  /// When each packet was written, by its number.
  private var sentAt: [Instant] = []
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
    (there, back) = (RelayPackets(size: plan.size), RelayPackets(size: plan.size))
    sentAt.reserveCapacity(plan.packets)
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
      side.handler.onObstacle = { [weak self] obstacle in self?.tally.obstacle = obstacle }
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
      sentAt.append(.now)
      write(sender.outlet.written, of: there, from: sender)
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

  private func write(_ number: Int, of packets: RelayPackets, from side: Side) {
    let allocator = side.end.connection.channel.allocator
    var payload = allocator.buffer(capacity: plan.size)
    packets.write(number, into: &payload)
    switch side.end.route {
    case .channel(let channel):
      var frame = allocator.buffer(capacity: plan.size + 8)
      side.handler.client.channelData(payload, to: channel, into: &frame)
      side.outlet.write(frame)
    case .indications(let peer):
      side.outlet.write(side.handler.client.sendIndication(payload, to: peer))
    }
  }

  // MARK: Receiving

  private func echoReceived(_ data: RelayedData, now: Instant) {
    guard let number = number(of: data, from: there, not: back, at: echo) else { return }
    tally.there.arrived(number, transit: now - sentAt[number], at: now)
    write(number, of: back, from: echo)
    echo.handler.flush()
    echo.outlet.pauseReadingWhileFull()
  }

  private func senderReceived(_ data: RelayedData, now: Instant) {
    guard let number = number(of: data, from: back, not: there, at: sender) else { return }
    tally.back.arrived(number, transit: now - sentAt[number], at: now)
    lastProgress = now
    if number >= writtenOff { receivedInWindow += 1 }
    if plan.rate == nil || tally.back.received == plan.packets {
      tick?.cancel()
      proceed()
    }
  }

  /// The number of a packet that arrived as it was sent. What else comes from the other side is corrupted; what a server
  /// sends back to its sender as it is got lost.
  private func number(
    of data: RelayedData, from packets: RelayPackets, not own: RelayPackets, at side: Side
  ) -> Int? {
    let payload: ByteBuffer
    let isFromOtherSide: Bool
    switch data {
    case .channel(let channel, let bytes):
      payload = bytes
      isFromOtherSide = if case .channel(channel) = side.end.route { true } else { false }
    case .indication(let source, let bytes):
      payload = bytes
      isFromOtherSide =
        if case .indications(let peer) = side.end.route { peer.unmapped == source.unmapped } else { false }
    case .icmp(let message, _):
      tally.icmp = message
      return nil
    }
    if let number = packets.number(of: payload), sentAt.indices.contains(number) { return number }
    if isFromOtherSide, own.number(of: payload) == nil { tally.corrupted += 1 }
    return nil
  }

  private func finish(_ result: Result<RelayTally, ProbeFailure>) {
    tick?.cancel()
    let result = result.flatMap(judge)
    for side in [sender, echo] {
      side.handler.onData = nil
      side.handler.onFailure = nil
      side.handler.onObstacle = nil
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
}
