#if canImport(Glibc)
  import Glibc
#endif

// The syntax of names and addresses.

/// True for an IPv4 address in four decimal parts, or an IPv6 address (RFC 4291) without a zone.
package func isIPAddress(_ text: String) -> Bool { addressBits(text) != nil }

private func addressBits(_ text: String) -> Int? {
  var bytes = in6_addr()
  if unsafe inet_pton(AF_INET, text, &bytes) == 1 { return 32 }
  if unsafe inet_pton(AF_INET6, text, &bytes) == 1 { return 128 }
  return nil
}

/// True for `10.0.0.0/8`, `fc00::/7`: an address and a prefix length that fits it.
package func isCIDR(_ text: String) -> Bool {
  let parts = text.split(separator: "/", omittingEmptySubsequences: false)
  guard parts.count == 2, let bits = addressBits(String(parts[0])), let length = Int(parts[1]) else { return false }
  return (0...bits).contains(length) && parts[1].allSatisfy(\.isNumber)
}

/// True for an IP address, or a host name of letters, digits, hyphens and underscores in labels of at most 63, 253 in
/// all (RFC 1123; underscores occur in Compose networks). A leading hyphen is refused, so a host is never an option.
package func isHost(_ text: String) -> Bool {
  if isIPAddress(text) { return true }
  let name = text.hasSuffix(".") ? text.dropLast() : Substring(text)
  guard !name.isEmpty, name.utf8.count <= 253 else { return false }
  let labels = name.split(separator: ".", omittingEmptySubsequences: false)
  let areNamed = labels.allSatisfy { label in
    (1...63).contains(label.count) && label.first != "-" && label.last != "-"
      && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
  }
  // All digits would be a mistyped IPv4 address.
  return areNamed && labels.last?.allSatisfy(\.isNumber) == false
}

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
