/// Why an evaluation has no value, and where in the source.
public struct EvaluationError: Error, Sendable {
  /// The stable name of a kind of error.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
      case noValue
      case noSuchOverload
      case noSuchKey
      case noSuchField
      case indexOutOfBounds
      case divisionByZero
      case overflow
      case invalidArgument
      case duplicateKey
      case emptyOptional
      case costExceeded
      case limitExceeded
      case host
    }

    private let kind: Kind

    /// A variable has no value.
    public static let noValue = Code(kind: .noValue)
    /// An operator or function does not take values of these types.
    public static let noSuchOverload = Code(kind: .noSuchOverload)
    /// A map has no such key.
    public static let noSuchKey = Code(kind: .noSuchKey)
    /// A record lacks the field.
    public static let noSuchField = Code(kind: .noSuchField)
    /// A list or text has no such position.
    public static let indexOutOfBounds = Code(kind: .indexOutOfBounds)
    /// Division or remainder by zero.
    public static let divisionByZero = Code(kind: .divisionByZero)
    /// A number, time or duration outside its range.
    public static let overflow = Code(kind: .overflow)
    /// An argument that the function refuses.
    public static let invalidArgument = Code(kind: .invalidArgument)
    /// A key is in a map twice.
    public static let duplicateKey = Code(kind: .duplicateKey)
    /// The value of an empty optional.
    public static let emptyOptional = Code(kind: .emptyOptional)
    /// The evaluation cost more than the limit allows. Never absorbed.
    public static let costExceeded = Code(kind: .costExceeded)
    /// The value is too large or too deep to be written out.
    public static let limitExceeded = Code(kind: .limitExceeded)
    /// An error of the embedder's own.
    public static let host = Code(kind: .host)

    /// The name, as `divisionByZero`.
    public var description: String { kind.rawValue }
  }

  private final class Storage: Sendable {
    let code: Code
    let message: String
    let range: CELSourceRange?

    init(code: Code, message: String, range: CELSourceRange?) {
      self.code = code
      self.message = message
      self.range = range
    }
  }

  private let storage: Storage

  /// What kind of error it is.
  public var code: Code { storage.code }
  /// What went wrong, in one sentence without a full stop.
  public var message: String { storage.message }
  /// Where, in UTF-8 offsets of the source; `nil` only before an evaluation has placed it.
  public var range: CELSourceRange? { storage.range }

  /// An error of a host function or a host value; evaluation adds the place.
  public init(_ code: Code, _ message: String) {
    storage = Storage(code: code, message: message, range: nil)
  }

  private init(_ storage: Storage) {
    self.storage = storage
  }

  /// The same error, placed, unless it already has a place.
  func placed(at range: CELSourceRange) -> EvaluationError {
    self.range == nil ? EvaluationError(Storage(code: code, message: message, range: range)) : self
  }
}

extension EvaluationError: CustomStringConvertible {
  /// `4..<9: division by zero`.
  public var description: String {
    range.map { "\($0.start)..<\($0.end): \(message)" } ?? message
  }
}
