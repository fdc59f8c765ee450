import Dispatch
import Glibc
import Processes
import Synchronization

/// The signals that ask runs to end, for as long as it is held.
///
/// The first INT or TERM goes to every run: they end in order. A second one too, and whatever commands still run are
/// killed. HUP is ignored: an ssh connection that drops must not stop a recovery.
final class EndingSignals: Sendable {
  private struct State {
    var received: [Int] = []
    var lastAt: ContinuousClock.Instant?
    var subscribers: [AsyncStream<Int>.Continuation] = []
  }

  private let state = Mutex(State())
  /// Written by `init` and read by `deinit` alone.
  private nonisolated(unsafe) var sources: [any DispatchSourceSignal] = []

  init() {
    signal(SIGHUP, SIG_IGN)
    let queue = DispatchQueue(label: "runbook.signals")
    for number in [SIGINT, SIGTERM] {
      // A dispatch source only watches; the default action would still end the process.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { [weak self] in self?.receive(Int(number)) }
      source.activate()
      sources.append(source)
    }
  }

  deinit {
    for source in sources { source.cancel() }
  }

  /// The signals, those included that came before.
  func subscribe() -> AsyncStream<Int> {
    let (stream, feed) = AsyncStream.makeStream(of: Int.self)
    state.withLock { state in
      for number in state.received { feed.yield(number) }
      state.subscribers.append(feed)
    }
    return stream
  }

  /// The first signal that came; nil as long as none did.
  var first: Int? { state.withLock { $0.received.first } }

  /// A signal within a second of the last is the same wish: timeout(1) and a terminal signal the process and its group.
  private func receive(_ number: Int) {
    state.withLock { state in
      let now = ContinuousClock.now
      if let lastAt = state.lastAt, lastAt.duration(to: now) < .seconds(1) { return }
      state.lastAt = now
      state.received.append(number)
      if state.received.count > 1 { RunningCommands.killAll() }
      for subscriber in state.subscribers { subscriber.yield(number) }
    }
  }
}
