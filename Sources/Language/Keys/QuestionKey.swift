internal import Journal
internal import Schema

/// The keys of `with` of a step that asks people.
package enum QuestionKey: String, DocumentKey {
  case question, fields, approvers

  package static let mappingName = "question"

  package static let foreign = [
    "prompt": "\"question\"", "message": "\"question\"", "text": "\"question\"", "form": "\"fields\"",
    "inputs": "\"fields\"", "users": "approvers: {users: [NAME]}", "group": "approvers: {group: NAME}",
  ]

  package var declaration: KeyDeclaration {
    switch self {
    case .question:
      .init(.template(.string), "What is asked.", .required, example: "Restart ${params.container}?")
    case .fields:
      .init(
        .named(ParameterKey.self), "What `manual.form` lets a person fill in, see L42.",
        example: ["connections": ["type": "int", "default": 100, "doc": "How many may stay"]])
    case .approvers:
      .init(
        .record(Approvers.record.type), "Who may answer `manual.approve`, see L43.",
        example: ["users": ["alice", "bob"]])
    }
  }
}
