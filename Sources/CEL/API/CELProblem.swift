/// A range of a source, in UTF-8 offsets from its start.
public struct CELSourceRange: Hashable, Sendable {
  private let lower: Int32
  private let upper: Int32

  /// Offset of the first octet.
  public var start: Int { Int(lower) }
  /// Offset after the last octet; equal to `start` where a thing is missing.
  public var end: Int { Int(upper) }

  /// A range from `start` up to, but without, `end`.
  public init(_ start: Int, _ end: Int) {
    lower = Int32(clamping: start)
    upper = Int32(clamping: Swift.max(start, end))
  }

  /// The range from the start of this one to the end of `other`.
  func through(_ other: CELSourceRange) -> CELSourceRange { CELSourceRange(start, other.end) }
}

/// One reason why an expression does not compile, and where.
public struct CELProblem: Hashable, Sendable {
  /// The stable name of a kind of problem.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
      case syntax
      case limitExceeded
      case undeclaredName
      case undeclaredFunction
      case undeclaredType
      case undefinedField
      case missingField
      case noMatchingOverload
      case typeMismatch
      case invalidConstant
      case invalidMacro
      case duplicateKey
    }

    private let kind: Kind

    /// The text is not an expression.
    public static let syntax = Code(kind: .syntax)
    /// The expression is longer or deeper than the limits allow.
    public static let limitExceeded = Code(kind: .limitExceeded)
    /// No variable, constant or type of that name.
    public static let undeclaredName = Code(kind: .undeclaredName)
    /// No function of that name.
    public static let undeclaredFunction = Code(kind: .undeclaredFunction)
    /// No record type of that name.
    public static let undeclaredType = Code(kind: .undeclaredType)
    /// The record type has no field of that name, or the type has no fields.
    public static let undefinedField = Code(kind: .undefinedField)
    /// A record literal lacks a field that is not optional.
    public static let missingField = Code(kind: .missingField)
    /// The function or operator does not take arguments of these types.
    public static let noMatchingOverload = Code(kind: .noMatchingOverload)
    /// An expression has another type than the one needed in its place.
    public static let typeMismatch = Code(kind: .typeMismatch)
    /// A constant argument that the function refuses, as `duration('5 parsecs')`.
    public static let invalidConstant = Code(kind: .invalidConstant)
    /// A macro is used with arguments it cannot take.
    public static let invalidMacro = Code(kind: .invalidMacro)
    /// A constant key is in a map literal twice.
    public static let duplicateKey = Code(kind: .duplicateKey)

    /// The name, as `undeclaredName`.
    public var description: String { kind.rawValue }
  }

  /// What a problem is about, as data: nobody needs to read it out of the message.
  public enum Subject: Hashable, Sendable {
    /// A name, a function or a type that is not declared.
    case name(String)
    /// A field that the type does not have.
    case field(String, of: CELType)
    /// A function or an operator, by its symbol, and the types of what it was given.
    case call(String, [CELType])
  }

  /// The most problems of one expression that are looked for.
  static let mostReported = 100

  /// What kind of problem it is.
  public let code: Code
  /// What is wrong, in one sentence without a full stop.
  public let message: String
  /// Where, in UTF-8 offsets of the source.
  public let range: CELSourceRange
  /// What it is about; nil for kinds of problems that say no more than their code and place.
  public let subject: Subject?
  /// A name near the unknown one.
  public let suggestion: String?

  /// States a problem.
  public init(
    code: Code, message: String, range: CELSourceRange, subject: Subject? = nil, suggestion: String? = nil
  ) {
    self.code = code
    self.message = message
    self.range = range
    self.subject = subject
    self.suggestion = suggestion
  }
}

extension CELProblem: CustomStringConvertible {
  /// `14..<17: undeclared name 'foo' (did you mean 'for'?)`.
  public var description: String {
    let hint = suggestion.map { " (did you mean '\($0)'?)" } ?? ""
    return "\(range.start)..<\(range.end): \(message)\(hint)"
  }
}

/// An expression does not compile: every problem that was found, up to a hundred, in the order of the source.
public struct CompileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The problems; never empty.
  public let problems: [CELProblem]

  init(_ problems: [CELProblem]) {
    self.problems = problems.sorted { ($0.range.start, $0.range.end) < ($1.range.start, $1.range.end) }
  }

  /// One problem a line.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}
