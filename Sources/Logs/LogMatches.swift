package import Schema

/// What was found of one pattern.
package struct LogMatches: Hashable, Sendable {
  /// Messages, each as often as the log says that it was repeated.
  package var count = 0
  /// The times of the earliest and the latest message whose time is known.
  package var first: Timestamp?
  package var last: Timestamp?
  /// The first of the messages, cut.
  package var samples: [String] = []

  package init() {}

  /// Takes in what another review found of the same pattern, of whose messages up to `samples` are kept in all.
  package mutating func add(_ other: Self, samples: Int) {
    count += other.count
    first = [first, other.first].compactMap(\.self).min()
    last = [last, other.last].compactMap(\.self).max()
    self.samples += other.samples.prefix(max(0, samples - self.samples.count))
  }

  mutating func add(_ time: Timestamp?, count: Int) {
    self.count += count
    guard let time else { return }
    first = min(first ?? time, time)
    last = max(last ?? time, time)
  }
}

/// What a review has read, and what it could not read.
package struct LogAccount: Hashable, Sendable {
  package var lines = 0
  /// Decompressed.
  package var bytes = 0
  /// Lines that a pattern is in and whose time is not known: they count, whatever the window.
  package var undated = 0
  /// Messages that a logger says it left out: counts are lower bounds.
  package var suppressed = 0
  /// Records of a journal without a message that can be read.
  package var unreadable = 0
  /// Lines that were longer than a mebibyte, and read up to there.
  package var cutLines = 0
  package var nulBytes = 0

  package init() {}

  /// Takes in what another review has read.
  package mutating func add(_ other: Self) {
    lines += other.lines
    bytes += other.bytes
    undated += other.undated
    suppressed += other.suppressed
    unreadable += other.unreadable
    cutLines += other.cutLines
    nulBytes += other.nulBytes
  }
}
