// The syntax of paths, URLs and schedules.

/// True for an absolute or relative path that a program cannot mistake for an option, without NUL.
package func isPath(_ text: String) -> Bool { !text.isEmpty && !text.hasPrefix("-") && !text.contains("\0") }

/// True for a URI with the scheme `http`, `https`, `redis`, `postgresql`, `mysql`, `mongodb` or `smtp`, and an authority.
package func isURL(_ text: String) -> Bool {
  guard let separator = text.firstRange(of: "://") else { return false }
  let schemes = ["http", "https", "redis", "rediss", "postgresql", "mysql", "mongodb", "smtp", "smtps", "unix"]
  let rest = text[separator.upperBound...]
  return schemes.contains(text[..<separator.lowerBound].lowercased()) && !rest.isEmpty
    && rest.unicodeScalars.allSatisfy { $0.isASCII && $0.value > 0x20 && $0.value != 0x7F }
}

/// True for five fields of numbers, `*`, lists, ranges and steps (crontab(5)), each within its limits.
package func isCron(_ text: String) -> Bool {
  let limits = [0...59, 0...23, 1...31, 1...12, 0...7]
  let fields = text.split(separator: " ")
  return fields.count == limits.count
    && zip(fields, limits).allSatisfy { field, limit in
      field.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { isCronItem($0, limit) }
    }
}

private func isCronItem(_ item: Substring, _ limit: ClosedRange<Int>) -> Bool {
  let parts = item.split(separator: "/", omittingEmptySubsequences: false)
  guard (1...2).contains(parts.count) else { return false }
  if parts.count == 2 { guard let step = Int(parts[1]), step > 0 else { return false } }
  if parts[0] == "*" { return true }
  let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
  guard (1...2).contains(ends.count), ends.allSatisfy({ $0.map(limit.contains) ?? false }) else { return false }
  return ends.count == 1 || (ends[0] ?? 0) <= (ends[1] ?? 0)
}
