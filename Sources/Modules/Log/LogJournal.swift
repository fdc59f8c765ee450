import Journal
import Logs
import Processes
package import Schema
import Steps
import Synchronization

/// What is read of the systemd journal.
package struct LogJournal: Hashable, Sendable {
  package var units: [String]
  package var directory: String?
  package var file: String?

  package static let record = Record(
    Self.init,
    Field("units", \.units, .list(.string), default: [], "Units whose messages are read; all messages, if none."),
    Field("directory", \.directory, .optional(.path), "A folder of journal files, in place of this host's."),
    Field("file", \.file, .optional(.path), "One journal file, in place of this host's.")
  )

  /// The arguments of journalctl, but for the window.
  private var arguments: [String] {
    ["--output=json", "--all", "--no-pager"] + units.map { "--unit=\($0)" }
      + (directory.map { ["--directory=\($0)"] } ?? []) + (file.map { ["--file=\($0)"] } ?? [])
  }

  /// Reads the journal as `journalctl` gives it.
  ///
  /// Throws `broken` if it is not there, may not be read, or holds nothing of the units at all.
  func read(
    _ patterns: [LogPattern], _ scope: LogReview.Scope, in context: StepContext
  ) async throws(StepError) -> LogReading {
    var window: [String] = []
    if let from = scope.from { window.append("--since=@\(from.seconds)") }
    if let until = scope.until { window.append("--until=@\(until.seconds + 1)") }
    var reading = try await run(window, patterns, scope, context)
    guard reading.account.lines == 0 else { return reading }
    let any = try await run(["--lines=1"], patterns, .init(), context)
    guard any.account.lines > 0 else {
      throw .broken(
        "log.nothingInJournal", "the journal holds no message of \(name)",
        advice: "Check the name with: systemctl list-units. A server with `log-file` does not log to the journal.")
    }
    reading.quietUnit = name
    return reading
  }

  private var name: String { units.isEmpty ? "any unit" : units.joined(separator: ", ") }

  private func run(
    _ window: [String], _ patterns: [LogPattern], _ scope: LogReview.Scope, _ context: StepContext
  ) async throws(StepError) -> LogReading {
    let stream: JournalStream
    do throws(LogPatternError) { stream = try JournalStream(patterns, scope) } catch {
      throw .broken("log.patternInvalid", "pattern \(error.pattern): \(error.message)")
    }
    var command = Command("journalctl", arguments + window)
    command.streamsStandardOutput = true
    let result: ProcessResult
    do throws(ProcessError) {
      result = try await command.run(in: context) { output, bytes in
        if output == .standardOutput { stream.take(bytes) }
      }
    } catch {
      throw .broken("log.noJournal", error.message, advice: "journalctl belongs to systemd: is it this host's init?")
    }
    guard result.interruption == nil else {
      throw StepError(.interrupted, .init("log.interrupted", "reading the journal was ended before its end"))
    }
    let words = result.standardError.text.trimmingBlanks
    guard result.isSuccess else {
      throw .broken("log.unreadable", "journalctl cannot read the journal: \(words.prefix(300))")
    }
    // journalctl ends well if it shows only a part.
    guard !words.contains("not seeing messages from other users") else {
      throw .broken(
        "log.unreadable", "this user may not read the journal of the system",
        advice: "Add the user to the group systemd-journal, or run it as root.")
    }
    return stream.reading()
  }
}

/// A review that gets its lines from the thread that reads a command's output.
private final class JournalStream: Sendable {
  private let review: Mutex<LogReview>

  init(_ patterns: [LogPattern], _ scope: LogReview.Scope) throws(LogPatternError) {
    let review = try LogReview(patterns, scope)
    review.begin(reference: .unixEpoch)
    self.review = Mutex(review)
  }

  func take(_ bytes: [UInt8]) {
    review.withLock { review in bytes.withUnsafeBytes { review.take($0) } }
  }

  func reading() -> LogReading {
    review.withLock { review in
      review.end()
      return LogReading(review)
    }
  }
}

extension String {
  fileprivate var trimmingBlanks: Substring {
    var text = self[...]
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
