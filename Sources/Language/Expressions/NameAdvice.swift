internal import CEL
internal import Schema

extension DocumentNames {
  /// The whole name of something that was named without the root it stands under.
  func home(of problem: CELProblem, at context: ExpressionContext) -> String? {
    guard problem.code == .undeclaredName, case .name(let name)? = problem.subject else { return nil }
    return home(of: name, at: context)
  }

  /// Which names there are in place of one that is not there.
  func advice(on problem: CELProblem, at context: ExpressionContext, in environment: CELEnvironment) -> String? {
    switch (problem.code, problem.subject) {
    case (.undeclaredName, .name?) where problem.suggestion == nil: return context.namesAdvice
    case (.undefinedField, .field(_, of: .record(let name))?) where problem.suggestion == nil:
      guard let record = environment.record(named: name) else { return nil }
      return record.fields.isEmpty ? "it has none" : "it has \(record.fields.map(\.name).joined(separator: ", "))"
    default: return nil
    }
  }

  private func home(of name: String, at context: ExpressionContext) -> String? {
    let records: [(Root, Schema.RecordType?)] = [
      (.output, context.output?.fields), (.params, params), (.inputs, inputs), (.target, TURNServer.recordType),
    ]
    if let (root, _) = records.first(where: { context.roots.contains($0) && $1?[name] != nil }) {
      return "\(root.rawValue).\(name)"
    }
    if context.roots.contains(.steps), let index = index(ofStep: name),
      case .ended = visibility(of: index, from: context)
    {
      return "steps.\(name)"
    }
    return context.roots.contains(.secrets) && secrets[name] != nil ? "secrets.\(name)" : nil
  }
}

extension ValueType {
  /// The record that it is; nil for any other.
  fileprivate var fields: Schema.RecordType? { if case .record(let record) = self { record } else { nil } }
}

extension ExpressionContext {
  /// The roots of names that may be used here.
  var namesAdvice: String? {
    let names = Root.allCases.filter(roots.contains).map(\.rawValue)
    return names.isEmpty ? nil : "here there \(names.count == 1 ? "is" : "are") \(names.joined(separator: ", "))"
  }
}
