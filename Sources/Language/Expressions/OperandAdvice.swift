internal import Addresses
internal import CEL
internal import Schema

/// The two sides of an operator, each with its text.
struct Operands {
  var left: Operand
  var right: Operand

  /// Nil if the text is no operator with two operands.
  init?(of expression: String) {
    guard let parsed = try? Bindings.standard.parse(expression),
      case .binary(_, let left, let right) = parsed.root.kind
    else { return nil }
    let bytes = Array(expression.utf8)
    self.left = Operand(left, in: bytes)
    self.right = Operand(right, in: bytes)
  }
}

/// One side of an operator.
struct Operand {
  let node: SyntaxNode
  /// As written.
  let text: String

  init(_ node: SyntaxNode, in source: [UInt8]) {
    self.node = node
    let end = min(node.range.end, source.count)
    text = String(decoding: source[min(node.range.start, end)..<end], as: UTF8.self)
  }

  /// What stands in the quotes, where it is a literal text.
  private var quoted: String? { if case .literal(.string(let text)) = node.kind { text } else { nil } }

  /// How to write this side, of the type `own`, so that it can be compared or calculated with a side of the type `type`; nil
  /// if that is not known. Two numbers are never compared as texts: `'12' < '5'`.
  func advice(against type: CELType, being own: CELType, by symbol: String) -> String? {
    switch (type, own) {
    case (.duration, .string): return durationAdvice(quoted)
    case (.duration, .int), (.duration, .double): return durationAdvice(Double(text) == nil ? nil : text)
    case (.int, .double), (.double, .int):
      return "write double(…) around the whole number, or the number with a point: 5.0"
    case (.string, .int), (.string, .double): return symbol == "+" ? "write string(…) around the number" : nil
    case (.int, .string), (.double, .string):
      return symbol == "+" ? "write string(…) around the number" : numberAdvice(type)
    case (.bool, .string):
      return quoted.flatMap { ["true", "false"].contains($0) ? "\($0) stands without quotes" : nil }
    case (.timestamp, .string): return call("timestamp", where: { Timestamp($0) != nil })
    case (.ip, .string): return call("ip", where: { IPAddress($0) != nil })
    case (.cidr, .string): return call("cidr", where: isCIDR)
    default: return nil
    }
  }

  private func call(_ function: String, where holds: (String) -> Bool) -> String? {
    guard let quoted else { return "write \(function)(\(text))" }
    return holds(quoted) ? "write \(function)('\(quoted)')" : nil
  }

  /// - Parameter written: the number or the text that stands where a duration is due; nil if something else does.
  private func durationAdvice(_ written: String?) -> String {
    let written = written?.filter { $0 != " " }
    if let written, parseDuration(written) != nil { return "write a duration as duration('\(written)')" }
    guard let written, let number = plainNumber(written) else { return "write a duration as duration('200ms')" }
    return "write a duration with its unit, such as duration('\(number)ms') or duration('\(number)s')"
  }

  /// - Parameter type: of the other side.
  private func numberAdvice(_ type: CELType) -> String {
    guard let quoted else {
      let isCall = if case .call = node.kind { true } else { false }
      if isCall, text.hasPrefix("string(") { return "compare numbers as numbers: leave string(…) out, or write int(…)" }
      return "write \(type)(\(text.hasSuffix(".trim()") ? text : text + ".trim()")) to read the number"
    }
    let written = quoted.filter { $0 != " " }
    if type == .double, let percent = parsePercent(written) {
      return "a percentage is a number in expressions: write \(percent)"
    }
    if type == .int, parseDuration(written) == nil, let quantity = quantityCall(written) {
      return "write \(quantity)"
    }
    guard let number = plainNumber(written) else { return "a number is compared with a number, without quotes" }
    switch (type, number.contains(".")) {
    case (.int, true): return "write double(…) around the whole number, and \(number) without quotes"
    case (.double, false): return "a number stands without quotes: \(number).0"
    default: return "a number stands without quotes: \(number)"
    }
  }

  /// The number of digits with or without a point; nil for anything else.
  private func plainNumber(_ text: String) -> String? {
    let digits = text.hasPrefix("-") ? text.dropFirst() : Substring(text)
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    let areDigits = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    return (1...2).contains(parts.count) && areDigits && digits.utf8.count <= 15 ? text : nil
  }
}

/// How a quantity is written in expressions: `duration('5s')` for `5s`, `bytesize('64MiB')`; nil if the text is none.
func quantityCall(_ text: String) -> String? {
  if parseDuration(text) != nil { return "duration('\(text)')" }
  if parseByteSize(text) != nil { return "bytesize('\(text)')" }
  if parseBandwidth(text) != nil { return "bandwidth('\(text)')" }
  return nil
}
