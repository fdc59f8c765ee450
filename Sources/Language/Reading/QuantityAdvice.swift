internal import Schema

/// How a quantity is written that was written with blanks in it, with the unit of another tool, or without a unit; nil if that
/// is not known. A unit that may mean two things is answered with both: the choice is the author's.
func quantityAdvice(on text: String, as type: ValueType) -> String? {
  switch type {
  case .duration: durationAdvice(on: text)
  case .byteSize: quantity(in: text).flatMap { sizeAdvice($0, $1) }
  case .bandwidth: quantity(in: text).flatMap { bandwidthAdvice($0, $1) }
  case .percent: percentAdvice(on: text)
  default: nil
  }
}

/// A number, and the letters behind it without blanks; nil if the text is something else.
private func quantity(in text: String) -> (number: String, unit: String)? {
  let written = text.filter { !$0.isWhitespace }
  let number = written.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
  let unit = written[number.endIndex...]
  guard Double(number) != nil, unit.allSatisfy({ $0.isLetter || $0 == "/" }) else { return nil }
  return (String(number), String(unit))
}

private let durationUnits: [String: String] = [
  "ns": "ns", "nsec": "ns", "nanosecond": "ns", "us": "us", "µs": "us", "usec": "us", "microsecond": "us", "ms": "ms",
  "msec": "ms", "millis": "ms", "millisecond": "ms", "s": "s", "sec": "s", "second": "s", "min": "m", "minute": "m",
  "h": "h",
  "hr": "h", "hour": "h", "d": "d", "day": "d", "w": "w", "wk": "w", "week": "w",
]

private func durationAdvice(on text: String) -> String? {
  if let (number, unit) = quantity(in: text), unit.isEmpty {
    return "write the unit: \(number)ms, \(number)s, \(number)m or \(number)h"
  }
  var meant = ""
  // `PT5M` and `P7D` are of ISO 8601.
  var rest = text.filter { !$0.isWhitespace }[...]
  let isISO = rest.hasPrefix("P")
  if isISO { rest = rest.dropFirst(rest.hasPrefix("PT") ? 2 : 1) }
  while !rest.isEmpty {
    let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = rest[number.endIndex...].prefix { $0.isLetter }
    guard !number.isEmpty, !unit.isEmpty else { return nil }
    rest = rest[unit.endIndex...]
    // Behind `P` alone M means months; alone it may mean either.
    guard unit != "M" || (isISO && text.hasPrefix("PT")) else { return nil }
    let name = unit.lowercased()
    let singular = name.count > 2 && name.hasSuffix("s") ? String(name.dropLast()) : name
    let known = unit == "m" || unit == "M" ? "m" : durationUnits[name] ?? durationUnits[singular]
    guard let known else { return nil }
    meant += number + known
  }
  return parseDuration(meant) == nil ? nil : "write \(meant)"
}

private func sizeAdvice(_ number: String, _ unit: String) -> String? {
  let meant: [String]
  switch unit {
  case "": meant = ["B", "KiB", "MiB"]
  case "b", "B", "byte", "bytes", "Byte", "Bytes": meant = ["B"]
  case "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB": meant = [unit]
  default:
    let name = unit.lowercased()
    guard let prefix = name.first, "kmgt".contains(prefix), ["", "b", "i", "ib"].contains(name.dropFirst()) else {
      return nil
    }
    let binary = "\(prefix.uppercased())iB"
    meant = name.contains("i") ? [binary] : [prefix == "k" ? "kB" : "\(prefix.uppercased())B", binary]
  }
  let written = meant.map { number + $0 }.filter { parseByteSize($0) != nil }
  if unit.isEmpty { return written.isEmpty ? nil : "write the unit: \(alternatives(written))" }
  return written.isEmpty ? nil : "write \(alternatives(written))"
}

private func bandwidthAdvice(_ number: String, _ unit: String) -> String? {
  let prefixes = ["": "bps", "k": "kbps", "m": "Mbps", "g": "Gbps"]
  guard !unit.isEmpty else {
    let written = ["bps", "kbps", "Mbps"].map { number + $0 }.filter { parseBandwidth($0) != nil }
    return written.isEmpty ? nil : "write the unit: \(alternatives(written))"
  }
  for (prefix, name) in prefixes {
    let isBits = ["bps", "bit/s", "bits/s", "b/s", "bit", "bits"].contains { unit.lowercased() == prefix + $0 }
    // With a capital B bytes are meant.
    let isBytes = ["B/s", "Bps", "byte/s", "bytes/s"].contains {
      unit.hasSuffix($0) && unit.dropLast($0.count).lowercased() == prefix
    }
    if isBytes, let bytes = parseBandwidth(number + name) {
      let (bits, isTooMuch) = bytes.multipliedReportingOverflow(by: 8)
      return isTooMuch ? nil : "a bandwidth counts bits: \(number)\(unit) is \(bandwidthLiteral(bits))"
    }
    if isBits, parseBandwidth(number + name) != nil { return "write \(number)\(name)" }
  }
  return nil
}

private func percentAdvice(on text: String) -> String? {
  let written = text.filter { !$0.isWhitespace }
  if parsePercent(written) != nil { return "write \(written)" }
  for ending in ["percent", "pct"] where written.hasSuffix(ending) {
    return percentAdvice(on: written.dropLast(ending.count) + "%")
  }
  guard parsePercent(written + "%") != nil, let number = Double(written) else { return nil }
  guard number < 1, number > 0 else { return "write \(written)%" }
  // Rounded, so that 0.07 does not become 7.000000000000001.
  return "write \(written)%, or \(percentLiteral((number * 1e8).rounded() / 1e6)) if it is a share of 1"
}

private func alternatives(_ texts: [String]) -> String {
  texts.count < 2 ? texts.joined() : texts.dropLast().joined(separator: ", ") + " or " + (texts.last ?? "")
}
