internal import Schedules
internal import Schema

extension MappingReader<RunbookKey> {
  /// What stands behind `period`; nil if it is absent or was reported.
  func period() -> Period? {
    guard let text = text(.period), let node = self[.period] else { return nil }
    do throws(Period.Mistake) { return try Period(text) } catch {
      log.error("period-form", error.message, at: node.range, suggestion: error.advice)
      return nil
    }
  }

  /// What stands behind `alert`; nil if it is absent or was reported.
  func alert() -> AlertRule? {
    guard let node = self[.alert], let reader = MappingReader<AlertKey>(node, subject: "alert", log: log),
      let after = reader.positive(.after)
    else { return nil }
    return AlertRule(after: after)
  }
}

extension MappingReader {
  /// The name of a lock as a template of text; nil if it is absent or was reported.
  func lock(_ key: Key, _ compiler: ExpressionCompiler, roots: Set<Root>) -> LockName? {
    guard let node = self[key] else { return nil }
    let decoder = ValueDecoder(log: log, expressions: .compiled(compiler, at: ExpressionContext(roots: roots)))
    guard let template = decoder.template(node, as: .string) else { return nil }
    if template.literal == .string("") {
      log.error(
        "lock-empty", "the name of the lock is empty", at: node.range,
        suggestion: "name what only one run at a time may work on, such as \"${params.container}\"")
      return nil
    }
    return LockName(template: template, range: node.range)
  }
}
