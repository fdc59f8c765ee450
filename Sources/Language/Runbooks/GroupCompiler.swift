internal import CEL
internal import Journal
internal import Schema

/// Compiles groups of steps.
extension StepCompiler {
  /// - Parameter context: of the group, with what its condition makes known.
  func group(
    _ group: GroupDeclaration, _ declaration: StepDeclaration, if condition: Expression?, at context: ExpressionContext
  ) -> CheckedStep? {
    let reader = declaration.reader
    var inside = context
    var list: CompiledExpression?
    if case .forEach(let node, let variable, _) = group.kind {
      list = self.list(node, at: context)
      inside.elements =
        context.elements.filter { $0.name != variable } + [element(variable, of: list, declaration, context)]
    }
    var used = compiler.takeSteps()
    let inner = steps(group.steps, from: inside.advanced(by: 1))
    reportUnused(group, declaration)
    checkEffects(of: inner, declaration)
    var judged = context
    judged.isBehindGroup = true
    judged.output = group.output
    if group.output != nil { judged.roots.insert(.output) }
    let expectations = expectations(reader, at: judged)
    let tries = Tries(until: until(reader, at: judged), retry: retry(reader), timeout: reader.duration(.timeout))
    let title = title(titleNode(group, reader))
    used.formUnion(compiler.takeSteps())
    guard inner.count == group.steps.count,
      let body = body(group, list, inner.map(\.step), expectations: expectations, tries: tries)
    else { return nil }
    let step = PlannedStep(
      id: declaration.id, title: title?.literal?.plainText ?? declaration.id, condition: condition,
      onFailure: declaration.onFailure, isDiagnostic: declaration.isDiagnostic, range: declaration.range, body: body)
    let judges = inner.contains(where: \.asserts) || reader[.expect] != nil || reader[.until] != nil
    return CheckedStep(
      step: step, title: title?.literal == nil ? title : nil, doc: reader.prose(.doc),
      asserts: declaration.hasUnreadDiagnostic || (!declaration.isDiagnostic && judges),
      usedSteps: inner.reduce(into: used) { $0.formUnion($1.usedSteps) }, inner: inner,
      elements: list?.constantCount)
  }

  private func titleNode(_ group: GroupDeclaration, _ reader: MappingReader<StepKey>) -> YAMLNode? {
    if case .phase(_, let title) = group.kind { reader[.title] ?? title } else { reader[.title] }
  }

  private func body(
    _ group: GroupDeclaration, _ list: CompiledExpression?, _ steps: [PlannedStep], expectations: [Expectation],
    tries: Tries
  ) -> StepBody? {
    switch group.kind {
    case .parallel(let limit):
      return .parallel(
        ParallelGroup(steps, limit: limit ?? steps.count, expectations: expectations, tries: tries))
    case .phase(let deadline, _):
      return .phase(Phase(steps, deadline: deadline, expectations: expectations, tries: tries))
    case .forEach(_, let variable, let limit):
      guard let list else { return nil }
      return .forEach(
        Loop(
          list: list.expression(.list(list.elementType)), itemType: list.elementType, variable: variable, limit: limit,
          steps: steps, expectations: expectations, tries: tries))
    }
  }

  /// `in` of a loop.
  private func list(_ node: YAMLNode, at context: ExpressionContext) -> CompiledExpression? {
    var context = context
    context.secretAdvice = "an element is never secret: bind the secret inside the loop"
    guard let compiled = compiler.expression(node, of: "\"in\"", as: .list(.any), at: context) else { return nil }
    if compiled.constantCount == 0 {
      log.error(
        "unreachable-step", "the list is always empty: the steps are never run", at: compiled.whole,
        suggestion: "mend the list, or remove the step")
    }
    return compiled
  }

  private func element(
    _ variable: String, of list: CompiledExpression?, _ declaration: StepDeclaration, _ context: ExpressionContext
  ) -> LoopElement {
    if context.elements.contains(where: { $0.name == variable }) {
      log.error(
        "element-name", "a loop around this one calls its element \"\(variable)\" too",
        at: declaration.reader.keyRange(.forEach) ?? declaration.range, suggestion: "give one of them another name")
    }
    return LoopElement(name: variable, type: list?.elementType ?? .any)
  }

  private func reportUnused(_ group: GroupDeclaration, _ declaration: StepDeclaration) {
    guard case .forEach(_, let variable, _) = group.kind, compiler.isComplete,
      !compiler.uses.elements.contains(variable)
    else { return }
    log.warning(
      "unused-element", "nothing uses the element \"\(variable)\": each pass does the same",
      at: declaration.reader.keyRange(.forEach) ?? declaration.range)
  }

  /// Reports `retry` of a check or group that does more than observe: another try would do it once more.
  func checkEffects(of inner: [CheckedStep], _ declaration: StepDeclaration) {
    guard let range = declaration.reader.keyRange(.retry),
      let found = inner.lazy.flatMap(\.effects).first(where: { $0.effect != .observe })
    else { return }
    log.error(
      "retry-with-effect",
      "\(found.use) has the effect \"\(found.effect.rawValue)\": another try of the whole would do it once more",
      at: range,
      suggestion: "put \"retry\" on the steps inside that observe")
  }
}

extension CompiledExpression {
  /// Of a list.
  var elementType: ValueType { if case .list(let element) = type { element } else { .any } }

  /// How many elements a list has that depends on nothing; nil for any other.
  var constantCount: Int? {
    guard let constant = program.constantValue, case .list(let items)? = try? Value(constant) else { return nil }
    return items.count
  }
}
