import Dispatch

/// Writes the journal of one run. Its work blocks on the disk, so it has a thread of its own and keeps none of the
/// cooperative pool's; a cancelled task can still record how it ended.
package actor JournalWriter {
  /// The run's id.
  package nonisolated let run: String
  package nonisolated let folder: RunFolder
  /// `run.started` as it was recorded; for a journal that was reopened, too.
  package nonisolated let first: RecordedEvent
  private let file: JournalFile
  private let queue: BlockingQueue

  package nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

  private init(_ file: sending JournalFile, first: RecordedEvent, on queue: BlockingQueue) {
    run = file.id
    self.first = first
    folder = file.folder
    self.queue = queue
    self.file = file
  }

  /// Puts the folder of a new run in place, with its sources and parameters, and records its first event.
  ///
  /// - Parameters:
  ///   - started: its number, its sources' digests and whether it is volatile are filled in here.
  ///   - sources: the runbook and every check it uses, with their exact bytes.
  ///   - id: a new one, or one that was announced to the parent before.
  package static func begin(
    _ started: RunStarted, sources: [RunSource], id: String = ULID.next(), in state: StateFolder,
    clock: @escaping @Sendable () -> Moment = Moment.now
  ) async throws(JournalError) -> JournalWriter {
    let queue = BlockingQueue()
    let (file, first) = try await queue.run { () throws(JournalError) in
      try RunCreation(state: state, id: id, sources: sources).create(started, clock: clock)
    }
    return JournalWriter(file, first: first, on: queue)
  }

  /// Opens the journal of a run that died, to go on with it. A torn last line is kept aside, cut off and recorded.
  ///
  /// Throws `damaged` if the chain does not hold, `busy` if another process is writing to it.
  package static func reopen(
    _ folder: RunFolder, access: StateFolder.Access = .owner, clock: @escaping @Sendable () -> Moment = Moment.now
  ) async throws(JournalError) -> JournalWriter {
    let queue = BlockingQueue()
    let (file, first) = try await queue.run { () throws(JournalError) in
      try JournalFile.reopen(folder, access: access, clock: clock)
    }
    return JournalWriter(file, first: first, on: queue)
  }

  /// Opens the journal of a run that was read before, to go on with it, and gives all that it holds.
  ///
  /// Throws as ``reopen(_:access:clock:)``, and `busy` too where another process has written to it since it was read.
  package static func reopen(
    _ run: RecordedRun, access: StateFolder.Access = .owner
  ) async throws(JournalError) -> (JournalWriter, [RecordedEvent]) {
    let writer = try await reopen(run.folder, access: access)
    // Under the lock nobody else writes: what was added since is there now.
    let events = try RecordedRun.read(run.folder).events
    guard events.starts(with: run.events), events.dropFirst(run.events.count).allSatisfy(\.event.isOfRecovery) else {
      throw JournalError(
        .busy, "another process has gone on with the run meanwhile", advice: "look at it: runbook report \(run.id)",
        path: run.folder.journal)
    }
    return (writer, events)
  }

  /// Records an event; it is on the disk when this returns where a crash must not hide it: the run's ends, and the
  /// intents and results of steps whose effect is more than `observe`.
  ///
  /// The first error is final: every later event throws it again. The run must stop, since nothing it does is provable.
  @discardableResult
  package func append(_ event: Event) throws(JournalError) -> RecordedEvent { try file.append(event) }

  /// Records events that follow on one another with nothing done between them: they are written in one piece, and brought
  /// to the disk together where one of them must be there.
  package func append(_ events: [Event]) throws(JournalError) { _ = try file.append(events) }
}

extension Event {
  /// Whether it is written when a journal is opened again.
  fileprivate var isOfRecovery: Bool {
    switch self {
    case .journalRecovered, .clockStepped: true
    default: false
    }
  }
}

/// A thread for work that blocks.
private final class BlockingQueue: SerialExecutor {
  private let queue = DispatchQueue(label: "runbook.journal")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  /// Does one piece of work on the thread.
  func run<Result>(
    _ work: @escaping @Sendable () throws(JournalError) -> sending Result
  ) async throws(JournalError) -> sending Result {
    let outcome: Swift.Result<Result, JournalError> = await withCheckedContinuation { continuation in
      queue.async {
        do throws(JournalError) {
          continuation.resume(returning: .success(try work()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try outcome.get()
  }
}
