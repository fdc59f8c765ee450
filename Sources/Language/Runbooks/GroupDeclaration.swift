internal import Journal
internal import Schema

/// A group of steps as it is written: what stands behind `parallel`, `forEach` or `phase`.
struct GroupDeclaration {
  var kind: Kind
  var steps: [StepDeclaration]

  enum Kind {
    case parallel(limit: Int?)
    case forEach(list: YAMLNode, variable: String, limit: Int)
    case phase(deadline: Duration, title: YAMLNode?)

    var name: String {
      switch self {
      case .parallel: "parallel"
      case .forEach: "forEach"
      case .phase: "phase"
      }
    }
  }

  /// What a loop puts out: an element for each element of its list. Nil for other groups, which put out nothing.
  var output: ValueType? {
    guard case .forEach = kind else { return nil }
    return .list(
      .record(
        RecordType(fields: [
          FieldDeclaration(name: "item", type: .any, summary: "The element."),
          FieldDeclaration(name: "outcome", type: outcomeType, summary: "What its steps came to."),
          FieldDeclaration(
            name: "output", type: .optional(steps.last?.output ?? .any), fallback: .null,
            summary: "The output of the last step."),
        ])))
  }

  /// The group that a step is; nil if it is none, and nil inside where it was reported.
  static func read(
    _ reader: MappingReader<StepKey>, ids: inout [String: Int], _ documents: DocumentCompiler
  ) -> GroupDeclaration?? {
    let log = documents.log
    let found = reader.alternatives
    guard let key = found.first(where: { $0 != .use }), let place = reader.keyRange(key), let node = reader[key] else {
      if let range = reader.keyRange(.steps) {
        log.error(
          "group-key", "\"steps\" of a step belong to \"forEach\"", at: range,
          suggestion: "add \"forEach\" in the place of \"use\", or remove \"steps\"")
      }
      return nil
    }
    if found.count > 1 {
      let names = found.map { "\"\($0.name)\"" }.joined(separator: " and ")
      log.error(
        "group-key", "a step has one of \(names), not both", at: reader.range,
        suggestion: "keep one of them, and make a step of its own of the other")
    }
    for key in [StepKey.with, .effect] + (key == .forEach ? [] : [.steps]) {
      guard let range = reader.keyRange(key), found.count == 1 else { continue }
      log.error(
        "group-key", "a group of steps has no \"\(key.name)\"", at: range, suggestion: "put it on a step inside")
    }
    switch key {
    case .parallel:
      guard let reader = MappingReader<ParallelKey>(node, subject: "\"parallel\"", log: log) else { return .some(nil) }
      let limit = count(reader, .limit)
      let steps = stepDeclarations(reader[.steps], ids: &ids, documents)
      return steps.isEmpty ? .some(nil) : GroupDeclaration(kind: .parallel(limit: limit), steps: steps)
    case .forEach:
      let list = reader[.steps]
      guard let loop = MappingReader<ForEachKey>(node, subject: "\"forEach\"", log: log) else { return .some(nil) }
      if list == nil { log.error("missing-key", "a step with \"forEach\" needs the key \"steps\"", at: place) }
      let limit = count(loop, .limit) ?? 1
      let variable = variable(loop)
      let steps = stepDeclarations(list, ids: &ids, documents)
      guard let elements = loop[.in], let variable, !steps.isEmpty else { return .some(nil) }
      return GroupDeclaration(kind: .forEach(list: elements, variable: variable, limit: limit), steps: steps)
    default:
      guard let reader = MappingReader<PhaseKey>(node, subject: "\"phase\"", log: log) else { return .some(nil) }
      let steps = stepDeclarations(reader[.steps], ids: &ids, documents)
      guard let deadline = reader.duration(.deadline), !steps.isEmpty else { return .some(nil) }
      return GroupDeclaration(kind: .phase(deadline: deadline, title: reader[.title]), steps: steps)
    }
  }

  private static func count<Key: DocumentKey>(_ reader: MappingReader<Key>, _ key: Key) -> Int? {
    guard case .int(let number) = reader.literal(key), let node = reader[key] else { return nil }
    guard (1...100_000).contains(number) else {
      reader.log.error("out-of-bounds", "\"\(key.name)\" must be from 1 to 100000", at: node.range)
      return nil
    }
    return Int(number)
  }

  private static func variable(_ loop: MappingReader<ForEachKey>) -> String? {
    guard let node = loop[.as] else { return nil }
    guard case .scalar(let scalar) = node else {
      _ = loop.text(.as)
      return nil
    }
    reportName(scalar, log: loop.log)
    if let root = Root(rawValue: scalar.text) {
      loop.log.error(
        "element-name", "\"\(root.rawValue)\" means something else in every expression", at: scalar.range,
        suggestion: "give the element another name")
      return nil
    }
    return isIdentifier(scalar.text) ? scalar.text : nil
  }
}

extension DocumentNames {
  /// Adds the steps of a document or of one of its stages, each followed by those inside it.
  mutating func add(_ declarations: [StepDeclaration], of stage: Stage = .steps, inside groups: [Group] = []) {
    for declaration in declarations {
      var name = declaration.name
      (name.stage, name.groups) = (stage, groups)
      let index = steps.count
      add(name)
      guard case .group(let group) = declaration.use else { continue }
      let kind: Group.Kind =
        switch group.kind {
        case .parallel: .parallel
        case .forEach: .loop
        case .phase: .sequence
        }
      let own = Group(index: index, kind: kind, mayLackSteps: declaration.mayLackOutput)
      add(declaration.inner, of: stage, inside: groups + [own])
    }
  }
}
