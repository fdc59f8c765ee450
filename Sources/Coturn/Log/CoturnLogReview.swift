import Logs
package import Schema

/// Reads logs of coturn, of versions 4.5.0 to 4.17.1, in every form in which they are kept: files, rotated and compressed ones,
/// syslog, journald, Docker's json-file, `docker compose logs`, container runtimes of Kubernetes.
///
/// Text in, facts out, in one pass, with memory that stays flat: sessions are kept while they are open. Version and form are told
/// from the text. A newer version is read as the newest that is known.
package final class CoturnLogReview: LogSink {
  /// Records from one moment on, and before another one.
  package struct Window: Hashable, Sendable {
    package var from: Timestamp?
    package var until: Timestamp?

    package init(from: Timestamp?, until: Timestamp?) {
      self.from = from
      self.until = until
    }
  }

  private let reader: LogLineReader
  private let lines: LogLines

  /// - Parameter window: what counts; everything, if nil. Sessions, starts and the version are followed outside of it too.
  package init(window: Window? = nil) {
    let bounded = window.flatMap { $0.from == nil && $0.until == nil ? nil : $0 }
    let reader = LogLineReader(LogInterpreter(window: bounded))
    self.reader = reader
    lines = LogLines(begins: { reader.begin($0, tail: $1) }, reads: { reader.read($0) })
  }

  package func begin(reference: Timestamp, tail: [UInt8] = []) { lines.begin(reference: reference, tail: tail) }

  package func take(_ fill: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int { try lines.take(fill) }

  package func end() {
    lines.end()
    reader.end()
  }

  /// What was found so far; complete after the last source.
  package func facts() -> CoturnLogFacts {
    var facts = reader.interpreter.finished()
    facts.account.linesOfLastSource = lines.linesOfSource
    facts.account.lines = lines.account.lines
    facts.account.bytes = lines.account.bytes
    facts.account.nulBytes = lines.account.nulBytes
    facts.account.cutLines = lines.account.cutLines
    return facts
  }
}

extension LogInterpreter {
  /// The facts, with the sessions that are still open.
  func finished() -> CoturnLogFacts {
    var copy = self
    for stream in copy.streams.indices {
      copy.settle(stream)
      copy.sessions.leave(start: copy.streams[stream].start)
    }
    var facts = copy.facts
    facts.last = copy.lastMoment.map { Self.moment($0.time, start: $0.start) }
    if facts.records == 0 { (facts.first, facts.last) = (nil, nil) }
    facts.leftOpen = copy.sessions.leftOpen.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
    facts.sessions = copy.sessions.ended.filter { $0.start > 0 }.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
    facts.sessionsLeftOut = copy.sessions.droppedEnded + copy.sessions.droppedOpen + copy.sessions.droppedLeftOpen
    return facts
  }
}
