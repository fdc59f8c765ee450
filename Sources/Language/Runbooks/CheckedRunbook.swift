internal import Journal
internal import Schedules
internal import Schema
internal import Steps

/// A runbook that was read and checked as far as that goes without values.
struct CheckedRunbook {
  var name: String
  var title: Template?
  /// What is asked before anything runs.
  var confirm: Template?
  var doc: String?
  var severity: String?
  var owner: String?
  var params: [Parameter]
  var secrets: [SecretDeclaration]
  var lock: LockName?
  var timeout: Duration?
  var period: Period?
  var alert: AlertRule?
  var stages: CheckedStages
  var rollback: RollbackPolicy
  /// The steps' environments that no default may see.
  var hiddenEnvironment: Set<String>
  var usesTarget: Bool
  /// The file itself, and those of the checks that it uses.
  var sources: [RunSource]
}

/// A check that was read and checked.
struct CheckedCheck {
  var name: String
  var title: String
  var doc: String?
  var inputs: [Parameter]
  var outputs: [CheckCall.Output]
  /// Those of all outputs, also if the value of one was refused.
  var outputType: RecordType
  var steps: [CheckedStep]
  var lock: LockName?
  var timeout: Duration
  /// Whether it can end in `fail` by judging something.
  var asserts: Bool
  var sources: [RunSource]

  /// How many steps a run of it has, with those of the checks that it uses.
  var stepCount: Int { steps.expandedCount }

  var inputType: RecordType { RecordType(fields: inputs.map(\.declaration)) }

  /// The check as a step uses it.
  func planned(input: Template, expectations: [Expectation] = [], tries: Tries = Tries()) -> CheckCall {
    CheckCall(
      name: name, title: title, input: input, inputType: inputType, steps: steps.map(\.step), outputs: outputs,
      lock: lock, expectations: expectations, longest: timeout, tries: tries)
  }
}

/// A step with what a plan does not hold.
struct CheckedStep {
  var step: PlannedStep
  /// `title`, where it holds expressions: params and the target are put in once they are known.
  var title: Template?
  var doc: String?
  /// Whether its result is judged and counts.
  var asserts: Bool
  /// Ids of the steps whose outcome or output its expressions use.
  var usedSteps: Set<String>
  /// The steps of the check that it uses, or of the group that it is.
  var inner: [CheckedStep]
  /// What takes it back.
  private(set) var undo: [CheckedStep] = []
  /// How many steps a run has for this one: itself, those of the check that it uses, and those of its undo.
  var expandedCount: Int

  init(
    step: PlannedStep, title: Template?, doc: String?, asserts: Bool, usedSteps: Set<String>, inner: [CheckedStep],
    elements: Int? = nil
  ) {
    self.step = step
    self.title = title
    self.doc = doc
    self.asserts = asserts
    self.usedSteps = usedSteps
    self.inner = inner
    let count = 1 + inner.expandedCount
    expandedCount = elements.map { 1 + min($0, Loop.maximumCount) * count } ?? count
  }

  /// The step with the titles that a function gives to it, to the steps of the groups in it and to those of its undo.
  func step(titled title: (Self) -> String) -> PlannedStep {
    var step = step
    step.title = title(self)
    if step.body.isGroup { step.body.replaceSteps(inner.map { $0.step(titled: title) }) }
    step.undo = undo.map { $0.step(titled: title) }
    return step
  }

  /// The ids of the steps of the groups in it, at any depth.
  var innerIDs: Set<String> {
    step.body.isGroup ? inner.reduce(into: []) { $0.formUnion($1.innerIDs.union([$1.step.id])) } : []
  }

  /// The ids by which `--only` chooses it, or a part of it: its own, and those of its branches if it is a parallel that judges nothing
  /// as a whole.
  var choices: [String] { [step.id] + branches.map(\.step.id) }

  private var branches: [CheckedStep] {
    guard case .parallel(let group) = step.body, group.expectations.isEmpty, group.tries.until == nil else { return [] }
    return inner
  }

  /// What is left of it if only the steps of these ids are to be run; nil for nothing.
  func chosen(_ ids: [String]) -> CheckedStep? {
    guard !ids.contains(step.id) else { return self }
    let branches = branches.filter { ids.contains($0.step.id) }
    guard !branches.isEmpty else { return nil }
    var part = self
    part.inner = branches
    part.step.body.replaceSteps(branches.map(\.step))
    part.asserts = branches.contains(where: \.asserts)
    return part
  }

  mutating func setUndo(_ steps: [CheckedStep]) {
    undo = steps
    step.undo = steps.map(\.step)
    expandedCount += steps.expandedCount
  }

  /// The step itself, and those of its undo.
  var withUndo: [CheckedStep] { [self] + undo }

  /// Every effect that the step can have, with the step that has it.
  var effects: [(effect: Effect, use: String)] {
    inner.isEmpty ? [(step.effect, step.use)] : inner.flatMap(\.effects)
  }
}

extension [CheckedStep] {
  /// How many steps a run has, with those of the checks that they use.
  var expandedCount: Int { reduce(0) { $0 + $1.expandedCount } }

  /// Warns of steps that only look, and whose findings nobody judges or uses.
  func reportIdle(usedByOutputs: Set<String> = [], log: IssueLog) {
    let used = reduce(into: usedByOutputs) { $0.formUnion($1.usedSteps) }
    reportIdle(besides: used, log: log)
  }

  private func reportIdle(besides used: Set<String>, log: IssueLog) {
    for checked in self where checked.step.body.isGroup && !checked.step.isDiagnostic && !used.contains(checked.step.id)
    {
      guard checked.step.expectations.isEmpty, checked.step.body.tries.until == nil else { continue }
      checked.inner.reportIdle(besides: used, log: log)
    }
    for checked in self
    where !checked.step.body.isGroup && !checked.asserts && !checked.step.isDiagnostic
      && !used.contains(checked.step.id)
    {
      guard checked.effects.allSatisfy({ $0.effect == .observe }) else { continue }
      log.warning(
        "asserts-nothing", "the step \"\(checked.step.id)\" passes whatever it finds, and nothing uses its output",
        at: checked.step.range, suggestion: "add \"expect\", or diagnostic: true if it is for the record only")
    }
  }
}

extension Int {
  /// The most steps that a run may have: checks that use each other multiply.
  private static let maximumSteps = 100_000

  /// Reports a number of steps that is too large for any run; true if it is.
  func reportTooManySteps(of subject: String, at range: SourceRange, log: IssueLog) -> Bool {
    guard self > Self.maximumSteps else { return false }
    log.error(
      "too-many-steps",
      "\(subject) has \(self) steps with those of the checks it uses; a run has at most \(Self.maximumSteps)",
      at: range, suggestion: "use fewer checks inside checks")
    return true
  }
}

/// One entry of a runbook's `secrets`.
struct SecretDeclaration: Sendable {
  var name: String
  var source: SecretSource
  var isOptional: Bool
  var doc: String
  var range: SourceRange

  init?(_ name: YAMLNode.Scalar, _ node: YAMLNode, log: IssueLog) {
    reportName(name, log: log)
    if case .scalar = node {
      _ = SecretSource(node, subject: "the secret \"\(name.text)\"", log: log)
      return nil
    }
    SecretSource.reportClearText(in: node, of: "the secret \"\(name.text)\"", log: log)
    guard let reader = MappingReader<SecretKey>(node, subject: "the secret \"\(name.text)\"", log: log),
      let source = SecretSource(reader, subject: "the secret \"\(name.text)\"")
    else { return nil }
    self.name = name.text
    self.source = source
    isOptional = reader.bool(.optional) ?? false
    doc = reader.prose(.doc) ?? ""
    range = name.range
  }

  /// Reads `secrets`.
  static func all(_ node: YAMLNode, log: IssueLog) -> [SecretDeclaration] {
    guard case .mapping(let mapping) = node else {
      if case .refused = node { return [] }
      log.error("type-mismatch", "expected a mapping for secrets, found \(node.kind)", at: node.range)
      return []
    }
    return mapping.entries.compactMap { SecretDeclaration($0.key, $0.value, log: log) }
  }
}
