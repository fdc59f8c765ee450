internal import CEL
internal import Schema

extension CELProblem {
  /// What to write instead, where the problem is one that other languages lead into.
  func advice(in source: String) -> String? {
    let bytes = Array(source.utf8)
    let start = min(range.start, bytes.count)
    let here = String(decoding: bytes[start..<min(range.end, bytes.count)], as: UTF8.self)
    let before = String(decoding: bytes[..<start], as: UTF8.self)
    return switch code {
    case .noMatchingOverload: operandAdvice(here)
    case .syntax: bracesAdvice(source) ?? syntaxAdvice(here, before)
    case .undeclaredFunction where here == "not": negation(behind: before)
    default: nil
    }
  }

  // MARK: Operands

  private static let operators: Set<String> = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">="]

  /// - Parameter expression: the operator with its operands.
  private func operandAdvice(_ expression: String) -> String? {
    guard case .call(let symbol, let types)? = subject, Self.operators.contains(symbol), types.count == 2 else {
      return nil
    }
    if let index = types.firstIndex(of: .duration), ["*", "/", "%"].contains(symbol) {
      let isScaled = types[1 - index] == .int || types[1 - index] == .double
      return isScaled
        ? "a duration cannot be multiplied or divided; it can be added, and compared with duration('200ms')" : nil
    }
    let sides = Operands(of: expression)
    for (index, type) in types.enumerated() {
      let other = sides.map { index == 0 ? $0.right : $0.left }
      if let advice = other?.advice(against: type, being: types[1 - index], by: symbol) { return advice }
    }
    return nil
  }

  // MARK: Syntax

  /// Where the whole expression stands in braces, or a part of it in those of another language.
  func bracesAdvice(_ source: String) -> String? {
    if source.contains("${") { return "inside an expression names stand without ${…}" }
    if source.contains("{{") { return "inside an expression names stand without {{ }}" }
    let isBraced = source.hasPrefix("{") && source.hasSuffix("}") && !source.contains(":")
    return isBraced ? "inside an expression names stand without { }" : nil
  }

  /// How to write on a keyboard what stands here.
  private func keyboardAdvice(_ here: String) -> String? {
    if let inner = withoutTypographicQuotes(here) { return "write '\(inner)'" }
    guard let scalar = here.unicodeScalars.first, here.unicodeScalars.count == 1 else { return nil }
    if scalar.isForeignBlank { return "write an ordinary space, or remove it" }
    if scalar.isTypographicQuote { return "text stands in ' or \"" }
    if scalar.isTypographicDash { return "write -" }
    let operators = ["≤": "<=", "≥": ">=", "≠": "!=", "×": "*", "÷": "/", "∧": "&&", "∨": "||", "¬": "!", "＝": "=="]
    return operators[here].map { "write \($0)" }
  }

  private func syntaxAdvice(_ here: String, _ before: String) -> String? {
    if let advice = keyboardAdvice(here) { return advice }
    if here == "$" { return "inside an expression names stand without $" }
    let last = before.split(separator: " ").last ?? ""
    let operators = ["=": "==", "and": "&&", "or": "||", "not": "!(…)", "&": "&&", "|": "||", "<>": "!=", "is": "=="]
    if let meant = operators[here.lowercased()] { return "write \(meant)" }
    if last.lowercased() == "not" { return negation(behind: before.dropLast(3)) }
    if let quantity = quantityCall(here) { return "write \(quantity)" }
    if last.hasSuffix("%"), let number = Double(last.dropLast()), number.isFinite {
      let text = last.dropLast()
      return
        "a percentage is a number in expressions: write \(text.contains(".") ? text : text + ".0") to compare it with one"
    }
    return nil
  }

  /// How to write `not`, with what stands before it.
  private func negation(behind before: some StringProtocol) -> String {
    before.allSatisfy(\.isWhitespace) ? "write \"!(…)\", in quotes: to YAML a leading ! is a tag" : "write !(…)"
  }
}
