internal import CEL
internal import Journal
internal import Schema
internal import Steps

/// Compiles the steps of one document.
struct StepCompiler {
  let compiler: ExpressionCompiler
  let log: IssueLog
  /// What every expression of a step may name.
  let roots: Set<Root>
  /// What a title may name; empty if it must be plain text.
  let titleRoots: Set<Root>

  func steps(_ declarations: [StepDeclaration]) -> [CheckedStep] {
    steps(declarations, from: ExpressionContext(roots: roots))
  }

  /// - Parameter first: the place of the first step.
  func steps(_ declarations: [StepDeclaration], from first: ExpressionContext) -> [CheckedStep] {
    var context = first
    return declarations.compactMap { declaration in
      defer { context = context.advanced(by: declaration.count) }
      return step(declaration, at: context)
    }
  }

  private func step(_ declaration: StepDeclaration, at around: ExpressionContext) -> CheckedStep? {
    let reader = declaration.reader
    var context = around
    let condition = condition(reader, &context)
    if case .group(let group) = declaration.use {
      var checked = self.group(group, declaration, if: condition, at: context)
      checked?.setUndo(undo(of: declaration, at: context))
      return checked
    }
    let input = input(declaration, at: context)
    var judged = context
    judged.roots.insert(.output)
    judged.output = declaration.output
    judged.judgesExitCodes = declaration.judgesExitCodes
    let isJudged = declaration.output != nil
    let expectations = isJudged ? expectations(reader, at: judged) : []
    let until = isJudged ? until(reader, at: judged) : nil
    let retry = retry(reader)
    checkRepetition(declaration)
    let timeout = reader.duration(.timeout)
    let title = title(reader)
    let body: StepBody
    let (judges, inner): (Bool, [CheckedStep])
    let template = input ?? .literal(.members([]))
    switch declaration.use {
    case .module(let module):
      body = .call(
        ModuleCall(
          module: module, input: template, until: until, expectations: expectations, retry: retry,
          timeout: timeout ?? module.deadline, claimsToObserve: declaration.claimsToObserve,
          programRange: declaration.programRange))
      (judges, inner) = (module.judges, [])
    case .check(let check):
      checkEffects(of: check.steps, declaration)
      let tries = Tries(until: until, retry: retry, timeout: timeout)
      body = .check(check.planned(input: template, expectations: expectations, tries: tries))
      (judges, inner) = (check.asserts, check.steps)
    case .question(let question):
      body = .ask(
        Question(
          question.kind, input: template, fields: question.fields, approvers: question.approvers,
          timeout: timeout ?? .zero, expectations: expectations))
      (judges, inner) = (question.kind != .form, [])
    case .group, .unknown: return nil
    }
    let step = PlannedStep(
      id: declaration.id, title: title?.literal?.plainText ?? declaration.id, condition: condition,
      onFailure: declaration.onFailure, isDiagnostic: declaration.isDiagnostic, range: declaration.range, body: body)
    // What was written counts, also if it could not be compiled: that has been reported.
    let asserts =
      declaration.hasUnreadDiagnostic
      || (!declaration.isDiagnostic && (judges || reader[.expect] != nil || reader[.until] != nil))
    var checked = CheckedStep(
      step: step, title: title?.literal == nil ? title : nil, doc: reader.prose(.doc), asserts: asserts,
      usedSteps: compiler.takeSteps(), inner: inner)
    checked.setUndo(undo(of: declaration, at: context))
    return checked
  }

  /// The undo of a step, which is done only if the step began: what its `if` makes known holds there, too.
  private func undo(of declaration: StepDeclaration, at context: ExpressionContext) -> [CheckedStep] {
    guard let first = declaration.undo.first.flatMap({ compiler.names.index(ofStep: $0.id) }) else { return [] }
    var context = context
    context.stages = StagePlace(stage: .undo, before: first..<first, takenBack: context.position)
    return steps(declaration.undo, from: context)
  }

  /// Reads `retry`, and reports `until` without it.
  func retry(_ reader: MappingReader<StepKey>) -> RetryPolicy? {
    if let range = reader.keyRange(.until), reader[.retry] == nil {
      log.error(
        "until-without-retry", "\"until\" needs \"retry\", which says how often to try", at: range,
        suggestion: "retry: {times: 10, backoff: 1s}")
    }
    return reader[.retry].flatMap { RetryPolicy($0, log: log) }
  }

  private func title(_ reader: MappingReader<StepKey>) -> Template? { title(reader[.title]) }

  func title(_ node: YAMLNode?) -> Template? {
    guard let node else { return nil }
    let expressions: ValueDecoder.Expressions =
      titleRoots.isEmpty ? .refused : .compiled(compiler, at: ExpressionContext(roots: titleRoots))
    return ValueDecoder(log: log, expressions: expressions).template(node, as: .string)
  }

  private func input(_ declaration: StepDeclaration, at context: ExpressionContext) -> Template? {
    let type: Schema.RecordType
    switch declaration.use {
    case .module(let module): type = module.input
    case .check(let check): type = check.inputType
    case .group: return nil
    case .question(let question): return self.question(question, at: context)
    case .unknown:
      // Its expressions are compiled all the same, for their problems and for the names they use.
      if let node = declaration.reader[.with] {
        var context = context
        context.hasUnknownPurpose = true
        _ = ValueDecoder(log: log, expressions: .compiled(compiler, at: context)).template(node, as: .any)
      }
      return nil
    }
    var context = context
    context.secretAdvice = type.secretAdvice(of: declaration.useName)
    let decoder = ValueDecoder(log: log, expressions: .compiled(compiler, at: context))
    switch declaration.reader[.with] {
    case .mapping(let mapping)?: return decoder.members(mapping, of: type, subject: declaration.useName)
    case .refused?: return nil
    case nil:
      let empty = YAMLNode.Mapping(entries: [], range: declaration.reader.keyRange(.use) ?? declaration.range)
      return decoder.members(empty, of: type, subject: declaration.useName)
    case let node?:
      log.error("type-mismatch", "expected a mapping for \"with\", found \(node.kind)", at: node.range)
      return nil
    }
  }

  /// Reports `until` and `retry` where the module is never begun twice: they would be there in vain.
  private func checkRepetition(_ declaration: StepDeclaration) {
    guard case .module(let module) = declaration.use, module.repetition == .atMostOnce, !declaration.claimsToObserve
    else { return }
    let advice = module.mayOnlyObserve ? "if it only reads, declare effect: observe" : nil
    if let range = declaration.reader.keyRange(.until) {
      log.error(
        "until-at-most-once", "\(module.name) is never begun twice, so that nothing can be waited for", at: range,
        suggestion: advice)
    } else if let range = declaration.reader.keyRange(.retry) {
      log.warning(
        "retry-at-most-once", "\(module.name) is repeated only if nothing was begun", at: range,
        suggestion: advice)
    }
  }

  // MARK: Conditions

  /// Reads `if`, and puts what it makes known into the place of the rest of the step.
  private func condition(_ reader: MappingReader<StepKey>, _ context: inout ExpressionContext) -> Expression? {
    guard let node = reader[.if],
      let compiled = compiler.expression(node, of: "\"if\"", as: .bool, at: context)
    else { return nil }
    context.known.formUnion(KnownPaths.when(compiled.program.parsed.root, is: true))
    switch compiled.program.constantValue {
    case .bool(false)?:
      log.error(
        "unreachable-step", "the condition is never true: the step is never run", at: compiled.whole,
        suggestion: "mend the condition, or remove the step")
    case .some: log.warning("constant-condition", "the condition is always true", at: compiled.whole)
    case nil: break
    }
    return compiled.expression(.bool)
  }

  func until(_ reader: MappingReader<StepKey>, at context: ExpressionContext) -> Expression? {
    guard let node = reader[.until],
      let compiled = compiler.expression(node, of: "\"until\"", as: .bool, at: context)
    else { return nil }
    if compiled.program.constantValue != nil {
      log.error(
        "constant-condition", "this condition is constant: no try can change it", at: compiled.whole,
        suggestion: "compare what a try gives: output.…")
    }
    return compiled.expression(.bool)
  }

  func expectations(_ reader: MappingReader<StepKey>, at context: ExpressionContext) -> [Expectation] {
    guard let elements = reader[.expect]?.elements("\"expect\"", log: log) else { return [] }
    if elements.isEmpty, let node = reader[.expect] {
      log.error(
        "missing-value", "\"expect\" is empty", at: node.range, suggestion: "write a condition, or leave \"expect\" out"
      )
    }
    return elements.compactMap { expectation($0, at: context) }
  }

  private func expectation(_ node: YAMLNode, at context: ExpressionContext) -> Expectation? {
    var condition = node
    var severity = JudgedExpectation.Severity.fail
    var message: Template?
    if case .mapping(let mapping) = node, mapping[ExpectationKey.that.name] != nil {
      guard let reader = MappingReader<ExpectationKey>(node, subject: "an expectation", log: log),
        let that = reader[.that]
      else { return nil }
      condition = that
      severity = reader.choice(.severity) ?? .fail
      message = reader[.message].flatMap {
        ValueDecoder(log: log, expressions: .compiled(compiler, at: context)).template($0, as: .string)
      }
    }
    guard let compiled = compiler.expression(condition, of: "an expectation", as: .bool, at: context) else {
      return nil
    }
    if let value = compiled.program.constantValue {
      log.error(
        "constant-expectation",
        "this expectation is constant: it can never \(value == .bool(true) ? "fail" : "hold")", at: compiled.whole,
        suggestion: "compare what the step found: output.…")
    }
    return Expectation(that: compiled.expression(.bool), severity: severity, message: message)
  }
}

extension Schema.RecordType {
  /// Which fields take a secret.
  fileprivate func secretAdvice(of use: String) -> String {
    let names = fields.filter { $0.type.holdsSecret && !$0.type.isServer }.map { "\"\($0.name)\"" }
    return names.isEmpty ? "\(use) takes no secret" : "bind it to \(names.joined(separator: " or ")) of \(use)"
  }
}
