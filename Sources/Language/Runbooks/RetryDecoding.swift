internal import Schema

extension RetryPolicy {
  /// `retry` of a step. The times count what comes after the first try.
  static let record = Record(
    Self.init(times:backoff:factor:maxDelay:jitter:),
    Field("times", \.times, .int.within(1...1_000), "How often a try is repeated at most."),
    Field("backoff", \.backoff, .duration.within(.zero ... .seconds(86_400)), default: .seconds(1), "The first wait."),
    Field("factor", \.factor, .double.within(1...100), default: 2, "By which each wait is longer than the one before."),
    Field(
      "maxDelay", \.maxDelay, .duration.within(.zero ... .seconds(86_400)), default: .seconds(60), "The longest wait."),
    Field("jitter", \.jitter, .double.within(0...1), default: 0, "The part of each wait that is drawn at random.")
  )

  /// Reads `retry`; nil if something was reported.
  init?(_ node: YAMLNode, log: IssueLog) {
    let decoder = ValueDecoder(log: log, expressions: .refused)
    guard case .mapping(let mapping) = node else {
      if case .refused = node { return nil }
      log.error(
        "type-mismatch", "expected a mapping for retry, found \(node.kind)", at: node.range,
        suggestion: "retry: {times: 3, backoff: 1s}")
      return nil
    }
    guard let template = decoder.members(mapping, of: Self.record.type, subject: "retry") else { return nil }
    do {
      self = try Self.record.decode(try template.value(in: Scope()))
    } catch let error as Mismatch {
      log.error("type-mismatch", "\(error.path): \(error.message)", at: mapping.range)
      return nil
    } catch { return nil }
    guard mapping["maxDelay"] == nil || maxDelay >= backoff else {
      log.error(
        "out-of-bounds", "maxDelay is shorter than backoff", at: mapping.range,
        suggestion: "raise maxDelay, or leave it out")
      return nil
    }
    maxDelay = max(maxDelay, backoff)
  }

  /// The longest that a step may take under this policy when each try takes `timeout`.
  func longest(trying timeout: Duration) -> Duration {
    var total = timeout
    for attempt in 1...max(1, times) { total += timeout + delay(after: attempt) * (1 + jitter) }
    return total
  }
}
