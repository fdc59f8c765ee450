import Glibc

/// Runs `body`, which may block, on a thread of its own, so that none of the few threads of the cooperative pool waits.
///
/// Throws `ProcessError.Code.system` where there can be no further thread, else what `body` throws.
package func onBlockingThread<R: Sendable>(
  _ body: @escaping @Sendable () throws(ProcessError) -> R
) async throws(ProcessError) -> R {
  let result: Result<R, ProcessError> = await withCheckedContinuation { continuation in
    let work = Unmanaged.passRetained(
      Work {
        do throws(ProcessError) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      })
    var thread = pthread_t()
    let failure = pthread_create(
      &thread, nil,
      { work in
        if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().run() }
        return nil
      }, work.toOpaque())
    if failure == 0 {
      pthread_detach(thread)
    } else {
      work.release()
      continuation.resume(returning: .failure(ProcessError(systemCall: "pthread_create", errno: failure)))
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
