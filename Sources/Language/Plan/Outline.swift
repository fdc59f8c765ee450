package import Journal
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
  /// Names of the secrets that it declares.
  package var secrets: [String]
  package var usesTarget: Bool
  package var timeout: Duration?
  package var steps: [Step]

  package struct Step: Sendable {
    package var id: String
    package var title: String
    package var doc: String?
    package var use: String
    package var effect: Effect
    package var isConditional: Bool
    package var timeout: Duration
    /// As written.
    package var expectations: [String]
    /// The steps of the check that it uses.
    package var steps: [Step]
  }
}

extension Project {
  /// The outline of a runbook, or of `checks/NAME`.
  ///
  /// Throws its problems where it cannot be shown whole.
  package func outline(_ name: String, catalog: Catalog) throws(Issues) -> Outline {
    let log = IssueLog()
    var outline: Outline?
    if name.hasPrefix("checks/") {
      let check = String(name.dropFirst("checks/".count))
      if isKnown(check, .check, log) { outline = compiler(catalog, log).check(check).map(Outline.init) }
    } else if isKnown(name, .runbook, log) {
      outline = compiler(catalog, log).runbook(name).map(Outline.init)
    }
    guard let outline, !log.hasErrors else { throw Issues(log.sorted) }
    return outline
  }
}

extension Outline {
  init(_ runbook: CheckedRunbook) {
    name = runbook.name
    title = runbook.title?.source ?? runbook.name
    doc = runbook.doc
    severity = runbook.severity
    owner = runbook.owner
    effects = Set(runbook.steps.flatMap { $0.effects.map(\.effect) })
    params = runbook.params.map { parameter in
      var declaration = parameter.declaration
      if let template = parameter.computedDefault {
        declaration.fallback = .string(parameter.defaultSource ?? template.source)
      }
      return declaration
    }
    outputs = []
    secrets = runbook.secrets.map(\.name)
    usesTarget = runbook.usesTarget
    timeout = runbook.timeout
    steps = runbook.steps.map(Step.init)
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
    steps = check.steps.map(Step.init)
  }
}

extension Outline.Step {
  init(_ checked: CheckedStep) {
    id = checked.step.id
    title = checked.title?.source ?? checked.step.title
    doc = checked.doc
    use = checked.step.use
    effect = checked.step.effect
    isConditional = checked.step.condition != nil
    timeout = checked.step.timeout
    expectations = checked.step.expectations.map(\.that.source)
    steps = checked.inner.map(Self.init)
  }
}

extension Template {
  /// As it was written, for people: expressions in `${…}`.
  var source: String {
    switch self {
    case .literal(let value): value.plainText
    case .expression(let expression, _): "${\(expression.source)}"
    case .text(let parts):
      parts.map { part in
        switch part {
        case .text(let text): text
        case .expression(let expression): "${\(expression.source)}"
        }
      }.joined()
    case .list(let elements): "[\(elements.map(\.source).joined(separator: ", "))]"
    case .members(let members, _): "{\(members.map { "\($0.name): \($0.value.source)" }.joined(separator: ", "))}"
    }
  }
}
