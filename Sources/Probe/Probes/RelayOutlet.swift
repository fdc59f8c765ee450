import NIOCore
import STUN
import Schema

/// The way out of one side of a relay probe. It hands on packets no faster than the other end takes them, so that none
/// pile up here, and knows how many have left.
final class RelayOutlet {
  private let connection: ServerConnection
  private let handler: ClientHandler
  private(set) var written = 0
  /// How many packets were handed to the system.
  private(set) var sent = 0
  /// When the last one was, or the first of those that wait now was written.
  private var lastMove = Instant.now
  /// Whether a packet had to wait, since the connection takes no more.
  private(set) var isFull = false

  /// Used on the connection's event loop.
  init(_ connection: ServerConnection) {
    self.connection = connection
    handler = connection.handler.value
  }

  /// Whether packets have been written that are still here.
  var hasUnsent: Bool { sent < written }

  /// Whether another packet may be written.
  func takesMore() -> Bool {
    if !handler.isWritable { handler.flush() }
    isFull = !handler.isWritable
    return !isFull
  }

  /// Calls back each time that a packet had to wait and need not any more.
  func whenRelieved(_ body: @escaping () -> Void) {
    handler.onWritable = { [weak self] in
      guard let self, self.isFull else { return }
      self.isFull = false
      body()
    }
  }

  func write(_ frame: ByteBuffer) {
    if !hasUnsent { lastMove = .now }
    written += 1
    handler.writeUnflushed(frame) { [weak self] in self?.noteSent() }
  }

  private func noteSent() {
    sent += 1
    lastMove = .now
  }

  /// Reads nothing more if nothing more can be written, so that answers to what is read do not pile up either.
  func pauseReadingWhileFull() {
    guard !takesMore() else { return }
    setReading(false)
    whenRelieved { [weak self] in self?.setReading(true) }
  }

  private func setReading(_ isReading: Bool) {
    try? connection.channel.syncOptions?.setOption(.autoRead, value: isReading)
  }

  /// Leaves the connection to others.
  func end() {
    handler.onWritable = nil
    setReading(true)
  }

  /// The failure where packets wait and for long none has left.
  ///
  /// - Parameter plan: how many packets were to be sent.
  func stall(at now: Instant, of plan: RelayPlan) -> ProbeFailure? {
    let duration = now - lastMove
    guard hasUnsent, duration >= Self.patience else { return nil }
    let target = "\(connection.server) over \(connection.transport.rawValue.uppercased())"
    return ProbeFailure(
      .transportStalled,
      "\(target) has stopped reading: \(sent) of \(plan.packets) packets could be sent, and none in the last "
        + "\(Int(duration / .seconds(1))) s.",
      advice: "Look whether the server's process is alive and keeps up, and for a proxy on the path that keeps what it "
        + "cannot forward.",
      evidence: [
        ProbeFailure.Evidence("server", "\(connection.server)"),
        ProbeFailure.Evidence("transport", connection.transport.rawValue), ProbeFailure.Evidence("sent", "\(sent)"),
      ])
  }

  /// A slow server takes something from time to time.
  private static let patience: Duration = .seconds(1)
}
