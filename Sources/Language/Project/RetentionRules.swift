import Schema

/// What `retention` of `runbook.yaml` says: which past runs `runbook prune` removes unless it is told otherwise.
package struct RetentionRules: Hashable, Sendable {
  /// Runs that ended longer ago.
  package var olderThan: Duration?
  /// All but the newest so many of each runbook.
  package var keep: Int?
  /// Only those that passed.
  package var keepFailed = false

  package init() {}

  init?(_ node: YAMLNode, log: IssueLog) {
    guard let reader = MappingReader<RetentionKey>(node, subject: "retention", log: log) else { return nil }
    olderThan = reader.duration(.olderThan)
    keepFailed = reader.bool(.keepFailed) ?? false
    if case .int(let number)? = reader.literal(.keep) {
      if number > 0, let count = Int(exactly: number) {
        keep = count
      } else if let node = reader[.keep] {
        log.error("out-of-bounds", "\"keep\" must be at least 1, found \(number)", at: node.range)
      }
    }
    if reader[.olderThan] == nil, reader[.keep] == nil {
      log.error(
        "missing-key",
        "retention needs \"olderThan\" or \"keep\": without either, it would remove nothing, or everything",
        at: reader.range)
    }
  }
}
