internal import Journal
internal import Schedules
internal import Schema
internal import Steps

/// Reads and checks one runbook.
struct RunbookCompiler {
  private let reader: MappingReader<RunbookKey>
  private let name: String
  private let source: RunSource
  private let documents: DocumentCompiler
  private var log: IssueLog { documents.log }

  init(_ reader: MappingReader<RunbookKey>, name: String, source: RunSource, documents: DocumentCompiler) {
    self.reader = reader
    self.name = name
    self.source = source
    self.documents = documents
  }

  func runbook() -> CheckedRunbook? {
    let severity = reader.text(.severity)
    let secrets = reader[.secrets].map { SecretDeclaration.all($0, log: log) } ?? []
    let hidden = documents.hiddenEnvironment.union(secrets.compactMap(\.source.environmentName))
    let params = params(hidden)
    let declarations = StageDeclarations(reader, documents)
    var names = DocumentNames()
    names.params = RecordType(fields: params.map(\.declaration))
    names.hasTarget = true
    names.secrets = Dictionary(secrets.map { ($0.name, $0.isOptional) }, uniquingKeysWith: { first, _ in first })
    declarations.addNames(to: &names)
    let compiler = ExpressionCompiler(names: names, log: log)
    let early: Set<Root> = [.params, .target]
    let title = earlyText(.title, early, compiler)
    let confirm = earlyText(.confirm, early, compiler)
    if case .string(let text)? = confirm?.literal, text.allSatisfy(\.isWhitespace), let node = reader[.confirm] {
      log.error(
        "missing-value", "\"confirm\" asks nothing", at: node.range,
        suggestion: "confirm: \"Restart coturn?\", or leave \"confirm\" out")
    }
    let lock = reader.lock(.lock, compiler, roots: early)
    let stages = declarations.compiled(compiler, titleRoots: early, log: log)
    let isTooLarge = stages.expandedCount.reportTooManySteps(
      of: "the runbook", at: reader.keyRange(.steps) ?? reader.range, log: log)
    guard !isTooLarge else { return nil }
    let allow = allowed()
    checkEffects(stages.all, declarations.all, allow)
    stages.checkQuestions(log: log)
    stages.all.reportUnknownLocks(log: log)
    stages.checkRollback(declarations, at: reader[.rollback]?.range, log: log)
    if stages.all.count == declarations.all.count, !declarations.steps.isEmpty, compiler.isComplete {
      reportUnused(params, secrets, compiler.uses)
      stages.checkHypothesis(at: reader.keyRange(.hypothesis), log: log)
      if !declarations.hypothesis.isEmpty || stages.steps.contains(where: \.asserts) {
        stages.all.reportIdle(log: log)
      } else {
        reportNothingAsserted()
      }
    }
    return CheckedRunbook(
      name: name, title: title, confirm: confirm, doc: reader.prose(.doc), severity: severity,
      owner: reader.prose(.owner), params: params, secrets: secrets, lock: lock, timeout: reader.duration(.timeout),
      period: reader.period(), alert: reader.alert(), stages: stages,
      rollback: declarations.rollback, hiddenEnvironment: hidden, usesTarget: compiler.uses.usesTarget,
      sources: [source] + innerSources(declarations.all))
  }

  /// Text in which what is known before the run may be used.
  private func earlyText(_ key: RunbookKey, _ roots: Set<Root>, _ compiler: ExpressionCompiler) -> Template? {
    reader[key].flatMap {
      ValueDecoder(log: log, expressions: .compiled(compiler, at: ExpressionContext(roots: roots))).template(
        $0, as: .string)
    }
  }

  private func params(_ hidden: Set<String>) -> [Parameter] {
    guard let node = reader[.params] else { return [] }
    var names = DocumentNames()
    names.hiddenEnvironment = hidden
    let compiler = ExpressionCompiler(names: names, log: log)
    return ParameterReader(log: log, subject: "params", admitsSecrets: false, compiler: compiler).parameters(node)
  }

  /// The effects that the runbook may have: those of `allow`. Reading and `record` are always among them.
  private func allowed() -> Set<Effect> {
    guard case .list(let values) = reader.literal(.allow) else { return [.observe, .record] }
    return Set(values.compactMap { Effect(rawValue: $0.plainText) }).union([.observe, .record])
  }

  private func checkEffects(_ steps: [CheckedStep], _ declarations: [StepDeclaration], _ allow: Set<Effect>) {
    let readers = Dictionary(declarations.map { ($0.id, $0.reader) }, uniquingKeysWith: { first, _ in first })
    for checked in steps {
      var reported: Set<Effect> = []
      for (effect, use) in checked.effects where !allow.contains(effect) && reported.insert(effect).inserted {
        let inside = use == checked.step.use ? "" : " (in \(checked.step.use))"
        let mayClaim = if case .call(let call) = checked.step.body { call.module.mayOnlyObserve } else { false }
        let names = Effect.allCases.filter { allow.contains($0) || $0 == effect }.filter { $0 != .record }
        log.error(
          "effect-not-allowed",
          "\(use)\(inside) has the effect \"\(effect.rawValue)\", which the runbook does not allow",
          at: readers[checked.step.id]?[.use]?.range ?? checked.step.range,
          suggestion: "allow: [\(names.map(\.rawValue).joined(separator: ", "))]"
            + (mayClaim ? ", or effect: observe on the step, if it only reads" : ""))
      }
    }
  }

  private func reportUnused(_ params: [Parameter], _ secrets: [SecretDeclaration], _ uses: Dependencies) {
    for param in params
    where !param.isReported && isIdentifier(param.declaration.name) && !uses.params.contains(param.declaration.name) {
      log.error(
        "unused-param", "nothing uses the param \"\(param.declaration.name)\"", at: param.range,
        suggestion: "use it as params.\(param.declaration.name), or remove it")
    }
    for secret in secrets where !uses.secrets.contains(secret.name) {
      log.warning(
        "unused-secret", "nothing uses the secret \"\(secret.name)\"", at: secret.range,
        suggestion: "use it as secrets.\(secret.name), or remove it")
    }
  }

  private func reportNothingAsserted() {
    log.error(
      "nothing-asserted", "no step judges anything: the runbook would pass whatever it finds",
      at: reader.keyRange(.steps) ?? reader.range,
      suggestion: "add \"expect\" to a step that counts")
  }
}
