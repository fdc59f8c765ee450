import Dispatch
import Glibc
import Processes
import Synchronization

/// The signals that ask runs to end: those that the process gets, for as long as it is held, and those that are sent by
/// ``send(_:)``.
///
/// The first one goes to every run that has subscribed: they end in order. After the second they wait no longer for what they
/// cancelled.
package final class EndingSignals: Sendable {
  private struct State {
    var received: [Int] = []
    /// When the process got the last one.
    var lastAt: ContinuousClock.Instant?
    var subscribers: [AsyncStream<Int>.Continuation] = []

    mutating func take(_ number: Int) {
      received.append(number)
      for subscriber in subscribers { subscriber.yield(number) }
    }
  }

  private let state = Mutex(State())
  /// Written by `init` and read by `deinit` alone.
  private nonisolated(unsafe) var sources: [any DispatchSourceSignal] = []

  /// - Parameter ofProcess: whether INT and TERM to the process count. HUP is ignored then: an ssh connection that drops must
  ///   not stop a recovery. With the second signal to the process, whatever commands still run are killed.
  package init(ofProcess: Bool = true) {
    guard ofProcess else { return }
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
  package func subscribe() -> AsyncStream<Int> {
    let (stream, feed) = AsyncStream.makeStream(of: Int.self)
    state.withLock { state in
      for number in state.received { feed.yield(number) }
      state.subscribers.append(feed)
    }
    return stream
  }

  /// The first signal that came; nil as long as none did.
  package var first: Int? { state.withLock { $0.received.first } }

  /// Asks the runs to end, as a signal of this number to the process would.
  package func send(_ number: Int) { state.withLock { $0.take(number) } }

  /// A signal right behind the last is the same wish: timeout(1) and a terminal signal the process and its group. Nobody types that fast.
  private func receive(_ number: Int) {
    state.withLock { state in
      let now = ContinuousClock.now
      if let lastAt = state.lastAt, lastAt.duration(to: now) < .milliseconds(100) { return }
      state.lastAt = now
      if !state.received.isEmpty { RunningCommands.killAll() }
      state.take(number)
    }
  }
}
