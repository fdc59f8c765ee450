package import Schema

/// A value of a document in which expressions may stand.
package indirect enum Template: Sendable {
  case literal(Value)
  /// A value that is one `${…}`, admitted by the declared type when it is evaluated.
  case expression(Expression, ValueType)
  /// Text with `${…}` in it.
  case text([Part])
  case list([Template])
  /// A record or a map, with the record's type where it is one: fallbacks are filled in and limits checked at evaluation.
  case members([(name: String, value: Template)], RecordType?)

  package enum Part: Sendable {
    case text(String)
    case expression(Expression)
  }

  /// The value in a scope.
  ///
  /// Throws if an expression has no value, or one that the declared type or its limits do not admit.
  package func value(in scope: Scope) throws(ExpressionError) -> Value {
    switch self {
    case .literal(let value): return value
    case .expression(let expression, let type):
      let value = try expression.value(in: scope)
      do { return try type.admit(value) } catch {
        throw ExpressionError(message: error.message, range: expression.range)
      }
    case .text(let parts): return try Self.text(parts, in: scope)
    case .list(let elements):
      var values: [Value] = []
      for element in elements { values.append(try element.value(in: scope)) }
      return .list(values)
    case .members(let members, let record):
      var values: [Value.Member] = []
      for member in members { values.append(Value.Member(member.name, try member.value.value(in: scope))) }
      guard let record else { return .members(values) }
      do { return .members(try record.admit(values)) } catch {
        throw ExpressionError(message: "\(error.path): \(error.message)", range: firstRange ?? .nowhere)
      }
    }
  }

  /// The parts as one text; a secret text where one of them is secret.
  private static func text(_ parts: [Part], in scope: Scope) throws(ExpressionError) -> Value {
    var text = ""
    var isSecret = false
    for part in parts {
      switch part {
      case .text(let literal): text += literal
      case .expression(let expression):
        var value = try expression.value(in: scope)
        if case .secret(let secret) = value {
          value = secret.reveal()
          isSecret = true
        }
        text += value.plainText
      }
    }
    return isSecret ? .secret(Secret(text)) : .string(text)
  }

  /// Where the first expression stands, for errors that concern the whole.
  var firstRange: SourceRange? {
    switch self {
    case .literal: nil
    case .expression(let expression, _): expression.range
    case .text(let parts):
      parts.lazy.compactMap { if case .expression(let expression) = $0 { expression.range } else { nil } }.first
    case .list(let elements): elements.lazy.compactMap(\.firstRange).first
    case .members(let members, _): members.lazy.compactMap(\.value.firstRange).first
    }
  }
}

extension SourceRange {
  fileprivate static let nowhere = SourceRange(file: "", line: 1, column: 1)
}

extension Template {
  /// A member of a record, by its name.
  package func member(_ name: String) -> Template? {
    switch self {
    case .literal(.members(let members)): members.first { $0.name == name }.map { .literal($0.value) }
    case .members(let members, _): members.first { $0.name == name }?.value
    default: nil
    }
  }
}
