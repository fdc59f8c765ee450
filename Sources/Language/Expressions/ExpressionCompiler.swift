internal import CEL
internal import Schema

/// Compiles the expressions of one document, and reports everything about them that can be known beforehand.
final class ExpressionCompiler {
  let log: IssueLog
  let names: DocumentNames
  /// What all expressions so far name together; of the steps those since ``takeSteps()`` was called last.
  private(set) var uses = Dependencies()
  /// False if an expression could not be read, so that what it uses is not known.
  private(set) var isComplete = true

  /// Notes that an expression was left out, for a reason that was reported.
  func leaveOut() { isComplete = false }

  /// The ids of the steps that expressions have used since the last call.
  func takeSteps() -> Set<String> {
    defer { uses.steps = [] }
    return uses.steps
  }

  private let base: Bindings
  private var withVariables: [Variables: Bindings] = [:]

  /// What only some places have.
  private struct Variables: Hashable {
    var output: ValueType?
    var elements: [LoopElement]
  }

  init(names: DocumentNames, log: IssueLog) {
    self.names = names
    self.log = log
    base = Bindings(names)
  }

  /// True if a text is an expression by its form.
  func isReadable(_ source: String) -> Bool { (try? base.environment.parse(source)) != nil }

  private func bindings(at context: ExpressionContext) -> Bindings {
    guard context.output != nil || !context.elements.isEmpty else { return base }
    let variables = Variables(output: context.output, elements: context.elements)
    if let known = withVariables[variables] { return known }
    let use = names.steps.indices.contains(context.position) ? names.steps[context.position].use : "the step"
    let made = base.with(output: context.output, of: use, elements: context.elements)
    withVariables[variables] = made
    return made
  }

  /// What an expression is for.
  enum Purpose {
    /// The value of a field, parameter or output of this type.
    case value(ValueType)
    /// Part of a text; where the text may be secret, the part may be.
    case text(maySecret: Bool)
  }

  /// Compiles a part of a scalar's text; nil if something was reported.
  ///
  /// - Parameters:
  ///   - offset: where the source begins in the scalar's text, in UTF-8.
  func compile(
    _ source: String, at offset: Int, of positions: ScalarPositions, for purpose: Purpose, in context: ExpressionContext
  )
    -> CompiledExpression?
  {
    let range = { (part: CELSourceRange) in positions.range(offset + part.start, offset + part.end) }
    let bindings = bindings(at: context)
    let parsed: ParsedExpression
    do { parsed = try bindings.environment.parse(source) } catch {
      report(error, of: source, at: context, range: range)
      isComplete = false
      return nil
    }
    var walk = NameWalk(names: names, context: context)
    walk.walk(parsed.root)
    uses.formUnion(walk.dependencies)
    for report in walk.reports {
      log.error(
        report.code, report.message, at: range(report.range), meant: report.meant, suggestion: report.suggestion)
    }
    let checked: CheckedExpression
    do { checked = try bindings.environment.check(parsed) } catch {
      // What the walk has reported is not said twice.
      report(error, of: source, at: context, range: range) { problem in
        walk.reports.contains { $0.chain.start <= problem.range.start && problem.range.end <= $0.chain.end }
      }
      return nil
    }
    guard walk.reports.isEmpty else { return nil }
    let whole = range(parsed.root.range)
    if let problem = fits(checked.type, purpose, in: bindings), !isReadable(checked.type, purpose, at: context) {
      log.error("type-mismatch", problem, at: whole)
      return nil
    }
    let secrecy = Secrecy(root: parsed.root, secrets: walk.secrets)
    if !context.hasUnknownPurpose, let problem = secrecy.problem(for: purpose) {
      log.error(
        "secret-leak", problem, at: range(walk.secrets.first?.range ?? parsed.root.range),
        suggestion: context.secretAdvice)
      return nil
    }
    if let advice = context.shellAdvice, !walk.isInert(parsed.root, checked) {
      log.error(
        "expression-in-shell", "a shell parses this argument, and would obey what ${\(source)} holds", at: whole,
        suggestion: advice)
      return nil
    }
    warnOfDivision(parsed.root, checked, range: range)
    for slip in ProgramText(walk: walk, source: source, judgesExitCodes: context.judgesExitCodes).slips(in: parsed.root)
    {
      log.warning(slip.code, slip.message, at: range(slip.range), suggestion: slip.advice)
    }
    var types: [Int: ValueType] = [:]
    for node in Parts.nodes(of: parsed.root) {
      types[node.id] = walk.declaredType(of: node) ?? ValueType(of: checked.type(of: node))
    }
    return CompiledExpression(
      program: bindings.environment.program(checked), bindings: bindings, range: range, whole: whole,
      isComputedFromSecret: secrecy == .computed, dependencies: walk.dependencies, types: types,
      type: walk.declaredType(of: parsed.root) ?? ValueType(of: checked.type))
  }

  private func report(
    _ error: CompileError, of source: String, at context: ExpressionContext,
    range: (CELSourceRange) -> Schema.SourceRange,
    unless isKnown: (CELProblem) -> Bool = { _ in false }
  ) {
    var adviceOnWhole: String?
    for problem in error.problems where !isKnown(problem) {
      // What is wrong with the whole is said once.
      let whole = problem.code == .syntax ? problem.bracesAdvice(source) : nil
      if whole != nil, whole == adviceOnWhole { continue }
      adviceOnWhole = whole
      log.error(
        problem.code.issueCode, problem.message, at: range(problem.range),
        meant: names.home(of: problem, at: context) ?? problem.suggestion,
        suggestion: names.advice(on: problem, at: context, in: bindings(at: context).environment)
          ?? problem.advice(in: source))
    }
  }

  // MARK: Types

  /// True for text, or text that may be absent, which the place reads by its type.
  private func isReadable(_ type: CELType, _ purpose: Purpose, at context: ExpressionContext) -> Bool {
    guard context.readsText, case .value(let wanted) = purpose, wanted.isReadFromText else { return false }
    if case .optional = wanted, type == .optional(.string) { return true }
    return type == .string
  }

  /// Why a result of this CEL type does not serve the purpose; nil if it does.
  private func fits(_ type: CELType, _ purpose: Purpose, in bindings: Bindings) -> String? {
    switch purpose {
    case .text:
      guard case .optional = type else { return nil }
      return "the value may be absent: add .orValue(…)"
    case .value(let wanted):
      if Self.fits(type, wanted, bindings) { return nil }
      if case .optional(let wrapped) = type, Self.fits(wrapped, wanted, bindings) {
        return "expected \(wanted.article), found a value that may be absent: add .orValue(…)"
      }
      return "expected \(wanted.article), found \(type)"
    }
  }

  private static func fits(_ type: CELType, _ wanted: ValueType, _ bindings: Bindings) -> Bool {
    switch (type, wanted) {
    case (.dyn, _), (_, .any): return true
    case (.optional(let type), .optional(let wanted)): return fits(type, wanted, bindings)
    case (_, .optional(let wanted)), (_, .secret(let wanted)): return fits(type, wanted, bindings)
    case (.int, .double), (.int, .percent): return true
    case (.string, .ip), (.string, .cidr), (.ip, .ip), (.cidr, .cidr): return true
    case (.list(let type), .list(let wanted)): return fits(type, wanted, bindings)
    case (.map(let key, let type), .map(let wanted)):
      return (key == .string || key == .dyn) && fits(type, wanted, bindings)
    case (.map(let key, _), .record): return key == .string || key == .dyn
    case (.record(let name), .record(let wanted)):
      guard let given = bindings.declaration(ofRecord: name) else { return false }
      return fits(given, wanted, bindings)
    case (.record(let name), .turnServer): return bindings.declaration(ofRecord: name) == TURNServer.recordType
    default:
      var maker = ShapeMaker()
      return maker.shape(of: wanted, named: "").type == type
    }
  }

  private static func fits(_ given: Schema.RecordType, _ wanted: Schema.RecordType, _ bindings: Bindings) -> Bool {
    given == wanted
      || wanted.fields.allSatisfy { field in
        guard let part = given[field.name] else { return !field.isRequired }
        return part.type == field.type || ValueType.optional(part.type) == field.type
      } && given.fields.allSatisfy { wanted[$0.name] != nil }
  }

  /// Whole numbers divide without remainder, which few expect of a comparison.
  private func warnOfDivision(
    _ node: SyntaxNode, _ checked: CheckedExpression, inComparison: Bool = false,
    range: (CELSourceRange) -> Schema.SourceRange
  ) {
    var inComparison = inComparison
    if case .binary(let operation, let left, let right) = node.kind {
      switch operation {
      case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: inComparison = true
      case .divide where inComparison && checked.type(of: left) == .int && checked.type(of: right) == .int:
        log.warning(
          "integer-division", "whole numbers divide without remainder: 3 / 2 is 1", at: range(node.range),
          suggestion: "write double(…) around one of them")
      default: break
      }
    }
    for child in node.children { warnOfDivision(child, checked, inComparison: inComparison, range: range) }
  }
}

/// What a checked expression and its place in the file make together.
struct CompiledExpression {
  let program: CELProgram
  let bindings: Bindings
  let range: (CELSourceRange) -> Schema.SourceRange
  let whole: Schema.SourceRange
  let isComputedFromSecret: Bool
  let dependencies: Dependencies
  /// The types of the parts that a report shows, by their ids.
  let types: [Int: ValueType]
  /// Of the whole, as declared, or as the expression gives it.
  let type: ValueType
}

/// Whether an expression gives a secret.
enum Secrecy: Equatable {
  case plain
  /// It is the secret itself, or something that holds it, such as a target.
  case reference(ValueType)
  /// It was computed from a secret.
  case computed

  init(root: SyntaxNode, secrets: [(range: CELSourceRange, type: ValueType)]) {
    guard let first = secrets.first else {
      self = .plain
      return
    }
    let isReference = NamePath(root) != nil && secrets.count == 1 && first.range == root.range
    self = isReference ? .reference(first.type) : .computed
  }

  /// Why a secret cannot be used so; nil if it can, or where there is none.
  func problem(for purpose: ExpressionCompiler.Purpose) -> String? {
    switch (self, purpose) {
    case (.plain, _), (_, .text(maySecret: true)): return nil
    case (_, .text(maySecret: false)): return "a secret cannot become part of a plain text"
    case (_, .value(.bool)): return "a secret cannot be part of a condition"
    case (.reference(let type), .value(let wanted)) where type.withoutOptional == wanted.withoutOptional: return nil
    case (_, .value(let wanted)):
      if case .secret = wanted.withoutOptional { return nil }
      return "what is computed from a secret is secret, and cannot be used where \(wanted.article) is due"
    }
  }
}

extension ValueType {
  fileprivate var withoutOptional: ValueType { if case .optional(let wrapped) = self { wrapped } else { self } }
}

extension CELProblem.Code {
  /// The stable code of an issue.
  var issueCode: String {
    switch self {
    case .syntax: "expression-syntax"
    case .limitExceeded: "expression-limit"
    case .undeclaredName: "unknown-name"
    case .undeclaredFunction: "unknown-function"
    case .undeclaredType: "unknown-type"
    case .undefinedField: "unknown-field"
    case .noMatchingOverload: "no-overload"
    case .invalidConstant: "invalid-constant"
    case .invalidMacro: "invalid-macro"
    case .duplicateKey: "duplicate-key"
    default: "type-mismatch"
    }
  }
}
