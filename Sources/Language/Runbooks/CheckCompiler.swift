internal import Journal
internal import Schema

/// Reads and checks one check.
struct CheckCompiler {
  private let reader: MappingReader<CheckKey>
  private let name: String
  private let source: RunSource
  private let documents: DocumentCompiler
  private var log: IssueLog { documents.log }

  init(_ reader: MappingReader<CheckKey>, name: String, source: RunSource, documents: DocumentCompiler) {
    self.reader = reader
    self.name = name
    self.source = source
    self.documents = documents
  }

  /// Checks use checks, so that what is on the stack here is there once for each level: the rest is work of others.
  func check() -> CheckedCheck? {
    var ids: [String: Int] = [:]
    return check(stepDeclarations(reader[.steps], ids: &ids, documents))
  }

  @inline(never)
  private func check(_ declarations: [StepDeclaration]) -> CheckedCheck? {
    let title = reader.text(.title) ?? name
    let doc = reader.prose(.doc)
    let inputReader = ParameterReader(log: log, subject: "inputs", admitsSecrets: true, compiler: nil)
    let inputs = reader[.inputs].map(inputReader.parameters) ?? []
    var names = DocumentNames()
    names.inputs = RecordType(fields: inputs.map(\.declaration))
    names.add(declarations)
    let compiler = ExpressionCompiler(names: names, log: log)
    let roots: Set<Root> = [.inputs, .steps]
    let steps = StepCompiler(compiler: compiler, log: log, roots: roots, titleRoots: []).steps(declarations)
    let lock = reader.lock(.lock, compiler, roots: [.inputs])
    steps.reportUnknownLocks(log: log)
    let isTooLarge = steps.expandedCount.reportTooManySteps(
      of: "the check", at: reader.keyRange(.steps) ?? reader.range, log: log)
    guard !isTooLarge else { return nil }
    let (outputs, outputType) = outputs(compiler, ExpressionContext(roots: roots, stepsBefore: names.steps.count))
    if steps.count == declarations.count, compiler.isComplete {
      for input in inputs
      where !input.isReported && isIdentifier(input.declaration.name)
        && !compiler.uses.inputs.contains(input.declaration.name)
      {
        log.error(
          "unused-input", "nothing uses the input \"\(input.declaration.name)\"", at: input.range,
          suggestion: "use it as inputs.\(input.declaration.name), or remove it")
      }
      steps.reportIdle(usedByOutputs: compiler.takeSteps(), log: log)
    }
    guard !steps.isEmpty || !outputs.isEmpty else { return nil }
    return CheckedCheck(
      name: name, title: title, doc: doc, inputs: inputs, outputs: outputs, outputType: outputType, steps: steps,
      lock: lock, timeout: steps.reduce(.zero) { $0 + $1.step.longest }, asserts: steps.contains(where: \.asserts),
      sources: [source] + innerSources(declarations))
  }

  private func outputs(_ compiler: ExpressionCompiler, _ context: ExpressionContext) -> ([CheckCall.Output], RecordType)
  {
    var outputs: [CheckCall.Output] = []
    var fields: [FieldDeclaration] = []
    switch reader[.outputs] {
    case nil, .refused?: break
    case .mapping(let mapping)?:
      for entry in mapping.entries {
        let (field, value) = output(entry.key, entry.value, compiler, context)
        if let field { fields.append(field) }
        if let field, let value { outputs.append(CheckCall.Output(declaration: field, value: value)) }
      }
    case let node?:
      log.error("type-mismatch", "expected a mapping for outputs, found \(node.kind)", at: node.range)
    }
    return (outputs, RecordType(fields: fields))
  }

  private func output(
    _ name: YAMLNode.Scalar, _ node: YAMLNode, _ compiler: ExpressionCompiler, _ context: ExpressionContext
  )
    -> (FieldDeclaration?, Expression?)
  {
    reportName(name, log: log)
    guard let reader = MappingReader<OutputKey>(node, subject: "the output \"\(name.text)\"", log: log),
      let type = reader[.type]?.declaredType(log: log)
    else { return (nil, nil) }
    var field = FieldDeclaration(name: name.text, type: type, summary: reader.prose(.doc) ?? "")
    if case .optional = type { field.fallback = .null }
    let value = reader[.value].flatMap {
      compiler.expression($0, of: "the output \"\(name.text)\"", as: type, at: context)
    }
    return (field, value?.expression(type))
  }
}

/// Reads the steps behind a key of a runbook or check as far as that goes without expressions.
///
/// - Parameters:
///   - ids: those of the file so far, with their lines.
///   - mayUndo: whether the steps may have an undo.
func stepDeclarations(
  _ node: YAMLNode?, key: String = "steps", ids: inout [String: Int], mayUndo: Bool = false,
  _ documents: DocumentCompiler
) -> [StepDeclaration] {
  guard let node, let elements = node.elements("\"\(key)\"", log: documents.log) else { return [] }
  if elements.isEmpty {
    documents.log.error(
      "missing-value", "\"\(key)\" is empty", at: node.range,
      suggestion: "add a step: - {id: NAME, use: MODULE}")
  }
  return elements.compactMap { element in
    guard var step = StepDeclaration(element, ids: &ids, documents: documents) else { return nil }
    step.readUndo(ids: &ids, mayUndo: mayUndo, documents)
    return step
  }
}

/// The files of the checks that steps use, each once.
func innerSources(_ declarations: [StepDeclaration]) -> [RunSource] {
  var sources: [RunSource] = []
  for declaration in declarations.flatMap({ [$0] + $0.undo }) {
    let found: [RunSource]
    if case .check(let check) = declaration.use {
      found = check.sources
    } else {
      found = innerSources(declaration.inner)
    }
    for source in found where !sources.contains(where: { $0.path == source.path }) { sources.append(source) }
  }
  return sources
}
