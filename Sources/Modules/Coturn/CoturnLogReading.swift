import Coturn
import Journal
import Logs
import Processes
import Schema
import Steps

/// What was read of all the sources of a log.
struct CoturnLogReading: Sendable {
  var facts: CoturnLogFacts
  var files: [LogFiles.Reading] = []
  /// What has no message of the window, and older ones: "the journal holds no message of coturn.service".
  var quietSource: Sentence?

  /// Reads files on a thread of its own, the journal, and a container; files first, so that one log goes on in the other.
  static func all(
    of names: [String], _ journal: LogJournal?, _ container: LogContainer?, _ window: CoturnLogReview.Window,
    in context: StepContext
  ) async throws(StepError) -> CoturnLogReading {
    let review = SharedSink(CoturnLogReview(window: window))
    let files = await files(names, into: review, from: window.from)
    guard !Task.isCancelled else {
      throw StepError(.interrupted, Finding("log.interrupted", "reading was ended before the end of the logs"))
    }
    var reading = CoturnLogReading(facts: CoturnLogFacts(), files: files)
    if let journal {
      let isQuiet = try await journal.read(
        from: window.from, until: window.until, into: review, lines: { $0.facts().account.lines }, in: context)
      if isQuiet { reading.quietSource = journal.quietness }
    }
    if let container {
      let isQuiet = try await container.read(
        from: window.from, until: window.until, into: review, lines: { $0.facts().account.lines }, in: context)
      if isQuiet { reading.quietSource = container.quietness }
    }
    reading.facts = review.use { $0.facts() }
    return reading
  }

  private static func files(
    _ names: [String], into review: SharedSink<CoturnLogReview>, from: Timestamp?
  ) async -> [LogFiles.Reading] {
    guard !names.isEmpty else { return [] }
    let isCancelled = CancellationMark()
    return await withTaskCancellationHandler {
      await onBlockingThread {
        review.use { LogFiles(names).read(into: $0, from: from) { !isCancelled.isSet } }
      }
    } onCancel: {
      isCancelled.set()
    }
  }

  /// Why what was not read keeps the step from an answer; nil if everything was.
  func unread(_ names: [String]) -> Finding? {
    if let file = files.first(where: { $0.result == .unreadable }) {
      return Finding(
        "log.unreadable", "\(file.path) cannot be read: \(file.reason ?? "no reason given")",
        advice: "Check the path, and that this user may read the file and enter its folders.")
    }
    if let file = files.first(where: { $0.result == .damaged }) {
      return Finding(
        "log.damaged", "\(file.path) is damaged: \(file.reason ?? "no reason given")",
        advice: "What stands before the damage was read. Look at the file with zcat, xzcat, bzcat or zstdcat.")
    }
    if let file = files.first(where: { $0.result == .shrank }) {
      return Finding(
        "log.shrank", "\(file.path) became shorter while it was read",
        advice: "Run it again: the log was rotated meanwhile.")
    }
    guard files.isEmpty, !names.isEmpty else { return nil }
    return Finding(
      "log.noFiles", "no file is named \(names.joined(separator: " or "))",
      advice: "Look where the server logs: `log-file` in turnserver.conf, or the journal of its unit.")
  }
}
