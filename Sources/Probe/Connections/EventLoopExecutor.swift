import NIOCore

/// Runs a task on the event loop of the connection that it uses: otherwise each request and each answer is handed from
/// one thread to another, which takes longer than what they do.
///
/// What runs there must not block.
final class EventLoopExecutor: TaskExecutor {
  private let eventLoop: any EventLoop

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
