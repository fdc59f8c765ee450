import CRE2

/// Patterns that are looked for in one pass, in time linear in the text.
///
/// One expression of all of them finds the next line that matters in a block of lines; a set tells which of them are in it.
final class PatternSet {
  private static let memoryLimit: Int64 = 64 << 20
  private let all: OpaquePointer
  private let set: OpaquePointer
  private var found: [Int32]
  /// Whether a pattern is tied to the start of the message, which may stand behind a prefix in the line.
  let isAnchored: Bool

  /// - Parameter sources: regular expressions, at least one; each was found valid before.
  init(_ sources: [String]) throws(LogPatternError) {
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
    found = Array(repeating: 0, count: sources.count)
    isAnchored = sources.contains { Self.isAnchored($0) }
  }

  deinit {
    cre2_set_free(set)
    cre2_free(all)
  }

  /// Throws, under a name, where an expression is none of RE2.
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

  /// The offset, from `start` on, of the first match of any pattern; nil where there is none.
  func nextMatch(in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
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
