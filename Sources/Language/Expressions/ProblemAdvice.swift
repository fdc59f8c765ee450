internal import CEL

extension Problem {
  /// What to write instead, where the problem is one that other languages lead into.
  func advice(in source: String) -> String? {
    switch code {
    case .noMatchingOverload: unitAdvice
    case .syntax: syntaxAdvice(source)
    default: nil
    }
  }

  /// How a duration is written, where one was compared with a bare number or text.
  private var unitAdvice: String? {
    let others = ["int", "double", "string"]
    let isBare = others.contains { message.contains("(duration, \($0))") || message.contains("(\($0), duration)") }
    return isBare ? "write a duration as duration('200ms')" : nil
  }

  private func syntaxAdvice(_ source: String) -> String? {
    if source.contains("${") { return "inside an expression names stand without ${…}" }
    let bytes = Array(source.utf8)
    let here = String(decoding: bytes[min(range.start, bytes.count)..<min(range.end, bytes.count)], as: UTF8.self)
    let before = String(decoding: bytes[..<min(range.start, bytes.count)], as: UTF8.self).split(separator: " ").last
    let operators = ["=": "==", "and": "&&", "or": "||", "not": "!", "&": "&&", "|": "||", "<>": "!=", "is": "=="]
    if let meant = operators[here.lowercased()] { return "write \(meant)" }
    if let before, before.lowercased() == "not" { return "write !" }
    return nil
  }
}
