import Logs
import Processes
import Schema
import Synchronization

/// What reviews of several sources found together.
struct LogReading: Sendable {
  /// By the patterns' order.
  var matches: [LogMatches]
  var account = LogAccount()
  var files: [LogFiles.Reading] = []
  /// What has no message of the window, and older ones: "the journal holds no message of coturn.service".
  var quietSource: Sentence?

  init(_ patterns: [LogPattern]) { matches = patterns.map { _ in LogMatches() } }

  init(_ review: LogReview, files: [LogFiles.Reading] = []) {
    matches = review.matches
    account = review.account
    self.files = files
  }

  mutating func add(_ other: Self, samples: Int) {
    for index in matches.indices { matches[index].add(other.matches[index], samples: samples) }
    account.add(other.account)
    files += other.files
    quietSource = quietSource ?? other.quietSource
  }

  /// Reads files, on a thread of its own, until their end or until the task is cancelled.
  static func files(
    _ names: [String], _ patterns: [LogPattern], _ scope: LogReview.ReviewScope
  ) async throws(LogPatternError) -> Self {
    let isCancelled = CancellationMark()
    let result: Result<Self, LogPatternError> = await withTaskCancellationHandler {
      do throws(LogPatternError) {
        let reading = try await onBlockingThread { () throws(LogPatternError) in
          let review = try LogReview(patterns, scope)
          let files = LogFiles(names).read(into: review, from: scope.from) { !isCancelled.isSet }
          return LogReading(review, files: files)
        }
        return .success(reading)
      } catch {
        return .failure(error)
      }
    } onCancel: {
      isCancelled.set()
    }
    return try result.get()
  }
}

/// Set once, by whoever cancels.
final class CancellationMark: Sendable {
  private let mark = Atomic(false)

  var isSet: Bool { mark.load(ordering: .relaxed) }

  func set() { mark.store(true, ordering: .relaxed) }
}

/// A sink that threads use one after the other: that of a file, and that which reads a command's output.
final class SharedSink<Sink: LogSink>: Sendable {
  private let sink: Mutex<Sink>

  init(_ sink: sending Sink) { self.sink = Mutex(sink) }

  func use<Result: Sendable>(_ body: (Sink) -> Result) -> Result { sink.withLock { body($0) } }
}
