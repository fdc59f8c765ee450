internal import CEL
internal import Schema

/// Slips in expressions about what a program printed, which ends in a line break.
struct ProgramText {
  let walk: NameWalk
  let source: [UInt8]
  /// Whether the step judges exit codes itself, by the default of its `exitCodes`.
  let judgesExitCodes: Bool

  struct Slip {
    var code: String
    var message: String
    var range: CELSourceRange
    var advice: String
  }

  init(walk: NameWalk, source: String, judgesExitCodes: Bool) {
    self.walk = walk
    self.source = Array(source.utf8)
    self.judgesExitCodes = judgesExitCodes
  }

  func slips(in node: SyntaxNode) -> [Slip] { slip(at: node).map { [$0] } ?? node.children.flatMap(slips) }

  private func text(_ range: CELSourceRange) -> String {
    let end = min(range.end, source.count)
    return String(decoding: source[min(range.start, end)..<end], as: UTF8.self)
  }

  private func slip(at node: SyntaxNode) -> Slip? {
    switch node.kind {
    case .binary(.equal, let left, let right), .binary(.notEqual, let left, let right):
      if judgesExitCodes, isExitCode(left) && Self.number(right) != nil || isExitCode(right) && Self.number(left) != nil
      {
        let number = Self.number(right) ?? Self.number(left) ?? 0
        return Slip(
          code: "judged-already", message: "exit codes are judged already, by \"exitCodes\": any but 0 fails the step",
          range: node.range,
          advice: number == 0 ? "leave it out" : "write exitCodes: [\(number)] in \"with\", and leave it out here")
      }
      if isPrinted(left), let word = Self.word(right) { return lineBreak(left, word, node) }
      if isPrinted(right), let word = Self.word(left) { return lineBreak(right, word, node) }
    case .binary(.in, let left, let right):
      guard isPrinted(left), case .list(let elements) = right.kind, !elements.isEmpty else { return nil }
      let words = elements.compactMap { Self.word($0.value) }
      if words.count == elements.count { return lineBreak(left, words[0], node) }
    case .call(let target?, let function, let arguments) where function.text == "endsWith" && arguments.count == 1:
      if isPrinted(target), let word = Self.word(arguments[0]) { return lineBreak(target, word, node) }
    case .call(nil, let function, let arguments) where arguments.count == 1:
      guard ["int", "uint", "double"].contains(function.text), isPrinted(arguments[0]) else { return nil }
      return Slip(
        code: "line-break", message: "what programs print ends in a line break, with which it is no number",
        range: node.range, advice: "write \(function.text)(\(text(arguments[0].range)).trim())")
    default: break
    }
    return nil
  }

  /// `output.?exitCode`, with or without `.orValue(…)` or `.value()`.
  private func isExitCode(_ node: SyntaxNode) -> Bool {
    if case .call(let target?, let function, _) = node.kind, ["orValue", "value", "or"].contains(function.text) {
      return isExitCode(target)
    }
    guard let path = NamePath(node), path.root.text == Root.output.rawValue else { return false }
    return path.segments.count == 1 && path.name(0) == "exitCode"
  }

  /// A whole number, or `optional.of(0)`.
  private static func number(_ node: SyntaxNode) -> Int64? {
    switch node.kind {
    case .literal(.int(let number)): number
    case .call(.some, let function, let arguments) where function.text == "of" && arguments.count == 1:
      number(arguments[0])
    default: nil
    }
  }

  /// A text that has something in it and no line break at its end.
  private static func word(_ node: SyntaxNode) -> String? {
    guard case .literal(.string(let text)) = node.kind, !text.isEmpty, !text.hasSuffix("\n") else { return nil }
    return text
  }

  private func lineBreak(_ printed: SyntaxNode, _ word: String, _ whole: SyntaxNode) -> Slip {
    let name = text(printed.range)
    let trimmed = text(whole.range).replacing(name, with: "\(name).trim()", maxReplacements: 1)
    return Slip(
      code: "line-break", message: "what programs print ends in a line break: '\(word)' is not '\(word)\\n'",
      range: whole.range, advice: "write \(trimmed)")
  }

  /// True for `stdout` and `stderr` of an output.
  private func isPrinted(_ node: SyntaxNode) -> Bool {
    guard let path = NamePath(node), let root = Root(rawValue: path.root.text), root == .output || root == .steps,
      let last = path.segments.last, last.name?.text == "stdout" || last.name?.text == "stderr"
    else { return false }
    return walk.type(of: path, root) == .string
  }
}
