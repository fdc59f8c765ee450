import Logs
import Schema
import Steps

/// What a server writes into the systemd journal from one moment on.
struct ServerJournalTail: Sendable {
  /// More than a server logs during one call; what stands behind is not read.
  private static let limit = 64 << 20

  private let journal: LogJournal
  /// Of the last entry that was there at the beginning.
  private let cursor: String

  /// Begins at what is the journal's end now.
  ///
  /// Throws `broken` if it is not there, may not be read, or holds nothing of the units at all.
  init(_ journal: LogJournal, in context: StepContext) async throws(StepError) {
    self.journal = journal
    let sink = SharedSink(CollectedLog(limit: Self.limit))
    try await journal.read(["--lines=1"], into: sink, in: context)
    let last = sink.use(\.bytes)
    guard !last.isEmpty else { throw journal.holdsNothing }
    guard let cursor = try? JSON(parsing: last)["__CURSOR"]?.string else {
      throw .broken(
        "log.unreadable", "journalctl gives an entry of the journal without its cursor",
        advice: "Run `journalctl --verify`, and `journalctl -o json -n 1` by hand.")
    }
    self.cursor = cursor
  }

  /// What came since, as `journalctl -o json` gives it, and whether that is all of it.
  func bytes(in context: StepContext) async -> (bytes: [UInt8], isWhole: Bool) {
    let sink = SharedSink(CollectedLog(limit: Self.limit))
    do throws(StepError) { try await journal.read(["--after-cursor=\(cursor)"], into: sink, in: context) } catch {
      return ([], false)
    }
    return sink.use { ($0.bytes, !$0.isCut) }
  }
}

/// The bytes of a log as they come, up to a limit.
private final class CollectedLog: LogSink {
  private(set) var bytes: [UInt8] = []
  private(set) var isCut = false
  private let limit: Int
  private let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)

  init(limit: Int) { self.limit = limit }

  deinit { space.deallocate() }

  func begin(reference: Timestamp, tail: [UInt8]) {}

  func take(_ fill: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int {
    let count = try fill(space)
    if bytes.count + count <= limit { bytes += space.prefix(count) } else { isCut = true }
    return count
  }

  func end() {}
}
