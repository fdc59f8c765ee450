/// `replace`, `split` and `join`: the functions whose results may be larger than their arguments.
enum TextReplacement {
  typealias Arguments = StringExtension.Arguments

  /// The parts of `text` between the first occurrences of `separator`, at most `limit` of them; an empty separator
  /// stands between any two code points.
  private static func parts(of text: String, separator: String, limit: Int) -> [String] {
    if limit <= 1 { return [text] }
    if separator.isEmpty {
      let scalars = Array(text.unicodeScalars)
      let single = scalars.prefix(limit - 1).map { String($0) }
      let rest = scalars.dropFirst(limit - 1)
      return rest.isEmpty ? single : single + [StringExtension.text(of: rest)]
    }
    return text.withBytes { bytes in
      separator.withBytes { separator in
        var parts: [String] = []
        var start = 0
        while parts.count < limit - 1, let found = ByteSearch.first(separator, in: bytes, from: start) {
          parts.append(String(decoding: bytes[start..<found], as: UTF8.self))
          start = found + separator.count
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
      }
    }
  }

  private static func limit(_ arguments: Arguments) -> Int {
    guard let limit = arguments.numbers.first, limit >= 0 else { return .max }
    return Int(limit)
  }

  static func split(_ meter: inout CostMeter, _ arguments: Arguments) throws(EvaluationError) -> CELValue {
    let limit = limit(arguments)
    if limit == 0 { return .list([]) }
    try meter.charge(arguments.texts[0].utf8.count)
    return .list(parts(of: arguments.texts[0], separator: arguments.texts[1], limit: limit).map { .string($0) })
  }

  static func replace(_ meter: inout CostMeter, _ arguments: Arguments) throws(EvaluationError) -> CELValue {
    let (text, old, new) = (arguments.texts[0], arguments.texts[1], arguments.texts[2])
    let limit = limit(arguments)
    if limit == 0 { return .string(text) }
    try meter.charge(text.utf8.count / 10)
    var parts: [String]
    if old.isEmpty {
      // As elsewhere, the new text then stands before each code point and at the end.
      parts = Self.parts(of: text, separator: "", limit: limit)
      if limit > parts.count { parts.append("") }
      parts.insert("", at: 0)
    } else {
      parts = Self.parts(of: text, separator: old, limit: limit == .max ? limit : limit + 1)
    }
    try meter.charge(grown(new.utf8.count, by: parts.count - 1) / 10)
    return .string(parts.joined(separator: new))
  }

  static func join(_ meter: inout CostMeter, _ arguments: Arguments) throws(EvaluationError) -> CELValue {
    let separator = arguments.texts.first ?? ""
    var parts: [String] = []
    try meter.charge(arguments.list.count + grown(separator.utf8.count, by: arguments.list.count) / 10)
    for element in arguments.list {
      guard case .string(let text) = element else { throw EvaluationError.noOverload("join", [element]) }
      try meter.charge(text.utf8.count / 10)
      parts.append(text)
    }
    return .string(parts.joined(separator: separator))
  }

  private static func grown(_ size: Int, by factor: Int) -> Int {
    let (product, overflow) = size.multipliedReportingOverflow(by: Swift.max(0, factor))
    return overflow ? .max / 2 : product
  }
}
