import CRE2
import Synchronization

/// A regular expression of RE2: matched in time linear in the text.
final class Pattern: @unchecked Sendable {
  // RE2 objects are immutable once compiled, and may be used from any thread.
  private let handle: OpaquePointer
  /// Instructions of the compiled program.
  let size: Int

  private init(handle: OpaquePointer) {
    self.handle = handle
    size = Int(cre2_program_size(handle))
  }

  deinit { cre2_free(handle) }

  private static let cache = Mutex<[String: Pattern]>([:])
  private static let cacheCapacity = 64
  private static let memoryLimit: Int64 = 1 << 20

  /// What a pattern costs that cannot be compiled: before RE2 gives up, it may have filled the memory it is allowed.
  private static let refusalCost = 10_000

  /// The compiled pattern, from those used before where it is among them; otherwise what it takes to compile it is charged.
  static func cached(_ source: String, _ meter: inout CostMeter) throws(EvaluationError) -> Pattern {
    if let known = cache.withLock({ $0[source] }) { return known }
    let pattern: Pattern
    do throws(EvaluationError) {
      pattern = try compile(source)
    } catch {
      try meter.charge(refusalCost)
      throw error
    }
    try meter.charge(pattern.size)
    cache.withLock { patterns in
      if patterns.count >= cacheCapacity { patterns.removeAll(keepingCapacity: true) }
      patterns[source] = pattern
    }
    return pattern
  }

  private static func compile(_ source: String) throws(EvaluationError) -> Pattern {
    let handle = source.withBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { cre2_compile($0.baseAddress, $0.count, memoryLimit) }
    }
    guard let handle else { throw EvaluationError(.invalidArgument, "no memory for the pattern") }
    if let error = cre2_error(handle) {
      let message = String(cString: error)
      cre2_free(handle)
      throw EvaluationError(.invalidArgument, "'\(source.prefix(60))' is no pattern: \(message)")
    }
    return Pattern(handle: handle)
  }

  /// Whether the pattern is anywhere in the text.
  func matches(_ text: String) -> Bool {
    text.withBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { cre2_matches(handle, $0.baseAddress, $0.count) }
    }
  }
}
