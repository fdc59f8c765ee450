import Glibc
import Synchronization

/// Runs `body`, which may block, on a thread of its own, so that none of the few threads of the cooperative pool waits.
///
/// Where the system has no further thread to give, it runs on the caller's. Throws what `body` throws.
package func onBlockingThread<R: Sendable, Failure: Error>(
  _ body: @escaping @Sendable () throws(Failure) -> R
) async throws(Failure) -> R {
  let result: Result<R, Failure> = await withCheckedContinuation { continuation in
    startThread {
      do throws(Failure) {
        continuation.resume(returning: .success(try body()))
      } catch {
        continuation.resume(returning: .failure(error))
      }
    }
  }
  return try result.get()
}

/// As ``onBlockingThread(_:)``, but waits no longer than the task goes on: nil if that was cancelled before `body` returned.
///
/// The thread stays with its system call until the kernel lets it go: look at what may hang, such as a file system whose
/// server is gone, and change nothing in `body`.
package func onAbandonedThread<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R? {
  let first = FirstAnswer<R>()
  return await withTaskCancellationHandler {
    await withCheckedContinuation { continuation in
      guard first.isAwaited(by: continuation) else { return }
      startThread { first.give(body()) }
    }
  } onCancel: {
    first.give(nil)
  }
}

/// Passes on the first of two answers, one of which may come before anybody waits.
private final class FirstAnswer<R: Sendable>: Sendable {
  private enum State {
    case open
    case awaited(CheckedContinuation<R?, Never>)
    case given
  }

  private let state = Mutex(State.open)

  /// False if an answer was given before: the continuation is resumed with nil then.
  func isAwaited(by continuation: CheckedContinuation<R?, Never>) -> Bool {
    let isOpen = state.withLock { state in
      guard case .open = state else { return false }
      state = .awaited(continuation)
      return true
    }
    if !isOpen { continuation.resume(returning: nil) }
    return isOpen
  }

  func give(_ answer: R?) {
    let waiting = state.withLock { state in
      defer { state = .given }
      return if case .awaited(let continuation) = state { continuation } else { nil as CheckedContinuation<R?, Never>? }
    }
    waiting?.resume(returning: answer)
  }
}

/// Runs `body` on a thread of its own; on the caller's where the system has none to give.
private func startThread(_ body: @escaping @Sendable () -> Void) {
  let work = Work(body)
  let passed = Unmanaged.passRetained(work)
  var thread = pthread_t()
  let failure = pthread_create(
    &thread, nil,
    { work in
      if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().run() }
      return nil
    }, passed.toOpaque())
  if failure == 0 {
    pthread_detach(thread)
  } else {
    passed.release()
    work.run()
  }
}

private final class Work: Sendable {
  let run: @Sendable () -> Void

  init(_ run: @escaping @Sendable () -> Void) {
    self.run = run
  }
}
