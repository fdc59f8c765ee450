/// Finds the end of an expression inside another text.
public enum CELTemplate {
  /// The offset of the brace that closes the expression which starts at `start`, the offset just after `${`.
  ///
  /// Braces in texts, comments and quoted names do not count, and pairs of braces are skipped.
  ///
  /// - Parameters: offsets are UTF-8 offsets of `text`.
  /// - Throws: a ``CELProblem/Code/syntax`` problem when the brace is missing, or a text in the expression is not closed.
  public static func closingBrace(in text: String, from start: Int) throws(CompileError) -> Int {
    var lexer = Lexer(Array(text.utf8), from: start, end: .closingBrace)
    let tokens = lexer.tokens()
    if let end = tokens.last, end.kind == .end, end.start < lexer.bytes.count { return end.start }
    if let problem = lexer.problems.first { throw CompileError([problem]) }
    throw CompileError([
      CELProblem(code: .syntax, message: "'}' is missing", range: CELSourceRange(start, lexer.bytes.count))
    ])
  }
}
