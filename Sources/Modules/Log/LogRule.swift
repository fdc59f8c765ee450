package import Logs
package import Schema

/// A pattern as a step declares it: what is looked for, and what finding it means.
package struct LogRule: Hashable, Sendable {
  package enum Severity: String, Hashable, Sendable, CaseIterable {
    case fail
    case warn
    case note
  }

  package var match: String?
  package var all: [String]
  package var none: [String]
  package var severity: Severity
  package var atMost: Int

  package static let record = Record(
    Self.init,
    Field("match", \.match, .optional(.string), "A regular expression (RE2), found anywhere in the message."),
    Field("all", \.all, .list(.string), default: [], "Texts that are all in the message."),
    Field("none", \.none, .list(.string), default: [], "Texts of which none is in the message."),
    Field("severity", \.severity, .enumeration(Severity.self), default: .fail, "What it means to find it."),
    Field("atMost", \.atMost, .int.within(0...1_000_000_000), default: 0, "How often it may be found.")
  )
}

/// What was found of one pattern.
package struct LogFinding: Hashable, Sendable {
  package var count: Int
  package var first: Timestamp?
  package var last: Timestamp?
  package var samples: [String]

  init(count: Int, first: Timestamp?, last: Timestamp?, samples: [String]) {
    self.count = count
    self.first = first
    self.last = last
    self.samples = samples
  }

  init(_ matches: LogMatches) {
    self.init(count: matches.count, first: matches.first, last: matches.last, samples: matches.samples)
  }

  package static let record = Record(
    Self.init(count:first:last:samples:),
    Field("count", \.count, .int, "Messages, each as often as the log says that it was repeated."),
    Field("first", \.first, .optional(.timestamp), "The earliest whose time is known."),
    Field("last", \.last, .optional(.timestamp), "The latest whose time is known."),
    Field("samples", \.samples, .list(.string), "The first of them, cut after 300 bytes.")
  )
}

/// What became of one file.
package struct LogFileAccount: Hashable, Sendable {
  package var path: String
  package var result: LogFiles.Reading.Result
  package var bytes: Int
  package var compression: String?

  init(path: String, result: LogFiles.Reading.Result, bytes: Int, compression: String?) {
    self.path = path
    self.result = result
    self.bytes = bytes
    self.compression = compression
  }

  init(_ reading: LogFiles.Reading) {
    self.init(
      path: reading.path, result: reading.result, bytes: reading.bytes, compression: reading.compressionName)
  }

  package static let record = Record(
    Self.init(path:result:bytes:compression:),
    Field("path", \.path, .path, "Its path."),
    Field("result", \.result, .enumeration(LogFiles.Reading.Result.self), "What became of it; older: than the window."),
    Field("bytes", \.bytes, .byteSize, "What was read of it, decompressed."),
    Field(
      "compression", \.compression, .optional(.string),
      "Its compression: gzip, xz, bzip2 or zstd; absent if nothing did.")
  )
}
