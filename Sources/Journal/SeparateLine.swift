import Dispatch
import Glibc
import Synchronization

/// A line that was read by itself: what it follows on is not known yet. Most of the time of reading a journal goes into that, and
/// no line needs another for it.
struct SeparateLine: Sendable {
  let line: Result<JournalLine, JournalError>
  let event: Result<RecordedEvent, JournalError>
  /// SHA-256 of its bytes.
  let digest: String
  /// In bytes, without the LF.
  let length: Int

  private init(_ bytes: ArraySlice<UInt8>, by reader: JournalLineReader) {
    digest = sha256Hex(bytes)
    length = bytes.count
    do throws(JournalError) {
      let parsed = try reader.parse(bytes)
      line = .success(parsed)
      event = Self.event(of: parsed, by: reader)
    } catch {
      line = .failure(error)
      event = .failure(error)
    }
  }

  private static func event(of line: JournalLine, by reader: JournalLineReader) -> Result<RecordedEvent, JournalError> {
    do throws(JournalError) { return .success(try reader.event(of: line)) } catch { return .failure(error) }
  }

  /// Few lines are read sooner than other threads begin.
  private static let worthAThread = 128
  private static let mostThreads = 8

  /// Reads lines that follow one another, many of them by several threads.
  ///
  /// - Parameter number: of the first line.
  static func read(_ lines: [ArraySlice<UInt8>], from number: Int, in folder: RunFolder) -> [SeparateLine] {
    let processors = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
    let parts = min(processors, mostThreads, lines.count / worthAThread)
    @Sendable func read(_ range: Range<Int>) -> [SeparateLine] {
      range.map { SeparateLine(lines[$0], by: JournalLineReader(folder: folder, number: number + $0)) }
    }
    guard parts > 1 else { return read(lines.indices) }
    let results = Mutex([[SeparateLine]](repeating: [], count: parts))
    DispatchQueue.concurrentPerform(iterations: parts) { part in
      let own = read(lines.count * part / parts..<lines.count * (part + 1) / parts)
      results.withLock { $0[part] = own }
    }
    return results.withLock { $0.flatMap(\.self) }
  }
}
