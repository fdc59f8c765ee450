import Journal
import Logs
import Processes
package import Schema
import Steps

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
    _ patterns: [LogPattern], _ scope: LogReview.ReviewScope, in context: StepContext
  ) async throws(StepError) -> LogReading {
    var reading = try await run(window(scope.from, scope.until), patterns, scope, context)
    guard reading.account.lines == 0 else { return reading }
    try await requireAnyMessage(context)
    reading.quietSource = quietness
    return reading
  }

  var name: String { units.isEmpty ? "any unit" : units.joined(separator: ", ") }

  var quietness: Sentence { "the journal holds no message of \(name)" }

  /// Gives what the journal shows of a window to a sink. True if it shows nothing of it, and older messages.
  ///
  /// Throws `broken` as `read` does.
  ///
  /// - Parameter lines: how many lines the sink has read.
  func read<Sink: LogSink>(
    from: Timestamp?, until: Timestamp?, into sink: SharedSink<Sink>, lines: @Sendable (Sink) -> Int,
    in context: StepContext
  ) async throws(StepError) -> Bool {
    let before = sink.use(lines)
    try await read(window(from, until), into: sink, in: context)
    guard sink.use(lines) == before else { return false }
    try await requireAnyMessage(context)
    return true
  }

  private func window(_ from: Timestamp?, _ until: Timestamp?) -> [String] {
    (from.map { ["--since=@\($0.seconds)"] } ?? []) + (until.map { ["--until=@\($0.seconds + 1)"] } ?? [])
  }

  private func requireAnyMessage(_ context: StepContext) async throws(StepError) {
    let any = try await run(["--lines=1"], [], .init(), context)
    guard any.account.lines > 0 else { throw holdsNothing }
  }

  var holdsNothing: StepError {
    .broken(
      "log.nothingInJournal", "the journal holds no message of \(name)",
      advice: "Check the name with: systemctl list-units. A server with `log-file` does not log to the journal.")
  }

  private func run(
    _ window: [String], _ patterns: [LogPattern], _ scope: LogReview.ReviewScope, _ context: StepContext
  ) async throws(StepError) -> LogReading {
    let review: SharedSink<LogReview>
    do throws(LogPatternError) { review = SharedSink(try LogReview(patterns, scope)) } catch {
      throw .broken(
        "log.patternInvalid", "pattern \(error.pattern): \(error.message)",
        advice: "Write the pattern in the syntax of RE2, which has no look-ahead and no references back.")
    }
    try await read(window, into: review, in: context)
    return review.use { LogReading($0) }
  }

  /// Gives a sink what journalctl prints.
  ///
  /// Throws `broken` if the journal is not there or may not be read.
  ///
  /// - Parameter window: options of journalctl that choose among the units' entries.
  func read<Sink: LogSink>(
    _ window: [String], into sink: SharedSink<Sink>, in context: StepContext
  ) async throws(StepError) {
    sink.use { $0.begin(reference: .unixEpoch, tail: []) }
    var command = Command("journalctl", arguments + window)
    command.streamsStandardOutput = true
    let result: ProcessResult
    do throws(ProcessError) {
      result = try await command.run(in: context) { output, bytes in
        if output == .standardOutput { sink.use { sink in bytes.withUnsafeBytes { sink.take($0) } } }
      }
    } catch {
      throw .broken("log.noJournal", error.message, advice: "journalctl belongs to systemd: is it this host's init?")
    }
    guard result.interruption == nil else {
      throw StepError(.interrupted, .init("log.interrupted", "reading the journal was ended before its end"))
    }
    let words = result.standardError.text.trimmingBlanks
    guard result.isSuccess else {
      throw .broken(
        "log.unreadable", "journalctl cannot read the journal: \(words.prefix(300))",
        advice: "Run journalctl by hand as the same user. Members of the group systemd-journal may read the journal.")
    }
    // journalctl ends well if it shows only a part.
    guard !words.contains("not seeing messages from other users") else {
      throw .broken(
        "log.unreadable", "this user may not read the journal of the system",
        advice: "Add the user to the group systemd-journal, or run it as root.")
    }
    sink.use { $0.end() }
  }
}

extension String {
  fileprivate var trimmingBlanks: Substring {
    var text = self[...]
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
