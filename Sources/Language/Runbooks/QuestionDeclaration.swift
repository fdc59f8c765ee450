internal import Journal
internal import Schema

/// `with` of a step that asks people, as far as it is read without expressions.
struct QuestionDeclaration {
  let kind: Question.Kind
  /// Nil if there is no `with` that can be read.
  let reader: MappingReader<QuestionKey>?
  let fields: [FieldDeclaration]
  let approvers: Approvers?

  var outputType: RecordType { Question(kind, input: .literal(.null), fields: fields, timeout: .zero).outputType }

  /// The keys of a step that make no sense of a question, which is asked once and whose answer counts.
  private static let foreignKeys: [StepKey] = [.retry, .until, .effect, .diagnostic]

  init(_ kind: Question.Kind, _ step: MappingReader<StepKey>) {
    self.kind = kind
    let log = step.log
    for key in Self.foreignKeys {
      guard let range = step.keyRange(key) else { continue }
      let reason = key == .diagnostic ? "the answer always counts" : "a question is asked once, and does nothing else"
      log.error(
        "question-key", "\"\(key.name)\" does not belong to \(kind.use): \(reason)", at: range,
        suggestion: "leave \"\(key.name)\" out")
    }
    if step[.timeout] == nil {
      log.error(
        "question-without-timeout", "\(kind.use) needs a timeout: how long an answer is waited for",
        at: step[.use]?.range ?? step.range, suggestion: "timeout: 30m")
    }
    guard let node = step[.with] else {
      log.error(
        "missing-key", "\(kind.use) needs \"with\", which says what is asked", at: step[.use]?.range ?? step.range,
        suggestion: "with: {question: \"Go on?\"}")
      (reader, fields, approvers) = (nil, [], nil)
      return
    }
    let reader = MappingReader<QuestionKey>(node, subject: kind.use, log: log)
    self.reader = reader
    fields = reader.map { Self.fields($0, of: kind) } ?? []
    approvers = reader.flatMap { Self.approvers($0, of: kind) }
  }

  // MARK: Forms

  private static func fields(_ reader: MappingReader<QuestionKey>, of kind: Question.Kind) -> [FieldDeclaration] {
    guard kind == .form else {
      if let range = reader.keyRange(.fields) {
        reader.log.error(
          "question-key", "\"fields\" does not belong to \(kind.use): it is answered with yes or no", at: range,
          suggestion: "use: \(Question.Kind.form.use)")
      }
      return []
    }
    guard let node = reader[.fields] else {
      reader.log.error(
        "missing-key", "\(kind.use) needs \"fields\", which says what is to be filled in", at: reader.range,
        suggestion: "fields: {note: {type: string, doc: What was seen}}")
      return []
    }
    if case .mapping(let mapping) = node, mapping.entries.isEmpty {
      reader.log.error(
        "missing-value", "\"fields\" holds no field", at: node.range,
        suggestion: "fields: {note: {type: string, doc: What was seen}}")
    }
    let parameters = ParameterReader(log: reader.log, subject: "fields", admitsSecrets: true, compiler: nil)
      .parameters(node)
    for parameter in parameters where !parameter.isReported {
      guard let problem = problem(of: parameter.declaration.type) else { continue }
      reader.log.error(
        "form-type", "the field \"\(parameter.declaration.name)\" \(problem)", at: parameter.range,
        suggestion: parameter.declaration.type.holdsSecret
          ? "declare it under secrets, which say where a secret comes from" : nil)
    }
    return parameters.map(\.declaration)
  }

  /// Why nobody can fill in a value of a type; nil if somebody can.
  private static func problem(of type: ValueType) -> String? {
    switch type {
    case .secret, .turnServer: "is secret: secrets are not asked for by this version"
    case .list, .map, .record: "has the type \(type): what is filled in is one value, no list and no record"
    case .any, .bytes: "has the type \(type), which nobody can type in"
    case .optional(let wrapped): problem(of: wrapped)
    default: nil
    }
  }

  // MARK: Approvers

  private static func approvers(_ reader: MappingReader<QuestionKey>, of kind: Question.Kind) -> Approvers? {
    guard let range = reader.keyRange(.approvers), let node = reader[.approvers] else { return nil }
    let log = reader.log
    guard kind == .approve else {
      log.error(
        "question-key", "\"approvers\" does not belong to \(kind.use)", at: range,
        suggestion: "use: \(Question.Kind.approve.use)")
      return nil
    }
    let decoder = ValueDecoder(log: log, expressions: .refused)
    guard case .mapping(let mapping) = node else {
      log.error(
        "approvers-form", "expected a mapping for \"approvers\", found \(node.kind)", at: node.range,
        suggestion: "approvers: {users: [NAME], group: NAME}")
      return nil
    }
    var approvers = Approvers()
    var isReported = false
    for entry in mapping.entries {
      switch entry.key.text {
      case "users":
        if case .list(let names)? = decoder.literal(entry.value, as: .list(.string)) {
          approvers.users = names.map(\.plainText)
        } else {
          isReported = true
        }
      case "group":
        if case .string(let name)? = decoder.literal(entry.value, as: .string) {
          approvers.group = name
        } else {
          isReported = true
        }
      default:
        isReported = true
        log.error(
          "unknown-field", "\"approvers\" has no field \"\(entry.key.text)\"", at: entry.key.range,
          suggestion: "it has users and group")
      }
    }
    if (approvers.users + [approvers.group].compactMap(\.self)).contains(where: { $0.isEmpty || $0.contains("\0") }) {
      log.error(
        "approvers-form", "\"approvers\" has a name that is empty or holds a NUL character", at: node.range,
        suggestion: "name users and groups as the host knows them")
    } else if approvers.users.isEmpty, approvers.group == nil, !isReported {
      log.error(
        "approvers-form", "\"approvers\" names nobody: the question could never be answered", at: node.range,
        suggestion: "name users or a group; without \"approvers\", the owner of the state folder answers")
    }
    return approvers
  }
}

extension CheckedStages {
  /// Reports questions in stages that must come to their end by themselves. That the hypothesis only looks is said of all its steps.
  func checkQuestions(log: IssueLog) {
    for (stage, steps) in [("undo", self.steps.flatMap(\.undo)), ("finally", finally)] {
      for checked in steps where checked.step.asks {
        log.error(
          "question-not-here", "\"\(stage)\" cannot wait for a person: it must end by itself, also after a signal",
          at: checked.step.range, suggestion: "ask in \"steps\"")
      }
    }
  }
}

extension StepCompiler {
  /// What is asked, as the step's input.
  func question(_ declaration: QuestionDeclaration, at place: ExpressionContext) -> Template? {
    guard let node = declaration.reader?[.question] else { return nil }
    var place = place
    place.secretAdvice = "\(declaration.kind.use) takes no secret"
    let template = ValueDecoder(log: log, expressions: .compiled(compiler, at: place)).template(node, as: .string)
    if case .string(let text)? = template?.literal, text.allSatisfy(\.isWhitespace) {
      log.error(
        "missing-value", "\"question\" asks nothing", at: node.range, suggestion: "question: \"Go on?\"")
    }
    return template.map { Template.members([("question", $0)], Question.inputType) }
  }
}
