internal import Journal
internal import Schema
internal import Steps

/// A step as it is written, its module or check known and its expressions not yet read.
struct StepDeclaration {
  var id: String
  var reader: MappingReader<StepKey>
  var use: Use
  var onFailure: PlannedStep.OnFailure
  var isDiagnostic: Bool
  /// `diagnostic` stands there and could not be read: what follows from it is not known.
  var hasUnreadDiagnostic: Bool
  /// `effect: observe`, where the module leaves it to the step to say so.
  var claimsToObserve = false
  /// What takes it back.
  var undo: [StepDeclaration] = []
  var range: SourceRange

  enum Use {
    case module(AnyStepModule)
    case check(CheckedCheck)
    case group(GroupDeclaration)
    case question(QuestionDeclaration)
    /// It was reported.
    case unknown
  }

  /// Nil if the node is no step at all.
  init?(_ node: YAMLNode, ids: inout [String: Int], documents: DocumentCompiler) {
    let log = documents.log
    guard let reader = MappingReader<StepKey>(node, subject: "a step", log: log) else { return nil }
    self.reader = reader
    range = reader.keyRange(.id) ?? reader.range
    id = Self.id(reader, &ids, log)
    use = Self.use(reader, ids: &ids, documents)
    let diagnostic = reader.bool(.diagnostic)
    isDiagnostic = diagnostic ?? false
    hasUnreadDiagnostic = diagnostic == nil && reader[.diagnostic] != nil
    onFailure = reader.choice(.onFailure) ?? .stop
    claimsToObserve = Self.claimsToObserve(reader, use, log)
  }

  /// Reads `effect`, which only says of a module that can do anything that here it reads.
  private static func claimsToObserve(_ reader: MappingReader<StepKey>, _ use: Use, _ log: IssueLog) -> Bool {
    guard let place = reader.keyRange(.effect),
      reader.literal(.effect) != nil
    else { return false }
    switch use {
    case .unknown, .question: return false
    case .module(let module) where module.mayOnlyObserve: return true
    case .module(let module):
      log.error(
        "effect-fixed", "the effect of \(module.name) is always \"\(module.effect.rawValue)\"", at: place,
        suggestion: "leave \"effect\" out")
    // A group that has it is reported as a whole.
    case .group: return false
    case .check:
      log.error(
        "effect-fixed", "a check has the effects of its steps", at: place,
        suggestion: "put \"effect\" on the check's own steps")
    }
    return false
  }

  private static func id(_ reader: MappingReader<StepKey>, _ ids: inout [String: Int], _ log: IssueLog) -> String {
    guard let node = reader[.id] else { return "" }
    guard case .scalar(let scalar) = node else {
      _ = reader.text(.id)
      return ""
    }
    reportName(scalar, log: log)
    if let line = ids[scalar.text] {
      log.error(
        "duplicate-id", "another step has the id \"\(scalar.text)\", in line \(line)", at: scalar.range,
        suggestion: "give each step an id of its own")
    } else {
      ids[scalar.text] = scalar.range.line
    }
    return scalar.text
  }

  private static func use(
    _ reader: MappingReader<StepKey>, ids: inout [String: Int], _ documents: DocumentCompiler
  ) -> Use {
    if let group = GroupDeclaration.read(reader, ids: &ids, documents) { return group.map(Use.group) ?? .unknown }
    guard let (name, range) = named(reader, documents) else { return .unknown }
    guard name.hasPrefix("checks/") else { return plainUse(name, at: range, reader, documents) }
    return documents.check(String(name.dropFirst("checks/".count)), usedAt: range).map(Use.check) ?? .unknown
  }

  /// What stands behind `use`. Checks use checks: what they do not need lies outside of the function that goes from one to the next.
  @inline(never)
  private static func named(
    _ reader: MappingReader<StepKey>, _ documents: DocumentCompiler
  ) -> (name: String, range: SourceRange)? {
    guard let node = reader[.use] else {
      if !reader.hasRefusedAlternative {
        documents.log.error("missing-key", "a step needs the key \"use\"", at: reader.range)
      }
      return nil
    }
    return reader.text(.use).map { ($0, node.range) }
  }

  @inline(never)
  private static func plainUse(
    _ name: String, at range: SourceRange, _ reader: MappingReader<StepKey>, _ documents: DocumentCompiler
  ) -> Use {
    if let kind = Question.Kind.allCases.first(where: { $0.use == name }) {
      return .question(QuestionDeclaration(kind, reader))
    }
    if let module = documents.catalog[name] {
      let missing = module.services.subtracting(documents.services).map(\.rawValue).sorted()
      if !missing.isEmpty {
        documents.log.error(
          "missing-service", "\(name) needs \(missing.joined(separator: " and ")), which this project does not have",
          at: range)
      }
      return .module(module)
    }
    let near = nearName(to: name, among: documents.catalog.names + Question.Kind.allCases.map(\.use))
    let check = documents.files.names(.check).contains(name) ? "checks/\(name)" : nil
    documents.log.error(
      "unknown-module", "there is no module \"\(name)\"", at: range,
      meant: check ?? near, suggestion: "\"runbook modules\" lists them")
    return .unknown
  }

  /// What it puts out; nil if that is not known.
  var output: ValueType? {
    switch use {
    case .module(let module): .record(module.output)
    case .check(let check): .record(check.outputType)
    case .group(let group): group.output
    case .question(let question): .record(question.outputType)
    case .unknown: nil
    }
  }

  /// Where its argument vector names the program; nil if it has none.
  var programRange: SourceRange? {
    guard case .module(let module) = use, let field = module.input.fields.first(where: \.isArgumentVector),
      case .mapping(let mapping)? = reader[.with], case .sequence(let sequence)? = mapping[field.name]
    else { return nil }
    return sequence.elements.first?.range
  }

  /// True if the module judges exit codes by the default of its `exitCodes`.
  var judgesExitCodes: Bool {
    guard case .module(let module) = use, module.input["exitCodes"] != nil else { return false }
    if case .mapping(let mapping)? = reader[.with] { return mapping["exitCodes"] == nil }
    return true
  }

  var useName: String {
    switch use {
    case .module(let module): module.name
    case .check(let check): "checks/\(check.name)"
    case .group(let group): group.kind.name
    case .question(let question): question.kind.use
    case .unknown: "the step"
    }
  }

  /// The steps of a group; none of a check, which has names of its own.
  var inner: [StepDeclaration] { if case .group(let group) = use { group.steps } else { [] } }

  /// How many declarations it is, with those inside it.
  var count: Int { 1 + inner.totalCount }

  /// True if the run may go on without its output.
  var mayLackOutput: Bool {
    reader[.if] != nil || onFailure == .continue || isDiagnostic || effects == [.notify]
      || (reader[.forEach] != nil)
  }

  /// Every effect that it can have; nil if what it uses, or what a step inside it uses, is not known.
  var effects: Set<Effect>? {
    switch use {
    case .module(let module): return [claimsToObserve ? .observe : module.effect]
    case .check(let check): return check.steps.reduce(into: []) { $0.formUnion($1.step.effects) }
    case .group(let group):
      var effects: Set<Effect> = []
      for step in group.steps {
        guard let inner = step.effects else { return nil }
        effects.formUnion(inner)
      }
      return effects
    case .question: return [.record]
    case .unknown: return nil
    }
  }

  /// As names in expressions know it.
  var name: DocumentNames.Step {
    var name = DocumentNames.Step(id: id, use: useName, output: output, mayLackOutput: mayLackOutput)
    switch use {
    case .module, .group, .question: break
    case .check: name.isCheck = true
    case .unknown: name.hasUnknownOutput = true
    }
    return name
  }
}

extension [StepDeclaration] {
  /// How many declarations they are, with those inside them.
  var totalCount: Int { reduce(0) { $0 + $1.count } }
}
