import Logs
import Synchronization

/// A sink that threads use one after the other: that of a file, and that which reads a command's output.
final class SharedSink<Sink: LogSink>: Sendable {
  private let sink: Mutex<Sink>

  init(_ sink: sending Sink) { self.sink = Mutex(sink) }

  func use<Result: Sendable>(_ body: (Sink) -> Result) -> Result { sink.withLock { body($0) } }
}
