/// A word of the language and where it stands.
struct Token {
  enum Kind: UInt8 {
    case end
    case identifier
    case quotedIdentifier
    case int
    case uint
    case double
    case string
    case bytes
    case null
    case `true`
    case `false`
    case `in`
    case reserved
    case leftParenthesis
    case rightParenthesis
    case leftBracket
    case rightBracket
    case leftBrace
    case rightBrace
    case dot
    case comma
    case colon
    case question
    case plus
    case minus
    case star
    case slash
    case percent
    case not
    case less
    case lessOrEqual
    case greater
    case greaterOrEqual
    case equal
    case notEqual
    case and
    case or
    case invalid
  }

  let kind: Kind
  let start: Int
  let end: Int

  var range: CELSourceRange { CELSourceRange(start, end) }
}
