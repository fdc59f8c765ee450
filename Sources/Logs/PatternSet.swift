import CRE2
import Glibc

/// Patterns that are looked for in one pass, in time linear in the text.
///
/// The words without which none can match find the next line of a block that may matter; if there are no such words, one
/// expression of all of them does. A set tells which of them are in the line.
final class PatternSet {
  private static let memoryLimit: Int64 = 64 << 20
  private let all: OpaquePointer
  private let set: OpaquePointer
  private let words: OpaquePointer?
  private var found: [Int32]
  /// Whether a pattern is tied to the start of the message, which may stand behind a prefix in the line.
  private let isAnchored: Bool

  /// - Parameters:
  ///   - sources: regular expressions, at least one; each was found valid before.
  ///   - usesWords: false for the expression alone.
  init(_ sources: [String], usesWords: Bool = true) throws(LogPatternError) {
    guard let set = cre2_set_new(Self.memoryLimit) else {
      throw LogPatternError(pattern: "", message: "no memory for the patterns")
    }
    for source in sources { _ = source.withRE2 { cre2_set_add(set, $0, $1) } }
    guard cre2_set_compile(set) else {
      cre2_set_free(set)
      throw LogPatternError(pattern: "", message: "the patterns are too large together: use fewer, or shorter ones")
    }
    do {
      all = try Self.compiled(sources.map { "(?:\($0))" }.joined(separator: "|"))
    } catch {
      cre2_set_free(set)
      throw error
    }
    self.set = set
    words = usesWords ? Self.words(sources) : nil
    found = Array(repeating: 0, count: sources.count)
    isAnchored = sources.contains { Self.isAnchored($0) }
  }

  deinit {
    cre2_set_free(set)
    cre2_free(all)
    cre2_words_free(words)
  }

  private static func words(_ sources: [String]) -> OpaquePointer? {
    let copies = sources.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    // A NUL would end a copy before its length.
    guard !sources.contains(where: { $0.utf8.contains(0) }), !copies.contains(nil) else { return nil }
    return copies.map { UnsafePointer($0) }.withUnsafeBufferPointer { patterns in
      cre2_words_new(patterns.baseAddress, sources.map(\.utf8.count), Int32(patterns.count))
    }
  }

  /// Throws, under a name, if an expression is none of RE2.
  static func validate(_ source: String, name: String) throws(LogPatternError) {
    do { cre2_free(try compiled(source)) } catch {
      throw LogPatternError(pattern: name, message: error.message)
    }
  }

  private static func compiled(_ source: String) throws(LogPatternError) -> OpaquePointer {
    guard let handle = source.withRE2({ cre2_compile_lines($0, $1, memoryLimit) }) else {
      throw LogPatternError(pattern: source, message: "no memory for the pattern")
    }
    if let error = cre2_error(handle) {
      let message = String(cString: error)
      cre2_free(handle)
      throw LogPatternError(pattern: source, message: message)
    }
    return handle
  }

  /// True too for what only may be tied to the start: that costs time, and loses nothing.
  private static func isAnchored(_ source: String) -> Bool { source.contains("^") || source.contains("\\A") }

  /// True if lines that may have a match can be found in a block of lines, without a look at the others.
  var findsLines: Bool { words != nil || !isAnchored }

  /// The offset, from `start` on, of a place in the first line that may have a match; nil if there is none.
  func nextCandidate(in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let words else { return nextMatch(in: text, from: start) }
    let place = text.withMemoryRebound(to: CChar.self) { cre2_words_find(words, $0.baseAddress, $0.count, start) }
    return place < 0 ? nil : place
  }

  /// False if nothing in a line that has a candidate matches.
  func mayMatch(_ line: UnsafeRawBufferPointer) -> Bool {
    words == nil || isAnchored || nextMatch(in: line, from: 0) != nil
  }

  private func nextMatch(in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var span = cre2_span()
    let found = text.withMemoryRebound(to: CChar.self) {
      cre2_find(all, $0.baseAddress, $0.count, start, &span, 1)
    }
    return found ? span.start : nil
  }

  /// Calls back with the index of each pattern that is in the text. False if they could not be told for want of memory.
  func eachMatch(in text: UnsafeRawBufferPointer, _ body: (Int) -> Void) -> Bool {
    let count = text.withMemoryRebound(to: CChar.self) { text in
      found.withUnsafeMutableBufferPointer {
        cre2_set_match(set, text.baseAddress, text.count, $0.baseAddress, Int32($0.count))
      }
    }
    guard count >= 0 else { return false }
    for index in found.prefix(Int(count)) { body(Int(index)) }
    return true
  }

  /// A regular expression for a text that stands for itself.
  static func literal(_ text: String) -> String {
    var quoted = ""
    for scalar in text.unicodeScalars {
      let isPlain =
        scalar.value >= 0x80 || scalar == "_" || ("0"..."9").contains(scalar)
        || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
      if scalar == "\0" {
        quoted += "\\x00"
      } else {
        if !isPlain { quoted.unicodeScalars.append("\\") }
        quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted
  }
}

extension String {
  fileprivate func withRE2<R>(_ body: (UnsafePointer<CChar>?, Int) -> R) -> R {
    var text = self
    return text.withUTF8 { bytes in bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress, $0.count) } }
  }
}

/// What is looked for in the lines of a log, by a name.
package struct LogPattern: Hashable, Sendable {
  package var name: String
  /// A regular expression of RE2, found anywhere in the message; bytes stand for themselves. Nil if `all` decides.
  package var match: String?
  /// Each of these texts is in the line.
  package var all: [String]
  /// None of these texts is in the line.
  package var none: [String]

  package init(name: String, match: String? = nil, all: [String] = [], none: [String] = []) {
    self.name = name
    self.match = match
    self.all = all
    self.none = none
  }
}

/// A pattern that cannot be looked for.
package struct LogPatternError: Error, Hashable, Sendable {
  package let pattern: String
  package let message: String
}
