internal import Journal
internal import Schema

/// Reads and checks one check.
struct CheckCompiler {
  private let reader: MappingReader
  private let name: String
  private let source: SourceFile
  private let documents: DocumentCompiler
  private var log: IssueLog { documents.log }

  static let keys = KeyTable(
    known: ["check", "title", "doc", "inputs", "outputs", "timeout", "steps"], required: ["check", "steps"],
    unsupported: ["lock"])

  init(_ reader: MappingReader, name: String, source: SourceFile, documents: DocumentCompiler) {
    self.reader = reader
    self.name = name
    self.source = source
    self.documents = documents
  }

  func check() -> CheckedCheck? {
    let title = reader.text("title") ?? name
    let doc = reader.prose("doc")
    let inputReader = ParameterReader(log: log, subject: "inputs", admitsSecrets: true, compiler: nil)
    let inputs = reader["inputs"].map(inputReader.parameters) ?? []
    let declarations = stepDeclarations(reader, documents)
    var names = DocumentNames()
    names.inputs = RecordType(fields: inputs.map(\.declaration))
    for declaration in declarations { names.add(declaration.name) }
    let compiler = ExpressionCompiler(names: names, log: log)
    let roots: Set<Root> = [.inputs, .steps, .run]
    let steps = StepCompiler(compiler: compiler, log: log, roots: roots, titleRoots: []).steps(declarations)
    let outputs = outputs(compiler, Place(roots: roots, stepsBefore: declarations.count))
    let timeout = reader.duration("timeout")
    if steps.count == declarations.count, compiler.isComplete {
      for input in inputs where !compiler.uses.inputs.contains(input.declaration.name) {
        log.error("unused-input", "nothing uses the input \"\(input.declaration.name)\"", at: input.range)
      }
    }
    guard !steps.isEmpty || !outputs.isEmpty else { return nil }
    return CheckedCheck(
      name: name, title: title, doc: doc, inputs: inputs, outputs: outputs, steps: steps,
      timeout: timeout ?? steps.reduce(.zero) { $0 + $1.step.longest }, asserts: steps.contains(where: \.asserts),
      sources: [source] + innerSources(declarations))
  }

  private static let outputKeys = KeyTable(known: ["type", "value", "doc"], required: ["type", "value"])

  private func outputs(_ compiler: ExpressionCompiler, _ place: Place) -> [PlannedCheck.Output] {
    guard let node = reader["outputs"] else { return [] }
    guard case .mapping(let mapping) = node else {
      if case .refused = node { return [] }
      log.error("type-mismatch", "expected a mapping for outputs, found \(node.kind)", at: node.range)
      return []
    }
    return mapping.entries.compactMap { output($0.key, $0.value, compiler, place) }
  }

  private func output(_ name: Node.Scalar, _ node: Node, _ compiler: ExpressionCompiler, _ place: Place)
    -> PlannedCheck.Output?
  {
    reportName(name, log: log)
    guard let reader = MappingReader(node, subject: "the output \"\(name.text)\"", Self.outputKeys, log: log),
      let type = reader["type"]?.declaredType(log: log), let value = reader["value"],
      let compiled = compiler.expression(value, of: "the output \"\(name.text)\"", as: type, at: place)
    else { return nil }
    var declaration = FieldDeclaration(name: name.text, type: type, summary: reader.prose("doc") ?? "")
    if case .optional = type { declaration.fallback = .null }
    return PlannedCheck.Output(declaration: declaration, value: compiled.expression(type))
  }
}

/// Reads `steps` of a runbook or check as far as that goes without expressions.
func stepDeclarations(_ reader: MappingReader, _ documents: DocumentCompiler) -> [StepDeclaration] {
  guard let node = reader["steps"], let elements = node.elements("\"steps\"", log: documents.log) else { return [] }
  if elements.isEmpty { documents.log.error("missing-value", "\"steps\" holds no step", at: node.range) }
  var ids: [String: Int] = [:]
  return elements.compactMap { StepDeclaration($0, ids: &ids, documents: documents) }
}

/// The files of the checks that steps use, each once.
func innerSources(_ declarations: [StepDeclaration]) -> [SourceFile] {
  var sources: [SourceFile] = []
  for declaration in declarations {
    guard case .check(let check) = declaration.use else { continue }
    for source in check.sources where !sources.contains(where: { $0.path == source.path }) { sources.append(source) }
  }
  return sources
}

extension PlannedStep {
  /// The longest that the step may take, all its tries and waits together.
  var longest: Duration { retry?.longest(trying: timeout) ?? timeout }
}
