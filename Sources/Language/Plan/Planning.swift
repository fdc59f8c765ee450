internal import Journal
package import Schema
package import Steps

extension Project {
  /// Reads and checks a runbook, or `checks/NAME`, and all that it uses.
  package func document(_ name: String, catalog: Catalog) -> CheckedDocument {
    let log = IssueLog()
    var content = CheckedDocument.Content.unreadable
    if name.hasPrefix("checks/") {
      let check = String(name.dropFirst("checks/".count))
      if isKnown(check, .check, log), let check = compiler(catalog, log).check(check) { content = .check(check) }
    } else if isKnown(name, .runbook, log), let runbook = compiler(catalog, log).runbook(name) {
      content = .runbook(runbook)
    }
    return CheckedDocument(project: self, name: name, content: content, issues: log.sorted)
  }

  func compiler(_ catalog: Catalog, _ log: IssueLog) -> DocumentCompiler {
    let sources = targets.flatMap { [$0.credential, $0.secret] }
    var hidden = Set(sources.compactMap { $0?.environmentName } + channels.flatMap(\.secretNames))
    // Whether a document is right must not depend on what happens to be set.
    if !declaresTargets { hidden.formUnion(TargetDeclaration.defaultSecretNames) }
    return DocumentCompiler(
      files: files, catalog: catalog, services: services, hiddenEnvironment: hidden, log: log)
  }

  fileprivate func plan(
    _ runbook: CheckedRunbook, _ given: GivenParameters, _ target: TURNServer?, _ only: [String]?, _ log: IssueLog
  ) -> Plan? {
    let name = runbook.name
    let place = SourceRange(file: files.path(.runbook, name), line: 1, column: 1)
    let stages = runbook.stages
    let steps = chosen(only, of: runbook, log)
    if runbook.usesTarget, target == nil { log.report(noTarget.all) }
    let values = given.values(of: runbook.params, subject: "the runbook", log: log)
    let visible = environment.filter { !runbook.hiddenEnvironment.contains($0.key) }
    let params = params(runbook.params, values, visible, "the runbook", at: place, log)
    var secrets: [String: Secret] = [:]
    for declaration in runbook.secrets where !(declaration.isOptional && isAbsent(declaration.source)) {
      secrets[declaration.name] = declaration.source.secret(environment, root: root, log: log)
    }
    var readableNames = readableNames
    readableNames?.warn(of: runbook.secrets.compactMap(\.source.environmentName), log: log)
    guard !log.hasErrors else { return nil }
    var scope = Scope()
    scope.params = .members(params)
    scope.target = target
    scope.secrets = secrets
    var known = KnownInputs(scope: scope, log: log)
    let files = [stages.hypothesis, steps.flatMap(\.withUndo), stages.finally].flatMap { known.check($0.map(\.step)) }
    var locks = LockNames(log: log)
    locks.add(runbook.lock, in: scope)
    locks.add(of: (stages.hypothesis + steps + stages.finally).map(\.step), in: scope)
    func titled(_ steps: [CheckedStep]) -> [PlannedStep] {
      steps.map { $0.step(titled: { title($0.title, scope, log) ?? $0.step.title }) }
    }
    var plan = Plan(
      name: name, title: title(runbook.title, scope, log) ?? name, severity: runbook.severity, params: params,
      paramTypes: types(of: runbook.params), target: target, secrets: secrets, timeout: runbook.timeout,
      locks: locks.names, alert: runbook.alert,
      hypothesis: titled(stages.hypothesis), steps: titled(steps), rollback: runbook.rollback,
      finally: titled(stages.finally), sources: ownSources + runbook.sources, givenFiles: files.given(by: values))
    plan.confirm = title(runbook.confirm, scope, log)
    return plan
  }

  /// `runbook.yaml` as it was read.
  private var ownSources: [RunSource] { description.map { [RunSource(path: "runbook.yaml", bytes: $0)] } ?? [] }

  private func types(of parameters: [Parameter]) -> [String: ValueType] {
    Dictionary(
      parameters.map { ($0.declaration.name, $0.declaration.type.shape) }, uniquingKeysWith: { first, _ in first })
  }

  /// The steps that were asked for, in the runbook's order. Reports ids that are not there, and steps that are needed by
  /// one that was asked for and are not among them.
  private func chosen(_ only: [String]?, of runbook: CheckedRunbook, _ log: IssueLog) -> [CheckedStep] {
    let steps = runbook.stages.steps
    guard let only else { return steps }
    let place = SourceRange(file: "--only", line: 1, column: 1)
    if !runbook.stages.hypothesis.isEmpty || runbook.rollback == .onFailure {
      let part = runbook.stages.hypothesis.isEmpty ? "rolls back" : "has a hypothesis"
      log.error(
        "only-part", "the runbook \(part): what it promises holds only if it is run whole", at: place,
        suggestion: "leave --only out")
      return steps
    }
    let ids = steps.flatMap(\.choices)
    for id in only where !ids.contains(id) {
      let near = nearName(to: id, among: ids)
      log.error(
        "unknown-step", "the runbook has no step \"\(id)\"", at: place,
        meant: near, suggestion: "it has \(ids.joined(separator: ", "))")
    }
    let chosen = steps.compactMap { $0.chosen(only) }
    for step in chosen + runbook.stages.finally {
      for used in step.usedSteps.sorted() where !only.contains(used) {
        guard let owner = steps.first(where: { $0.step.id == used || $0.innerIDs.contains(used) }),
          owner.step.id != step.step.id, !only.contains(owner.step.id)
        else { continue }
        log.error(
          "unknown-step", "the step \"\(step.step.id)\" uses the result of \"\(used)\", which was not asked for",
          at: place, suggestion: "add --only \(owner.choices.contains(used) ? used : owner.step.id)")
      }
    }
    if !chosen.isEmpty, !chosen.contains(where: \.asserts) {
      log.error(
        "nothing-asserted", "none of these steps judges anything", at: place,
        suggestion: "choose a step that has \"expect\"")
    }
    return chosen
  }

  /// A title, or other text that is known before the run, with its expressions evaluated; nil if it has none, or where one fails, which is reported.
  private func title(_ template: Template?, _ scope: Scope, _ log: IssueLog) -> String? {
    guard let template else { return nil }
    do { return try template.value(in: scope).plainText } catch {
      log.error("no-value", error.message, at: error.range)
      return nil
    }
  }

  /// True if an optional secret is simply not there, rather than unreadable.
  func isAbsent(_ source: SecretSource) -> Bool {
    switch source.place {
    case .environment(let name): return environment[name, default: ""].isEmpty
    case .file(let path): return fileMode(path.hasPrefix("/") ? path : "\(root)/\(path)") == nil
    case .credential(let name):
      guard let folder = environment["CREDENTIALS_DIRECTORY"] else { return true }
      return fileMode("\(folder)/\(name)") == nil
    }
  }

  /// The values of parameters in declared order: what was given, else the default, evaluated now.
  private func params(
    _ parameters: [Parameter], _ given: [String: Value], _ environment: [String: String], _ subject: String,
    at place: SourceRange, _ log: IssueLog
  ) -> [Value.Member] {
    var scope = Scope()
    scope.environment = .members(environment.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })
    return parameters.compactMap { parameter in
      let name = parameter.declaration.name
      if let value = given[name] { return Value.Member(name, value) }
      if let template = parameter.computedDefault {
        if let value = value(of: template, parameter, scope, log) { return Value.Member(name, value) }
      } else if let fallback = parameter.declaration.fallback {
        return Value.Member(name, fallback)
      } else if !log.issues.contains(where: { $0.range.file == "-p \(name)" }) {
        log.error(
          "missing-param", "\(subject) needs the param \"\(name)\": \(parameter.declaration.type.article)",
          at: parameter.range, suggestion: "give it with -p \(name)=…")
      }
      return nil
    }
  }

  private func value(of template: Template, _ parameter: Parameter, _ scope: Scope, _ log: IssueLog) -> Value? {
    let name = parameter.declaration.name
    func report(_ message: String, at range: SourceRange) {
      log.error(
        "no-value", "the default of the param \"\(name)\" has no value: \(message)", at: range,
        suggestion: "give it with -p \(name)=…")
    }
    let value: Value
    do { value = try template.value(in: scope) } catch {
      report(error.message, at: error.range)
      return nil
    }
    do { return try parameter.declaration.type.admit(value) } catch {
      report(error.message, at: parameter.range)
      return nil
    }
  }

  /// Reports a name that no file has.
  func isKnown(_ name: String, _ kind: ProjectFiles.Kind, _ log: IssueLog) -> Bool {
    if isDocumentName(name), files.exists(files.path(kind, name)) { return true }
    let names = files.names(kind)
    let prefix = kind == .check ? "checks/" : ""
    // People complete file names on the command line.
    var meant = name.hasPrefix("\(kind.folder)/") ? String(name.dropFirst(kind.folder.count + 1)) : name
    if meant.hasSuffix(".yaml") { meant.removeLast(5) }
    let nearest = names.contains(meant) ? meant : nearName(to: meant, among: names)
    let isCheck = kind == .runbook && files.names(.check).contains(meant)
    let near = isCheck ? "checks/\(meant)" : nearest.map { prefix + $0 }
    let list =
      names.isEmpty ? "there are none in \(files.root)/\(kind.folder)" : "there are \(names.joined(separator: ", "))"
    log.error(
      "unknown-\(kind.rawValue)", "there is no \(kind.rawValue) \"\(name)\"",
      at: SourceRange(file: files.path(kind, name), line: 1, column: 1), meant: near, suggestion: list)
    return false
  }

  // MARK: A check by itself

  fileprivate func plan(
    _ check: CheckedCheck, _ given: GivenParameters, _ target: TURNServer?, _ only: [String]?, _ log: IssueLog
  ) -> Plan? {
    let name = check.name
    if only != nil {
      let place = SourceRange(file: "--only", line: 1, column: 1)
      log.error(
        "unknown-step", "a check is run whole; only a runbook's steps can be chosen", at: place,
        suggestion: "leave --only out")
    }
    let place = SourceRange(file: files.path(.check, name), line: 1, column: 1)
    for input in check.inputs where input.declaration.type.isPlainSecret && input.isRequired {
      log.error(
        "secret-parameter", "the input \"\(input.declaration.name)\" is secret, and cannot be given by hand",
        at: input.range, suggestion: "use the check from a runbook that declares the secret")
    }
    let plain = check.inputs.filter { !$0.declaration.type.isPlainSecret }
    var values = given.values(of: plain, subject: "the check", log: log)
    for input in check.inputs where input.declaration.type.isServer && values[input.declaration.name] == nil {
      if let target {
        values[input.declaration.name] = TURNServer.record.encode(target)
      } else if input.isRequired {
        log.report(noTarget.all)
        return nil
      }
    }
    let inputs = params(check.inputs, values, [:], "the check", at: place, log)
    guard !log.hasErrors else { return nil }
    let step = PlannedStep(
      id: identifier(name), title: check.title, condition: nil, onFailure: .stop, isDiagnostic: false, range: place,
      body: .check(check.planned(input: .literal(.members(inputs)))))
    var known = KnownInputs(scope: Scope(), log: log)
    let files = known.check([step])
    var locks = LockNames(log: log)
    locks.add(of: [step], in: Scope())
    return Plan(
      name: "checks/\(name)", title: check.title, severity: nil,
      params: inputs.filter { !$0.value.holdsSecret }, paramTypes: types(of: check.inputs), target: target,
      secrets: [:], timeout: nil, locks: locks.names,
      steps: [step], sources: ownSources + check.sources, givenFiles: files.given(by: values))
  }

  /// `turn-relay` as the id of a step: `turnRelay`.
  private func identifier(_ name: String) -> String {
    let parts = name.split(separator: "-")
    let id = parts.prefix(1).joined() + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    return isIdentifier(id) ? id : "check"
  }
}

extension CheckedDocument {
  /// The document with every value that can be known: ready to be driven.
  ///
  /// - Parameters:
  ///   - target: one of ``Project/targets(selectedBy:)``, or a server of the lab; nil if none is selected.
  ///   - only: ids of the runbook's steps to keep; nil for all. Steps whose results they use must be among them.
  ///   - warn: is told of what does not keep the plan from being made.
  /// Throws every problem of the document, of the values given, and of secrets that are missing.
  package func plan(
    given: GivenParameters = GivenParameters(), target: TURNServer? = nil, only: [String]? = nil,
    warn: (Issue) -> Void = { _ in }
  ) throws(Issues) -> Plan {
    let log = IssueLog()
    log.report(issues)
    let plan: Plan? =
      switch content {
      case .runbook(let runbook): project.plan(runbook, given, target, only, log)
      case .check(let check): project.plan(check, given, target, only, log)
      case .unreadable: nil
      }
    // Who cannot be told of a failure hears of it before anything runs.
    if let plan {
      let isNeeded = (plan.hypothesis + plan.steps + plan.finally).need(.channels)
      if isNeeded, project.channels.isEmpty { log.report(noChannel.all) }
      if isNeeded || plan.alert != nil { _ = project.channelRoutes(log: log) }
    }
    guard let plan, !log.hasErrors else { throw Issues(log.sorted) }
    for issue in project.warnings + log.sorted { warn(issue) }
    return plan
  }
}

extension CheckedDocument {
  /// What to say where people are to be told and the project has no channel.
  private var noChannel: Issues {
    Issues([
      Issue(
        .error, "missing-channel", "\(name) tells people, and the project has no channel",
        at: SourceRange(file: "runbook.yaml", line: 1, column: 1),
        suggestion: "declare channels in runbook.yaml, such as log: {kind: file, path: notices.jsonl}")
    ])
  }
}

extension ValueType {
  fileprivate var isPlainSecret: Bool {
    switch self {
    case .secret: true
    case .optional(let wrapped): wrapped.isPlainSecret
    default: false
    }
  }

  /// True for a turn-server, optional or not.
  var isServer: Bool {
    switch self {
    case .turnServer: true
    case .optional(let wrapped): wrapped.isServer
    default: false
    }
  }
}
