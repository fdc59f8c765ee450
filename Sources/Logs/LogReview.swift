import CLinux
import Glibc
package import Schema

/// Looks for patterns in the lines of logs, in one pass, in time linear in what is read, with memory that stays flat.
package final class LogReview: LogSink {
  /// What the review is about, besides its patterns.
  package struct ReviewScope: Hashable, Sendable {
    /// Messages from this moment on.
    package var from: Timestamp?
    /// Messages before this moment.
    package var until: Timestamp?
    /// Messages of this program alone, by the name in syslog or journal.
    package var program: String?
    /// How many messages of each pattern are kept.
    package var samples: Int

    package init(from: Timestamp? = nil, until: Timestamp? = nil, program: String? = nil, samples: Int = 3) {
      self.from = from
      self.until = until
      self.program = program
      self.samples = samples
    }
  }

  /// The most of a message that a sample keeps, in bytes.
  static let sampleLength = 300
  /// How far back a message without a stamp may belong to one with a stamp, in lines.
  private static let continuationLines = 16
  /// The most that is kept of the line before a block.
  private static let continuationLength = 4096
  /// The most that the parts of one message may come to.
  private static let joinedLimit = 1 << 20

  /// By the patterns' order.
  package private(set) var matches: [LogMatches]
  package private(set) var account = LogAccount()

  private let patterns: [LogPattern]
  private let set: PatternSet
  /// Which pattern an expression of the set belongs to; nil for what the review itself looks for.
  private let owners: [Int?]
  private let scope: ReviewScope

  private var buffer = LineBuffer()
  private var clock = LogClock(reference: .unixEpoch)
  private var form: LogRecord.Form?
  /// The parts so far of a message that a container runtime cut.
  private var partial: [UInt8] = []
  /// What the line before matched, for "last message repeated".
  private var previous: (hits: [Int], time: Timestamp?) = ([], nil)
  private var lastTime: Timestamp?
  /// The last line of the block before, as far as `continuationLength`.
  private var tail: [UInt8] = []

  /// Throws if a pattern is no regular expression of RE2, or has neither `match` nor `all`.
  package init(_ patterns: [LogPattern], _ scope: ReviewScope) throws(LogPatternError) {
    var sources: [String] = []
    var owners: [Int?] = []
    for (index, pattern) in patterns.enumerated() {
      guard let source = pattern.match ?? pattern.all.first.map(PatternSet.literal) else {
        throw LogPatternError(pattern: pattern.name, message: "it says nothing to look for: give match or all")
      }
      try PatternSet.validate(source, name: pattern.name)
      sources.append(source)
      owners.append(index)
    }
    for source in [Self.repetition, Self.suppression] {
      sources.append(source)
      owners.append(nil)
    }
    set = try PatternSet(sources)
    self.patterns = patterns
    self.owners = owners
    self.scope = scope
    matches = patterns.map { _ in LogMatches() }
  }

  private static let repetition = "message repeated [0-9]+ times"
  private static let suppression = "Suppressed [0-9]+ messages|[0-9]+ messages? (?:lost|dropped)|lost [0-9]+ messages?"

  // MARK: Reading

  /// Begins with a source of lines: a file, a stream.
  ///
  /// - Parameter reference: when it was last written; now for what goes on.
  package func begin(reference: Timestamp, tail: [UInt8] = []) {
    clock = LogClock(reference: reference)
    form = nil
    partial = []
    previous = ([], nil)
    lastTime = nil
    self.tail = []
  }

  /// Lets `fill` put bytes into a buffer; it gives how many. Gives what `fill` gave.
  package func take(_ fill: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int {
    let count = try buffer.take(fill) { read($0) }
    account.bytes += count
    return count
  }

  /// Ends a source: its last line may have no line feed.
  package func end() {
    buffer.finish { read($0) }
    if !partial.isEmpty {
      let message = partial
      partial = []
      message.withUnsafeBytes { examine($0, time: lastTime) }
    }
    account.cutLines = buffer.cutLines
    account.nulBytes = buffer.nulBytes
  }

  private func read(_ block: UnsafeRawBufferPointer) {
    account.lines += LogLines.count(block)
    if form == nil { form = firstForm(block) }
    if searchesBlocks { search(block) } else { eachLine(block) { record($0) } }
  }

  /// True if only lines that may have a match are looked at, so that the line before one has not been seen.
  private var searchesBlocks: Bool { form == .text && set.findsLines }

  /// The form of the first line that holds something; nil if none does.
  private func firstForm(_ block: UnsafeRawBufferPointer) -> LogRecord.Form? {
    var place = 0
    while place < block.count {
      let end = lineEnd(block, place)
      if end > place { return LogRecord.form(of: UnsafeRawBufferPointer(rebasing: block[place..<end]), clock) }
      place = end + 1
    }
    return nil
  }

  /// Only lines that may have a match are looked at: every other byte is passed once.
  private func search(_ block: UnsafeRawBufferPointer) {
    var place = 0
    while place < block.count, let match = set.nextCandidate(in: block, from: place) {
      let start = lineStart(block, match)
      let end = lineEnd(block, match)
      let line = UnsafeRawBufferPointer(rebasing: block[start..<end])
      if set.mayMatch(line) { text(line, in: block, at: start) }
      place = end + 1
    }
    lastTime = timeBefore(block.count, in: block)
    let end = block.last == 0x0A ? block.count - 1 : block.count
    let line = block[lineStart(block, end)..<end]
    tail = Array(line.prefix(Self.continuationLength))
  }

  private func eachLine(_ block: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    var place = 0
    while place < block.count {
      let end = lineEnd(block, place)
      body(UnsafeRawBufferPointer(rebasing: block[place..<end]))
      place = end + 1
    }
  }

  // MARK: Lines

  private func record(_ line: UnsafeRawBufferPointer) {
    switch form {
    case .json:
      guard let record = LogRecord(json: line, clock) else { return text(line, in: line, at: 0) }
      take(record)
    case .cri:
      guard let record = LogRecord.cri(line, clock) else { return text(line, in: line, at: 0) }
      take(record)
    case .text, nil: text(line, in: line, at: 0)
    }
  }

  private func take(_ record: LogRecord) {
    guard let message = record.message else {
      account.unreadable += 1
      return
    }
    lastTime = record.time ?? lastTime
    if record.isPartial, partial.count + message.count <= Self.joinedLimit {
      partial += message
      return
    }
    let whole = partial.isEmpty ? message : partial + message
    partial = []
    if let program = scope.program, let name = record.program, name != program { return }
    whole.withUnsafeBytes { bytes in
      // A program's own stamp is no part of its message, and the runtime's is the better one.
      let line = LogLine(bytes, clock)
      examine(
        UnsafeRawBufferPointer(rebasing: bytes[line.message]), time: record.time ?? line.time,
        repetitions: line.repetitions, repeatsPrevious: line.repeatsPrevious)
    }
  }

  /// - Parameters:
  ///   - block: where the line stands, at `start`: a message without a stamp belongs to the one before it.
  private func text(_ bytes: UnsafeRawBufferPointer, in block: UnsafeRawBufferPointer, at start: Int) {
    let line = LogLine(bytes, clock)
    if let program = scope.program, let name = line.program, !bytes[name].elementsEqual(program.utf8) { return }
    let time = line.time ?? (searchesBlocks ? timeBefore(start, in: block) : lastTime)
    lastTime = time ?? lastTime
    if line.repeatsPrevious, searchesBlocks { lookAtLine(before: start, in: block) }
    examine(
      UnsafeRawBufferPointer(rebasing: bytes[line.message]), time: time, repetitions: line.repetitions,
      repeatsPrevious: line.repeatsPrevious)
  }

  private func timeBefore(_ start: Int, in block: UnsafeRawBufferPointer) -> Timestamp? {
    var end = start - 1
    for _ in 0..<Self.continuationLines where end > 0 {
      let start = lineStart(block, end)
      if let time = LogLine(UnsafeRawBufferPointer(rebasing: block[start..<end]), clock).time { return time }
      end = start - 1
    }
    return lastTime
  }

  /// Which patterns are in the line before, which no pattern may be in.
  private func lookAtLine(before start: Int, in block: UnsafeRawBufferPointer) {
    guard start > 0 else { return tail.withUnsafeBytes { lookAtLine($0) } }
    lookAtLine(UnsafeRawBufferPointer(rebasing: block[lineStart(block, start - 1)..<start - 1]))
  }

  private func lookAtLine(_ bytes: UnsafeRawBufferPointer) {
    let line = LogLine(bytes, clock)
    previous = (hits(in: UnsafeRawBufferPointer(rebasing: bytes[line.message])).patterns, line.time)
  }

  private func examine(
    _ message: UnsafeRawBufferPointer, time: Timestamp?, repetitions: Int? = nil, repeatsPrevious: Bool = false
  ) {
    if let from = scope.from, let time, time < from { return forget(time) }
    if let until = scope.until, let time, time >= until { return forget(time) }
    if repeatsPrevious {
      for index in previous.hits { matches[index].add(time, count: repetitions ?? 1) }
      return
    }
    let (patterns, isSuppression) = hits(in: message)
    if isSuppression { account.suppressed += suppressed(message) }
    if !patterns.isEmpty, time == nil { account.undated += 1 }
    for index in patterns {
      matches[index].add(time, count: repetitions ?? 1)
      if matches[index].samples.count < scope.samples { matches[index].samples.append(sample(message)) }
    }
    previous = (patterns, time)
  }

  private func forget(_ time: Timestamp) { previous = ([], time) }

  private func hits(in message: UnsafeRawBufferPointer) -> (patterns: [Int], isSuppression: Bool) {
    var found: [Int] = []
    var isSuppression = false
    let isTold = set.eachMatch(in: message) { expression in
      if let owner = owners[expression] {
        if isWhole(patterns[owner], message) { found.append(owner) }
      } else if expression == owners.count - 1 {
        isSuppression = true
      }
    }
    if !isTold { account.unreadable += 1 }
    return (found, isSuppression)
  }

  /// Whether the words that a pattern wants are there, and those that it does not want are not.
  private func isWhole(_ pattern: LogPattern, _ message: UnsafeRawBufferPointer) -> Bool {
    pattern.all.allSatisfy { contains($0, message) } && !pattern.none.contains { contains($0, message) }
  }

  private func contains(_ word: String, _ message: UnsafeRawBufferPointer) -> Bool {
    guard let base = message.baseAddress else { return word.isEmpty }
    var word = word
    return word.withUTF8 { word in
      guard let start = word.baseAddress else { return true }
      return runbook_find_bytes(base, message.count, start, word.count) != nil
    }
  }

  /// The number in a line that says that messages were left out; 1 if it cannot be read.
  private func suppressed(_ message: UnsafeRawBufferPointer) -> Int {
    for keyword: StaticString in ["Suppressed ", "lost "] {
      guard let place = place(of: keyword, in: message) else { continue }
      var cursor = ByteCursor(message, at: place + keyword.utf8CodeUnitCount)
      if let count = cursor.number() { return count }
    }
    guard let place = place(of: " message", in: message) else { return 1 }
    var start = place
    while start > 0, (0x30...0x39).contains(message[start - 1]) { start -= 1 }
    var cursor = ByteCursor(message, at: start)
    return cursor.number() ?? 1
  }

  private func place(of keyword: StaticString, in message: UnsafeRawBufferPointer) -> Int? {
    guard let base = message.baseAddress,
      let found = runbook_find_bytes(base, message.count, keyword.utf8Start, keyword.utf8CodeUnitCount)
    else { return nil }
    return base.distance(to: UnsafeRawPointer(found))
  }

  private func sample(_ message: UnsafeRawBufferPointer) -> String {
    var end = message.count
    while end > 0, message[end - 1] == 0x0D || message[end - 1] == 0x20 { end -= 1 }
    guard end > Self.sampleLength else { return String(decoding: message[..<end], as: UTF8.self) }
    end = Self.sampleLength
    // Not in the midst of a character.
    while end > 0, message[end] & 0xC0 == 0x80 { end -= 1 }
    return String(decoding: message[..<end], as: UTF8.self) + "…"
  }

  // MARK: Bytes

  private func lineStart(_ block: UnsafeRawBufferPointer, _ place: Int) -> Int {
    guard let base = block.baseAddress, let feed = runbook_last_byte(base, 0x0A, place) else { return 0 }
    return base.distance(to: UnsafeRawPointer(feed)) + 1
  }

  /// The offset of the line feed that ends the line at a place, or the end of the block.
  private func lineEnd(_ block: UnsafeRawBufferPointer, _ place: Int) -> Int {
    guard let base = block.baseAddress, let feed = memchr(base + place, 0x0A, block.count - place) else {
      return block.count
    }
    return base.distance(to: UnsafeRawPointer(feed))
  }
}
