import Glibc

/// Runs `body`, which may block, on a thread of its own, so that none of the few threads of the cooperative pool waits.
///
/// Where the system has no further thread to give, it runs on the caller's. Throws what `body` throws.
package func onBlockingThread<R: Sendable, Failure: Error>(
  _ body: @escaping @Sendable () throws(Failure) -> R
) async throws(Failure) -> R {
  let result: Result<R, Failure> = await withCheckedContinuation { continuation in
    let work = Work {
      do throws(Failure) {
        continuation.resume(returning: .success(try body()))
      } catch {
        continuation.resume(returning: .failure(error))
      }
    }
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
  return try result.get()
}

private final class Work: Sendable {
  let run: @Sendable () -> Void

  init(_ run: @escaping @Sendable () -> Void) {
    self.run = run
  }
}
