import FoundationEssentials

// Literals with units: what people write in a runbook and read in a report.

/// A duration as `1h2m3.5s`, `4.2ms`, `850us`: exact, and readable by ``parseDuration(_:)`` and by CEL's `duration()`.
package func durationLiteral(_ duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  guard seconds >= 0, attoseconds >= 0 else { return "-" + durationLiteral(.zero - duration) }
  let nanoseconds = attoseconds / 1_000_000_000
  guard seconds > 0 else {
    switch nanoseconds {
    case 0: return "0s"
    case ..<1_000: return "\(nanoseconds)ns"
    case ..<1_000_000: return decimal(nanoseconds, per: 1_000) + "us"
    default: return decimal(nanoseconds, per: 1_000_000) + "ms"
    }
  }
  let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
  var text = hours > 0 ? "\(hours)h" : ""
  if minutes > 0 { text += "\(minutes)m" }
  if rest > 0 || nanoseconds > 0 { text += decimal(rest * 1_000_000_000 + nanoseconds, per: 1_000_000_000) + "s" }
  return text
}

/// The exact decimal fraction `number / divisor`, where the divisor is a power of ten.
private func decimal(_ number: Int64, per divisor: Int64) -> String {
  let (whole, rest) = number.quotientAndRemainder(dividingBy: divisor)
  guard rest > 0 else { return "\(whole)" }
  var digits = String(divisor + rest).dropFirst()
  while digits.last == "0" { digits.removeLast() }
  return "\(whole).\(digits)"
}

private let durationUnits: [String: Int64] = [
  "ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000,
  "d": 86_400_000_000_000, "w": 604_800_000_000_000,
]

/// Reads `200ms`, `1h30m`, `7d`, `-2.5s`; nil without a unit, with an unknown one, or beyond 10,000 years.
package func parseDuration(_ text: String) -> Duration? {
  var rest = Substring(text)
  let isNegative = rest.first == "-"
  if isNegative { rest.removeFirst() }
  guard !rest.isEmpty else { return nil }
  var total = Duration.zero
  while !rest.isEmpty {
    guard let number = takeNumber(&rest) else { return nil }
    let unit = rest.prefix { $0.isLetter }
    guard let size = durationUnits[String(unit)] else { return nil }
    rest = rest[unit.endIndex...]
    guard let nanoseconds = scaled(number, by: size) else { return nil }
    total += .nanoseconds(nanoseconds)
    guard total <= .seconds(315_576_000_000) else { return nil }
  }
  return isNegative ? .zero - total : total
}

private func takeNumber(_ text: inout Substring) -> Substring? {
  let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
  guard number.first != ".", number.last != ".", number.count(where: { $0 == "." }) <= 1, !number.isEmpty else {
    return nil
  }
  text = text[number.endIndex...]
  return number
}

/// A decimal number times an integer size, exactly; nil if the result is no integer or does not fit.
private func scaled(_ number: Substring, by size: Int64) -> Int64? {
  let parts = number.split(separator: ".")
  guard let whole = Int64(parts[0]) else { return nil }
  let (product, overflow) = whole.multipliedReportingOverflow(by: size)
  guard !overflow else { return nil }
  guard parts.count == 2 else { return product }
  guard parts[1].count <= 9, let fraction = Int64(parts[1]) else { return nil }
  let divisor = parts[1].reduce(Int64(1)) { power, _ in power * 10 }
  let (numerator, tooLarge) = fraction.multipliedReportingOverflow(by: size)
  guard !tooLarge, numerator % divisor == 0 else { return nil }
  let (sum, beyond) = product.addingReportingOverflow(numerator / divisor)
  return beyond ? nil : sum
}

private func parseQuantity(_ text: String, units: [String: Int64]) -> Int64? {
  var rest = Substring(text)
  guard let number = takeNumber(&rest), let size = units[String(rest)] else { return nil }
  return scaled(number, by: size)
}

/// Reads `64MiB`, `1.5GB`, `512B` as bytes (KiB MiB GiB TiB are powers of 1024, kB MB GB TB of 1000); nil otherwise.
package func parseByteSize(_ text: String) -> Int64? {
  parseQuantity(
    text,
    units: [
      "B": 1, "kB": 1000, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000, "KiB": 1 << 10,
      "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
    ])
}

/// Reads `800Mbps`, `64kbps`, `1Gbps` as bits per second (powers of 1000); nil otherwise.
package func parseBandwidth(_ text: String) -> Int64? {
  parseQuantity(text, units: ["bps": 1, "kbps": 1000, "Mbps": 1_000_000, "Gbps": 1_000_000_000])
}

/// Reads `95%`, `0.5%` as the number before the sign; nil otherwise.
package func parsePercent(_ text: String) -> Double? {
  guard text.hasSuffix("%") else { return nil }
  var rest = text.dropLast()
  guard let number = takeNumber(&rest), rest.isEmpty else { return nil }
  return Double(number)
}

/// Standard base64 with padding (RFC 4648).
func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

/// Reads standard base64 with padding; nil otherwise.
func parseBase64(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map(Array.init) }

/// A number of bytes as ``parseByteSize(_:)`` reads it: in the largest unit that divides it, a binary one if it can be, `64MiB`, `100MB`,
/// `1000B`.
package func byteSizeLiteral(_ bytes: Int64) -> String {
  let units: [(String, Int64)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("TB", 1_000_000_000_000), ("GB", 1_000_000_000),
    ("MB", 1_000_000), ("KiB", 1 << 10),
  ]
  for (unit, size) in units where bytes != 0 && bytes % size == 0 { return "\(bytes / size)\(unit)" }
  return "\(bytes)B"
}

/// Bits per second as ``parseBandwidth(_:)`` reads them: in the largest unit that divides them, `800Mbps`.
package func bandwidthLiteral(_ bitsPerSecond: Int64) -> String {
  let units: [(String, Int64)] = [("Gbps", 1_000_000_000), ("Mbps", 1_000_000), ("kbps", 1000)]
  for (unit, size) in units where bitsPerSecond != 0 && bitsPerSecond % size == 0 {
    return "\(bitsPerSecond / size)\(unit)"
  }
  return "\(bitsPerSecond)bps"
}

/// A percentage as ``parsePercent(_:)`` reads it: `95%`, `0.5%`.
package func percentLiteral(_ percent: Double) -> String {
  let text = "\(percent)"
  return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + "%"
}
