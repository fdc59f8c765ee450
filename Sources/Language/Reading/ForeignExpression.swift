internal import Schema

/// A name of the language in the form in which other languages write an expression: `$params.x`, `{{ params.x }}`.
struct ForeignExpression {
  /// As it is written.
  var written: String
  /// What belongs into `${…}`.
  var inner: String
  /// Offsets in the text, in UTF-8.
  var range: Range<Int>
}

extension ValueDecoder {
  /// The first name in a text that was most likely meant as an expression; nil if there is none.
  ///
  /// Of `$NAME` alone only `$target` is one: shells have variables of any name. What is no name of this place is none.
  func foreignExpression(in text: String, includingDollar: Bool = true) -> ForeignExpression? {
    guard case .compiled(_, let context) = expressions else { return nil }
    return braced(in: text, context) ?? (includingDollar ? dollar(in: text, context) : nil)
  }

  private func braced(in text: String, _ context: ExpressionContext) -> ForeignExpression? {
    guard let open = text.firstRange(of: "{{"),
      let close = text[open.upperBound...].firstRange(of: "}}")
    else { return nil }
    let inner = text[open.upperBound..<close.lowerBound].trimmingBlanks
    let root = inner.prefix { $0.isASCII && $0.isLetter }
    guard context.has(root), inner.count == root.count ? root == "target" : inner[root.endIndex...].hasPrefix(".")
    else {
      return nil
    }
    return ForeignExpression(text, open.lowerBound..<close.upperBound, String(inner))
  }

  private func dollar(in text: String, _ context: ExpressionContext) -> ForeignExpression? {
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      rest = rest[rest.index(after: dollar)...]
      let isEscaped = dollar > text.startIndex && text[text.index(before: dollar)] == "$"
      let root = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      guard !isEscaped, context.has(root) else { continue }
      var name = root
      while text[name.endIndex...].first == "." {
        let field = text[name.endIndex...].dropFirst().prefix { $0.isASCII && ($0.isLetter || $0.isNumber) }
        guard !field.isEmpty else { break }
        name = text[name.startIndex..<field.endIndex]
      }
      guard name.count > root.count || root == "target" else { continue }
      return ForeignExpression(text, dollar..<name.endIndex, String(name))
    }
    return nil
  }

  /// Warns of what stands in a text as it is, though something else was most likely meant.
  func warnOfLookAlikes(in scalar: YAMLNode.Scalar, at context: ExpressionContext) {
    let text = scalar.text
    if let foreign = foreignExpression(in: text, includingDollar: !context.isArgument) {
      let range = ScalarPositions(scalar).range(foreign.range.lowerBound, foreign.range.upperBound)
      log.warning(
        "foreign-expression", "\"\(foreign.written)\" is no expression: it is taken as it stands", at: range,
        suggestion: "an expression is written ${\(foreign.inner)}")
    }
    guard scalar.style == .plain else { return }
    if let inner = withoutTypographicQuotes(text) {
      log.warning(
        "typographic-character", "these quotes are part of the text: YAML knows the quotes \" and ' only",
        at: scalar.range, suggestion: "write \(quoted(inner))")
    } else if context.isArgument, let first = text.unicodeScalars.first, first.isTypographicDash {
      let rest = String(text.unicodeScalars.drop { $0.isTypographicDash })
      // Word processors make one long dash of two hyphens.
      let meant = first.value == 0x2014 ? "--\(rest)" : "-\(rest)"
      log.warning(
        "typographic-character", "the argument begins with a dash that is no hyphen: \(first.spokenName)",
        at: scalar.range, suggestion: "write \(meant)")
    }
  }
}

extension ForeignExpression {
  fileprivate init(_ text: String, _ range: Range<String.Index>, _ inner: String) {
    written = String(text[range])
    self.inner = inner
    self.range =
      text.utf8.distance(
        from: text.startIndex, to: range.lowerBound)..<text.utf8.distance(
        from: text.startIndex, to: range.upperBound)
  }
}

extension ExpressionContext {
  fileprivate func has(_ root: some StringProtocol) -> Bool {
    Root(rawValue: String(root)).map(roots.contains) ?? false
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring {
    let front = drop(while: \.isWhitespace)
    guard let last = front.lastIndex(where: { !$0.isWhitespace }) else { return front }
    return front[...last]
  }
}
