internal import Journal
internal import Schema
internal import Steps

/// What can be known of steps' inputs before the run begins, held against what the steps take.
struct KnownInputs {
  /// Params, target and secrets of a runbook; of a check the inputs that are known.
  let scope: Scope
  /// Whether ``scope`` has params and secrets.
  private let knowsGiven: Bool
  /// The names of the check's inputs that ``scope`` has.
  private var inputs: Set<String> = []
  /// The steps around, as a prefix of what messages call a step: "turn/".
  private var path = ""
  /// The outermost step around: where a check is used in a way in which it can never be done.
  private var use: SourceRange?
  /// How the steps around are left out; nil if no param alone does that.
  private var omission: String?
  private let log: IssueLog
  /// Whether a step before may have changed what is there.
  private var mayHaveChanged = false

  init(scope: Scope, knowsGiven: Bool = true, log: IssueLog) {
    self.scope = scope
    self.knowsGiven = knowsGiven
    self.log = log
  }

  /// Reports every input that is known already and that its step could not take: one that lies outside of the field's
  /// limits, that has no value, or on which the step can never be done.
  ///
  /// Gives the files that are known already and must be there when their steps begin, unless a step before may bring them.
  @discardableResult
  mutating func check(_ steps: [PlannedStep]) -> [RequiredFile] {
    var files: [RequiredFile] = []
    for step in steps where mayRun(step) {
      switch step.body {
      case .call(let call):
        if !mayHaveChanged { files += requiredFiles(of: call, step) }
        mayHaveChanged = mayHaveChanged || call.effect == .change
        guard let value = value(of: call.input, step), let finding = call.module.objection(value, call.timeout)
        else { continue }
        report(
          "cannot-work", finding.message.withoutFullStop, at: use ?? step.range, step,
          suggestion: advice(finding, step))
      case .check(let check):
        var scope = Scope()
        let members = members(of: check.input, check.inputType, step)
        scope.inputs = .members(members)
        var inner = KnownInputs(scope: scope, log: log)
        (inner.inputs, inner.path) = (Set(members.map(\.name)), "\(path)\(step.id)/")
        inner.use = use ?? step.range
        inner.omission = omission ?? step.condition.flatMap(leavingOut)
        inner.mayHaveChanged = mayHaveChanged
        files += inner.check(check.steps)
        mayHaveChanged = inner.mayHaveChanged
      case .parallel, .forEach, .element, .phase, .undo:
        var inner = self
        inner.path += "\(step.id)/"
        inner.omission = omission ?? step.condition.flatMap(leavingOut)
        files += inner.check(step.body.steps)
        mayHaveChanged = inner.mayHaveChanged
      case .ask(let question): _ = value(of: question.input, step)
      }
    }
    return files
  }

  private func requiredFiles(of call: ModuleCall, _ step: PlannedStep) -> [RequiredFile] {
    call.module.files.flatMap { field -> [RequiredFile] in
      let template = field.split(separator: ".").reduce(call.input as Template?) { $0?.member(String($1)) }
      let texts: [String] =
        switch template.flatMap(knownValue) {
        case .string(let text)?: [text]
        case .list(let values)?: values.compactMap { if case .string(let text) = $0 { text } else { nil } }
        default: []
        }
      return texts.filter { $0 != "-" && !$0.contains(where: "*?[".contains) }
        .map { RequiredFile(path: $0, step: "\(path)\(step.id)", place: step.range) }
    }
  }

  /// The value of a template that is known and has one; it reports nothing.
  private func knownValue(_ template: Template) -> Value? {
    switch template {
    case .literal(let value): return value
    case .expression(let expression, _): return isKnown(expression) ? try? template.value(in: scope) : nil
    case .list(let elements):
      let values = elements.compactMap(knownValue)
      return values.count == elements.count ? .list(values) : nil
    case .text, .members: return nil
    }
  }

  /// How a step is left out whose condition is a param alone: `-p tls=false`.
  private func leavingOut(_ condition: Expression) -> String? {
    guard knowsGiven, let match = condition.source.wholeMatch(of: /\s*(!?)\s*params\.([A-Za-z][A-Za-z0-9]*)\s*/) else {
      return nil
    }
    return "-p \(match.2)=\(match.1.isEmpty ? "false" : "true")"
  }

  /// False if the step's condition is false, and where it can become so by what was given and is not known yet: it
  /// may be there to keep the step from such a value.
  private func mayRun(_ step: PlannedStep) -> Bool {
    guard let condition = step.condition else { return true }
    guard isKnown(condition) else {
      let names = condition.dependencies
      return !names.namesGiven && !names.namesTarget && names.inputs.isEmpty
    }
    do { return try condition.value(in: scope) == .bool(true) } catch {
      report("no-value", error.message, at: error.range, step)
      return false
    }
  }

  private func isKnown(_ expression: Expression) -> Bool {
    let names = expression.dependencies
    return !names.needsRun && (knowsGiven || !names.namesGiven) && (scope.target != nil || !names.namesTarget)
      && names.inputs.isSubset(of: inputs)
  }

  private func advice(_ finding: Finding, _ step: PlannedStep) -> String? {
    let omission = (omission ?? step.condition.flatMap(leavingOut)).map { "leave the step out with \($0)" }
    let parts = [finding.advice?.withoutFullStop, omission].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: "; or ")
  }

  private func report(
    _ code: String, _ message: String, at range: SourceRange, _ step: PlannedStep, suggestion: String? = nil
  ) {
    log.error(code, "the step \"\(path)\(step.id)\": \(message)", at: range, suggestion: suggestion)
  }

  /// The value; nil if it is not known yet, or was reported.
  private func value(of template: Template, _ step: PlannedStep) -> Value? {
    switch template {
    case .literal(let value): return value
    case .expression(let expression, _):
      return isKnown(expression) ? evaluated(template, step) : nil
    case .text(let parts):
      let areKnown = parts.allSatisfy { if case .expression(let expression) = $0 { isKnown(expression) } else { true } }
      return areKnown ? evaluated(template, step) : nil
    case .list(let elements):
      let values = elements.compactMap { value(of: $0, step) }
      return values.count == elements.count ? .list(values) : nil
    case .members(let members, let record):
      let values = members.compactMap { member in
        value(of: member.value, record?[member.name], step).map { Value.Member(member.name, $0) }
      }
      return values.count == members.count ? .members(values) : nil
    }
  }

  private func evaluated(_ template: Template, _ step: PlannedStep) -> Value? {
    do { return try template.value(in: scope) } catch {
      report("no-value", error.message, at: error.range, step)
      return nil
    }
  }

  /// The value of a field, inside its limits.
  private func value(of template: Template, _ field: FieldDeclaration?, _ step: PlannedStep) -> Value? {
    guard let value = value(of: template, step) else { return nil }
    // A literal was held against its field when the document was read.
    guard let field, template.literal == nil else { return value }
    do { return try field.admit(value) } catch {
      report("out-of-bounds", "\"\(field.name)\" \(error.message)", at: template.firstRange ?? step.range, step)
      return nil
    }
  }

  /// The members of a check's input that are known, defaults included.
  private func members(of input: Template, _ type: RecordType, _ step: PlannedStep) -> [Value.Member] {
    switch input {
    case .literal(.members(let members)): members
    case .members(let members, _):
      type.fields.compactMap { field in
        guard let member = members.first(where: { $0.name == field.name }) else {
          return field.fallback.map { Value.Member(field.name, $0) }
        }
        return value(of: member.value, field, step).map { Value.Member(field.name, $0) }
      }
    default: []
    }
  }
}
