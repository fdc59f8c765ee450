package import Journal
package import Schedules
package import Schema
package import Steps

/// What people want to know of a runbook or check without running it; no value is needed for it.
package struct Outline: Sendable {
  /// The runbook's name, or `checks/NAME`.
  package var name: String
  /// As written, `${…}` included.
  package var title: String
  package var doc: String?
  package var severity: String?
  package var owner: String?
  package var effects: Set<Effect>
  /// Params of a runbook, inputs of a check.
  package var params: [FieldDeclaration]
  /// Outputs of a check.
  package var outputs: [FieldDeclaration]
  package var secrets: [DeclaredSecret]
  package var usesTarget: Bool
  /// What is asked before anything runs, as written.
  package var confirm: String?
  package var timeout: Duration?
  /// The name of its lock as written, `${…}` included.
  package var lock: String?
  package var period: Period?
  package var alert: AlertRule?
  package var rollback: RollbackPolicy
  package var hypothesis: [Step]
  package var steps: [Step]
  package var finally: [Step]

  /// A secret that a runbook declares; never its value.
  package struct DeclaredSecret: Hashable, Sendable {
    package var name: String
    /// Where it comes from, as people say it: `TOKEN of the environment`, `secrets/token`.
    package var origin: String
    /// The name of the credential that systemd hands over, if it is one.
    package var credential: String?
    package var isOptional: Bool
    package var doc: String
  }

  /// A step with everything that decides how it runs and what of it counts. Expressions are as they were written.
  package struct Step: Sendable {
    package var id: String
    package var title: String
    package var doc: String?
    package var use: String
    package var effect: Effect
    /// The step says itself that it only observes.
    package var claimsToObserve: Bool
    /// What `with` gives, in the order in which it is written; fields that are left to their defaults are not in it.
    package var inputs: [Input]
    /// `if`; nil if the step is always run.
    package var condition: String?
    package var until: String?
    package var retry: RetryPolicy?
    /// Of one try; of all tries together for a step that uses a check.
    package var timeout: Duration
    package var onFailure: PlannedStep.OnFailure
    package var isDiagnostic: Bool
    package var expectations: [DeclaredExpectation]
    /// The steps of the check that it uses, or of the group that it is.
    package var steps: [Step]
    /// What takes it back.
    package var undo: [Step]
    /// Every effect that it can have.
    package var effects: Set<Effect>
    /// What stands behind `parallel`, `forEach` or `phase`, under its names: `limit`, `in`, `as`, `deadline`.
    package var group: [Input]

    /// The ids by which `--only` chooses it, or one of its branches.
    package var choices: [String] {
      let hasBranches = use == "parallel" && expectations.isEmpty && until == nil
      return [id] + (hasBranches ? steps.map(\.id) : [])
    }
  }

  /// One field of a step's `with`.
  package struct Input: Hashable, Sendable {
    package var name: String
    /// Literals with their units, expressions in `${…}`.
    package var value: String
  }

  /// One line of a step's `expect`.
  package struct DeclaredExpectation: Hashable, Sendable {
    package var that: String
    package var severity: JudgedExpectation.Severity
    package var message: String?
  }
}

extension Project {
  /// The outline of a runbook, or of `checks/NAME`.
  ///
  /// Throws its problems if it cannot be shown whole.
  package func outline(_ name: String, catalog: Catalog) throws(Issues) -> Outline {
    let document = document(name, catalog: catalog)
    guard !document.hasErrors else { throw Issues(document.issues) }
    switch document.content {
    case .runbook(let runbook): return Outline(runbook)
    case .check(let check): return Outline(check)
    case .unreadable: throw Issues(document.issues)
    }
  }
}

extension Outline {
  init(_ runbook: CheckedRunbook) {
    name = runbook.name
    title = runbook.title?.source ?? runbook.name
    doc = runbook.doc
    severity = runbook.severity
    owner = runbook.owner
    effects = Set(runbook.stages.all.flatMap { $0.effects.map(\.effect) })
    params = runbook.params.map { parameter in
      var declaration = parameter.declaration
      if let template = parameter.computedDefault {
        declaration.fallback = .string(parameter.defaultSource ?? template.source)
      }
      return declaration
    }
    outputs = []
    secrets = runbook.secrets.map {
      DeclaredSecret(
        name: $0.name, origin: $0.source.origin, credential: $0.source.credentialName, isOptional: $0.isOptional,
        doc: $0.doc)
    }
    usesTarget = runbook.usesTarget
    confirm = runbook.confirm?.source
    timeout = runbook.timeout
    lock = runbook.lock?.template.source
    period = runbook.period
    alert = runbook.alert
    rollback = runbook.rollback
    hypothesis = runbook.stages.hypothesis.map(Step.init)
    steps = runbook.stages.steps.map(Step.init)
    finally = runbook.stages.finally.map(Step.init)
  }

  init(_ check: CheckedCheck) {
    name = "checks/\(check.name)"
    title = check.title
    doc = check.doc
    severity = nil
    owner = nil
    effects = Set(check.steps.flatMap { $0.effects.map(\.effect) })
    params = check.inputs.map(\.declaration)
    outputs = check.outputs.map(\.declaration)
    secrets = []
    usesTarget = false
    timeout = check.timeout
    lock = check.lock?.template.source
    rollback = .never
    hypothesis = []
    steps = check.steps.map(Step.init)
    finally = []
  }
}

extension Outline.Step {
  init(_ checked: CheckedStep) {
    id = checked.step.id
    title = checked.title?.source ?? checked.step.title
    doc = checked.doc
    use = checked.step.use
    effect = checked.step.effect
    effects = checked.step.effects
    group = checked.step.body.settings
    condition = checked.step.condition?.source
    inputs = Self.inputs(checked.step.body)
    switch checked.step.body {
    case .call(let call):
      claimsToObserve = call.claimsToObserve
      until = call.until?.source
      retry = call.retry
      timeout = call.timeout
    case .check, .parallel, .forEach, .element, .phase, .undo, .ask:
      claimsToObserve = false
      until = checked.step.body.tries.until?.source
      retry = checked.step.body.tries.retry
      timeout = checked.step.body.tries.timeout ?? checked.step.longest
    }
    onFailure = checked.step.onFailure
    isDiagnostic = checked.step.isDiagnostic
    expectations = checked.step.expectations.map {
      Outline.DeclaredExpectation(that: $0.that.source, severity: $0.severity, message: $0.message?.source)
    }
    steps = checked.inner.map(Self.init)
    undo = checked.undo.map(Self.init)
  }

  private static func inputs(_ body: StepBody) -> [Outline.Input] {
    let (template, type) = body.input
    guard case .members(let members, _) = template else { return [] }
    var inputs = members.map {
      Outline.Input(name: $0.name, value: $0.value.source(as: type[$0.name]?.type ?? .any))
    }
    if case .ask(let question) = body {
      inputs += question.fields.map { Outline.Input(name: "fields.\($0.name)", value: $0.outlined) }
      if let approvers = question.approvers { inputs.append(Outline.Input(name: "approvers", value: approvers.text)) }
    }
    return inputs
  }
}

extension FieldDeclaration {
  /// One field of a form, for people: `int, else 100: How many may stay`.
  fileprivate var outlined: String {
    let otherwise =
      switch fallback {
      case nil, .null?: ""
      case let value?: ", else \(type.shown(value))"
      }
    return "\(type)\(otherwise)" + (summary.isEmpty ? "" : ": \(summary)")
  }
}

extension StepBody {
  fileprivate var settings: [Outline.Input] {
    switch self {
    case .parallel(let group): [.init(name: "limit", value: "\(group.limit)")]
    case .forEach(let loop):
      [
        .init(name: "in", value: loop.list.source), .init(name: "as", value: loop.variable),
        .init(name: "limit", value: "\(loop.limit)"),
      ]
    case .phase(let phase): [.init(name: "deadline", value: durationLiteral(phase.deadline))]
    case .call, .check, .element, .undo, .ask: []
    }
  }
}

extension Template {
  /// As it was written, for people: expressions in `${…}`.
  package var source: String { source(as: .any) }

  /// As it was written, for people, where this type is due: literals with their units, expressions in `${…}`.
  func source(as type: ValueType) -> String {
    switch self {
    case .literal(let value): type.shown(value)
    case .expression(let expression, _): "${\(expression.source)}"
    case .text(let parts):
      parts.map { part in
        switch part {
        case .text(let text): text
        case .expression(let expression): "${\(expression.source)}"
        }
      }.joined()
    case .list(let elements): "[\(elements.map { $0.source(as: type.element) }.joined(separator: ", "))]"
    case .members(let members, let record):
      "{"
        + members.map { "\($0.name): \($0.value.source(as: record?[$0.name]?.type ?? type.element))" }
        .joined(separator: ", ") + "}"
    }
  }
}

extension ValueType {
  /// The type of what is inside a list or map.
  fileprivate var element: ValueType {
    switch self {
    case .list(let element), .map(let element): element
    case .optional(let wrapped), .secret(let wrapped): wrapped.element
    default: .any
    }
  }
}
