package import Journal
package import Schema

/// A question that a step puts to people: `manual.confirm`, `manual.form` and `manual.approve`.
///
/// It is a source of events and no module: nothing runs while somebody is waited for.
package struct Question: Sendable {
  package var kind: Kind
  /// The template of a record of ``inputType``.
  package var input: Template
  /// What is filled in; empty but for a form.
  package var fields: [FieldDeclaration]
  /// Who may answer; nil for the user of the run and the owner of the state folder.
  package var approvers: Approvers?
  /// How long an answer is waited for.
  package var timeout: Duration
  package var expectations: [Expectation]

  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case confirm, form, approve

    /// What `use` names: `manual.confirm`.
    package var use: String { "manual.\(rawValue)" }
  }

  package init(
    _ kind: Kind, input: Template, fields: [FieldDeclaration] = [], approvers: Approvers? = nil, timeout: Duration,
    expectations: [Expectation] = []
  ) {
    self.kind = kind
    self.input = input
    self.fields = fields
    self.approvers = approvers
    self.timeout = timeout
    self.expectations = expectations
  }

  /// What a question's step takes, expressions evaluated.
  package static let inputType = RecordType(fields: [
    FieldDeclaration(name: "question", type: .string, summary: "What is asked.")
  ])

  /// What its step puts out: what was filled in, or who agreed.
  package var outputType: RecordType {
    guard kind != .form else {
      return RecordType(
        fields: fields.map { field in
          var output = field
          if case .optional = field.type { output.fallback = .null } else { output.fallback = nil }
          return output
        })
    }
    return Self.agreementType
  }

  /// What a step puts out whose question was answered with yes.
  package static let agreementType = RecordType(fields: [
    FieldDeclaration(name: "user", type: .string, summary: "Who agreed."),
    FieldDeclaration(
      name: "reason", type: .optional(.string), fallback: .null, summary: "Why, in the person's words."),
  ])

  /// The type of an answer, as a journal holds it: what need not be filled in is optional.
  package var form: ValueType {
    .record(
      RecordType(
        fields: fields.map { field in
          guard !field.isRequired, !field.type.isOptional else { return field }
          var open = field
          open.type = .optional(field.type)
          return open
        }))
  }

  /// What a person filled in, read by the types of the fields; what was left out has its default.
  ///
  /// - Parameter texts: by the names of fields.
  /// - Throws: the first field that is missing, unknown, or not of its type.
  package func filled(_ texts: [String: String]) throws(Mismatch) -> Value {
    for name in texts.keys.sorted() where !fields.contains(where: { $0.name == name }) {
      let near = nearName(to: name, among: fields.map(\.name))
      throw Mismatch(path: name, "the form has no such field", meant: near)
    }
    var members: [Value.Member] = []
    for field in fields {
      if let value = try field.filled(texts[field.name]) { members.append(Value.Member(field.name, value)) }
    }
    return .members(try RecordType(fields: fields).admit(members))
  }
}

extension FieldDeclaration {
  /// The value of one field of a form; nil if it was left out and need not be given.
  ///
  /// - Parameter text: what was filled in; nil or empty for nothing.
  package func filled(_ text: String?) throws(Mismatch) -> Value? {
    guard let text, !text.isEmpty else {
      // The type of an answer, as a journal holds it, has no defaults: see `form`.
      guard isRequired, !type.isOptional else { return nil }
      throw Mismatch(path: name, "it must be filled in: \(type.article)")
    }
    do { return try type.parse(text) } catch { throw error.inside(name) }
  }
}

extension ValueType {
  package var isOptional: Bool { if case .optional = self { true } else { false } }
}
