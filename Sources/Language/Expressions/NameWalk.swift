internal import CEL
internal import Journal
internal import Schema

/// Looks at every name of an expression before its types are checked: whether it may be used in its place, whether what
/// it names has surely been evaluated and surely has a value, and whether it leads to a secret.
struct NameWalk {
  private let names: DocumentNames
  private let context: ExpressionContext
  private(set) var reports: [NameProblem] = []
  /// What the expression names, also in places that it may not.
  private(set) var dependencies = Dependencies()
  /// Where the expression reads a secret, and the type of that.
  private(set) var secrets: [(range: CELSourceRange, type: ValueType)] = []

  struct NameProblem {
    var code: String
    var message: String
    var range: CELSourceRange
    /// The name that most likely belongs at the range, if one is known.
    var meant: String?
    var suggestion: String?
    /// The whole chain of names that the problem is in.
    var chain: CELSourceRange
  }

  init(names: DocumentNames, context: ExpressionContext) {
    self.names = names
    self.context = context
  }

  private mutating func report(
    _ path: NamePath, _ code: String, _ message: String, at range: CELSourceRange, meant: String? = nil,
    suggestion: String? = nil
  ) {
    reports.append(
      NameProblem(code: code, message: message, range: range, meant: meant, suggestion: suggestion, chain: path.range))
  }

  /// The variables of macros with their types; `any` if that is not known.
  private typealias Locals = [String: ValueType]

  mutating func walk(_ node: SyntaxNode) { walk(node, locals: elements, known: context.known) }

  private var elements: Locals {
    Dictionary(context.elements.map { ($0.name, $0.type) }, uniquingKeysWith: { _, inner in inner })
  }

  /// Every kind of node has a function of its own, which is not inlined: expressions nest, and the frame that repeats must be small.
  private mutating func walk(_ node: SyntaxNode, locals: Locals, known: Set<String>) {
    switch node.kind {
    case .identifier, .select, .index, .presence: walkChain(node, locals, known)
    case .binary(.and, _, _), .binary(.or, _, _): walkLogic(node, locals, known)
    case .conditional: walkConditional(node, locals, known)
    case .comprehension(let comprehension): walk(comprehension, locals, known)
    case .bind: walkBinding(node, locals, known)
    case .binary(.equal, let left, let right), .binary(.notEqual, let left, let right):
      checkNames(left, right, locals)
      checkNames(right, left, locals)
      walkChildren(node, locals, known)
    default: walkChildren(node, locals, known)
    }
  }

  @inline(never)
  private mutating func walkChildren(_ node: SyntaxNode, _ locals: Locals, _ known: Set<String>) {
    for child in node.children { walk(child, locals: locals, known: known) }
  }

  @inline(never)
  private mutating func walkChain(_ node: SyntaxNode, _ locals: Locals, _ known: Set<String>) {
    if case .presence(let operand, let field) = node.kind, var path = NamePath(operand) {
      path.append(.init(text: field.text, range: field.range), isOptional: true, end: node.range.end)
      visit(path, locals, known: known, asksForPresence: true)
    } else if let path = NamePath(node) {
      visit(path, locals, known: known)
    } else {
      walkChildren(node, locals, known)
    }
  }

  @inline(never)
  private mutating func walkLogic(_ node: SyntaxNode, _ locals: Locals, _ known: Set<String>) {
    guard case .binary(let operation, _, _) = node.kind else { return }
    // Operand by operand with one set: a set for each operator would make long chains quadratic.
    var known = known
    for operand in node.operands(of: operation) {
      walk(operand, locals: locals, known: known)
      known.formUnion(KnownPaths.when(operand, is: operation == .and))
    }
  }

  @inline(never)
  private mutating func walkConditional(_ node: SyntaxNode, _ locals: Locals, _ known: Set<String>) {
    guard case .conditional(let condition, let first, let second) = node.kind else { return }
    walk(condition, locals: locals, known: known)
    walk(first, locals: locals, known: known.union(KnownPaths.when(condition, is: true)))
    walk(second, locals: locals, known: known.union(KnownPaths.when(condition, is: false)))
  }

  @inline(never)
  private mutating func walk(_ comprehension: SyntaxNode.Comprehension, _ locals: Locals, _ known: Set<String>) {
    walk(comprehension.range, locals: locals, known: known)
    let variables = variables(of: comprehension, locals)
    let inner = locals.merging(variables) { _, new in new }
    let known = KnownPaths.without(variables.keys, known)
    if let filter = comprehension.filter { walk(filter, locals: inner, known: known) }
    let filtered = comprehension.filter.map { KnownPaths.when($0, is: true) } ?? []
    walk(comprehension.body, locals: inner, known: known.union(filtered))
  }

  @inline(never)
  private mutating func walkBinding(_ node: SyntaxNode, _ locals: Locals, _ known: Set<String>) {
    guard case .bind(let name, let value, let body) = node.kind else { return }
    walk(value, locals: locals, known: known)
    let inner = locals.merging([name.text: type(of: value, locals) ?? .any]) { _, new in new }
    walk(body, locals: inner, known: KnownPaths.without([name.text], known))
  }

  /// The types of a macro's variables.
  private func variables(of comprehension: SyntaxNode.Comprehension, _ locals: Locals) -> Locals {
    var range = type(of: comprehension.range, locals)
    if case .optional(let wrapped) = range { range = wrapped }
    let isOptional = comprehension.macro == .optMap || comprehension.macro == .optFlatMap
    let (position, element): (ValueType, ValueType) =
      switch range {
      case let wrapped? where isOptional: (.any, wrapped)
      case .list(let element)?: (.int, element)
      case .map(let element)?: (.string, element)
      default: (.any, .any)
      }
    let names = comprehension.variables.map(\.text)
    guard let first = names.first, let last = names.last else { return [:] }
    if names.count > 1 { return [first: position, last: element] }
    // One variable visits the keys of a map.
    if case .map = range, !isOptional { return [first: .string] }
    return [first: element]
  }

  // MARK: One chain

  @inline(never)
  private mutating func visit(_ path: NamePath, _ locals: Locals, known: Set<String>, asksForPresence: Bool = false) {
    if let local = locals[path.root.text] {
      if context.elements.contains(where: { $0.name == path.root.text }) {
        dependencies.elements.insert(path.root.text)
      }
      checkPresence(path, in: local, known: known)
    } else if let root = Root(rawValue: path.root.text) {
      visit(path, root, known: known, asksForPresence: asksForPresence)
    }
    for index in path.indices { walk(index, locals: locals, known: known) }
  }

  @inline(never)
  private mutating func visit(_ path: NamePath, _ root: Root, known: Set<String>, asksForPresence: Bool = false) {
    guard context.roots.contains(root) else {
      note(path, root)
      report(
        path, "name-not-here", Self.absence(of: root, in: context), at: path.root.range, suggestion: context.namesAdvice
      )
      return
    }
    note(path, root)
    switch root {
    case .steps: visitStep(path, known: known, asksForPresence: asksForPresence)
    case .secrets: visitSecret(path, known: known)
    case .env: visitEnvironment(path)
    case .hypothesis: visitHypothesis(path)
    case .params, .inputs, .target, .run, .output: break
    }
    checkPresence(path, in: type(ofRoot: path.root.text), known: known)
    if let type = type(of: path, root), type.holdsSecret, !asksForPresence {
      secrets.append((path.range, type))
    }
  }

  @inline(never)
  private mutating func note(_ path: NamePath, _ root: Root) {
    switch root {
    case .params: dependencies.params.formUnion(Self.used(path, of: names.params))
    case .inputs: dependencies.inputs.formUnion(Self.used(path, of: names.inputs))
    case .secrets: dependencies.secrets.formUnion(Self.used(path))
    case .steps: dependencies.steps.formUnion(Self.used(path))
    case .target where path.segments.isEmpty: dependencies.namesTarget = true
    case .target: dependencies.namesFieldOfTarget = true
    case .hypothesis, .run, .output, .env: dependencies.namesRun = true
    }
  }

  /// The name behind the root; all of the record's where none stands there.
  private static func used(_ path: NamePath, of record: Schema.RecordType? = nil) -> [String] {
    path.name(0).map { [$0] } ?? record?.fields.map(\.name) ?? []
  }

  @inline(never)
  private mutating func visitStep(_ path: NamePath, known: Set<String>, asksForPresence: Bool) {
    guard let id = path.segments.first?.name else {
      report(
        path, "step-not-named", "\"steps\" needs the id of a step behind it", at: path.root.range,
        suggestion: "write steps.ID.outcome or steps.ID.output")
      return
    }
    guard let index = names.index(ofStep: id.text) else {
      let near = nearName(to: id.text, among: names.steps.map(\.id))
      report(path, "unknown-step", "there is no step \"\(id.text)\"", at: id.range, meant: near)
      return
    }
    let isUncertain: Bool
    switch names.visibility(of: index, from: context) {
    case .ended(let mayLackOutput): isUncertain = mayLackOutput
    case .unseen(let message, let advice):
      report(path, "step-order", message, at: id.range, suggestion: advice)
      return
    }
    let asksForOutput = asksForPresence && path.segments.count == 2
    if let field = path.segments.dropFirst().first?.name, !["outcome", "attempts", "output"].contains(field.text),
      case .record(let output)? = names.steps[index].output
    {
      let near = output[field.text] == nil ? nearName(to: field.text, among: output.fields.map(\.name)) : field.text
      report(
        path, "unknown-field", "a step has no field \"\(field.text)\"", at: field.range,
        suggestion: near.map { didYouMean("steps.\(id.text).output.\($0)") } ?? "it has outcome, attempts, output"
      )
      return
    }
    guard path.name(1) == "output", !path.segments[1].isOptional, !asksForOutput else { return }
    let step = names.steps[index]
    let isPresent = !step.isCheck && known.contains(KnownPaths.presence(of: path.text(2)))
    guard step.mayLackOutput || isUncertain, !isPresent, !known.contains(path.text(2)) else {
      checkPresence(path, in: step.output, from: 2, known: known)
      return
    }
    report(
      path, "output-may-be-absent",
      "the step \"\(id.text)\" may be skipped or fail with the run going on; it may have no output here",
      at: CELSourceRange(path.root.range.start, path.segments[1].end),
      suggestion: "guard it with steps.\(id.text).outcome == 'pass' && …, or write steps.\(id.text).?output")
  }

  @inline(never)
  private mutating func visitSecret(_ path: NamePath, known: Set<String>) {
    guard let name = path.segments.first?.name else {
      report(path, "secret-not-named", "\"secrets\" needs a name behind it", at: path.root.range)
      return
    }
    guard let mayBeMissing = names.secrets[name.text] else {
      let near = nearName(to: name.text, among: names.secrets.keys)
      report(
        path, "unknown-secret", "the runbook declares no secret \"\(name.text)\"", at: name.range,
        meant: near, suggestion: "declare it: secrets: {\(name.text): {env: NAME}}")
      return
    }
    guard path.name(1) != "present", mayBeMissing, !known.contains(path.text(1)) else { return }
    report(
      path, "secret-may-be-missing", "the secret \"\(name.text)\" is optional, and may be missing", at: name.range,
      suggestion: "ask secrets.\(name.text).present first, for example in the step's if")
  }

  @inline(never)
  private mutating func visitHypothesis(_ path: NamePath) {
    guard let look = path.segments.first?.name else {
      report(
        path, "name-not-here", "\"hypothesis\" needs before or after behind it", at: path.root.range,
        suggestion: "write hypothesis.before.outcome")
      return
    }
    guard look.text == "after", context.stages.stage != .finally else { return }
    report(
      path, "name-not-here", "\"hypothesis.after\" is known only in finally", at: look.range,
      suggestion: "here there is hypothesis.before")
  }

  @inline(never)
  private mutating func visitEnvironment(_ path: NamePath) {
    guard let name = path.segments.first?.name, names.hiddenEnvironment.contains(name.text) else { return }
    report(
      path, "secret-in-environment", "\(name.text) is where a secret comes from; it cannot be used as a plain value",
      at: name.range,
      suggestion: "bind the secret itself to an input that is declared secret")
  }

  /// Reports a field that is read though it may have no value.
  ///
  /// - Parameters:
  ///   - type: of what the segments from `first` on are fields of; nil if that is not known.
  @inline(never)
  private mutating func checkPresence(_ path: NamePath, in type: ValueType?, from first: Int = 0, known: Set<String>) {
    guard let type else { return }
    for index in path.segments.indices.dropFirst(first) {
      let segment = path.segments[index]
      guard !segment.isOptional else { return }
      guard let name = segment.name, case .optional = type.following(path.segments[first...index]) else { continue }
      guard !KnownPaths.hasValue(path.text(index + 1), known) else { continue }
      let owner = path.text(index)
      report(
        path, "value-may-be-absent", "\"\(owner).\(name.text)\" is optional, and may have no value",
        at: CELSourceRange(path.root.range.start, segment.end),
        suggestion: context.judgesExitCodes && owner == "output" && name.text == "exitCode"
          ? "exit codes are judged already, by \"exitCodes\": leave it out, or write output.?exitCode"
          : "write \(owner).?\(name.text), or ask has(\(owner).\(name.text)) first")
      return
    }
  }

  /// Reports a text that an enumeration never is: `steps.a.outcome == 'passed'`.
  @inline(never)
  private mutating func checkNames(_ side: SyntaxNode, _ other: SyntaxNode, _ locals: Locals) {
    guard let path = NamePath(side), locals[path.root.text] == nil, let root = Root(rawValue: path.root.text),
      case .literal(.string(let text)) = other.kind, var type = type(of: path, root)
    else { return }
    if case .optional(let wrapped) = type { type = wrapped }
    guard case .enumeration(let names) = type, !names.contains(text) else { return }
    let near = nearName(to: text, among: names).map { "'\($0)'" }
    report(
      path, "never-equal", "the value is one of \(names.joined(separator: ", ")), and never '\(text)'", at: other.range,
      meant: near)
  }

  // MARK: Types of chains

  /// The declared type of a chain outside of macros; nil for other parts, and where that is not known.
  func declaredType(of node: SyntaxNode) -> ValueType? { type(of: node, elements) }

  /// The declared type of a chain, also of one that begins at a macro's variable; nil if that is not known.
  private func type(of node: SyntaxNode, _ locals: Locals) -> ValueType? {
    guard let path = NamePath(node) else { return nil }
    if let local = locals[path.root.text] { return local.following(path.segments[...]) }
    return Root(rawValue: path.root.text).flatMap { type(of: path, $0) }
  }

  /// The declared type of what a chain leads to; nil if that is not known.
  func type(of path: NamePath, _ root: Root) -> ValueType? {
    switch root {
    case .steps:
      guard let step = path.name(0).flatMap(names.index(ofStep:)).map({ names.steps[$0] }) else { return nil }
      switch path.name(1) {
      case "outcome": return outcomeType
      case "output": return step.output.flatMap { $0.following(path.segments.dropFirst(2)) }
      case "attempts": return .int
      default: return step.output
      }
    case .secrets: return path.name(1) == "present" ? .bool : .secret(.string)
    case .env: return .string
    case .params, .inputs, .target, .hypothesis, .run, .output:
      return type(ofRoot: path.root.text)?.following(path.segments[...])
    }
  }

  private func type(ofRoot root: String) -> ValueType? {
    switch Root(rawValue: root) {
    case .params: names.params.map(ValueType.record)
    case .inputs: names.inputs.map(ValueType.record)
    case .target: .turnServer
    case .hypothesis: .record(hypothesisType)
    case .run: .record(runType)
    case .output: context.output
    default: nil
    }
  }

  private static func absence(of root: Root, in context: ExpressionContext) -> String {
    switch root {
    case .env: "\"env\" can be used only in the defaults of params"
    case .output: "\"output\" is what this try gave; it can be used only in expect and until"
    case .inputs: "\"inputs\" are those of a check; a runbook has params"
    case .params, .secrets, .target, .run:
      context.roots.contains(.inputs)
        ? "a check sees nothing of its caller; pass \"\(root.rawValue)\" to it as an input"
        : "\"\(root.rawValue)\" cannot be used here"
    case .hypothesis where context.roots.contains(.inputs):
      "a check sees nothing of its caller; pass what the hypothesis came to as an input"
    case .hypothesis:
      context.stages.stage == .before
        ? "\"hypothesis\" cannot be used here: this is the hypothesis" : "the runbook has no hypothesis"
    case .steps: "\"steps\" cannot be used here: no step has ended yet"
    }
  }
}
