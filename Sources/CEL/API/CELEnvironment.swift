/// What expressions may use: variables, record types, functions, constants, libraries; and how much they may cost.
///
/// An environment is a value. Declare everything, then compile any number of expressions, from any thread.
///
///     var environment = CELEnvironment()
///     environment.declare(variable: "limit", type: .int)
///     let program = try environment.compile("limit < 5")
///     try program.evaluate(NamedActivation(["limit": .int(3)]))   // .bool(true)
public struct CELEnvironment: Sendable {
  /// The namespace in which names are looked up first, as `com.example`; empty for none.
  public var container: String
  /// What expressions may ask for.
  public var limits: CELLimits
  /// Whether `has`, `all` and the other macros are macros; otherwise they are calls of functions of that name.
  public var hasMacros = true
  /// Whether calls with literal arguments that would fail, as `duration('x')`, are problems of the check. Where this is
  /// false they fail when they are evaluated.
  public var validatesConstants = true
  /// The libraries whose functions and macros expressions may use.
  public let libraries: Set<CELLibrary>
  /// The variables, in the order of declaration.
  public private(set) var variables: [Variable] = []

  private(set) var variablesByName: [String: Variable] = [:]
  private(set) var constants: [String: CELValue]
  private(set) var records: [String: CELRecordType]
  private(set) var functions: [String: [Overload]]
  /// What stands before the first dot of the names with dots.
  private var dottedRoots: Set<String>

  private mutating func noteRoot(of name: String) {
    if let dot = name.firstIndex(of: ".") { dottedRoots.insert(String(name[..<dot])) }
  }

  /// An environment with the standard functions and macros, and those of `libraries`.
  public init(
    container: String = "", libraries: Set<CELLibrary> = Set(CELLibrary.allCases), limits: CELLimits = CELLimits()
  ) {
    self.container = container
    self.libraries = libraries
    self.limits = limits
    let definitions = libraries == StandardDefinitions.all.libraries ? .all : StandardDefinitions(libraries)
    constants = definitions.constants
    records = definitions.records
    functions = definitions.functions
    dottedRoots = definitions.dottedRoots
  }

  /// Declares a variable, and gives its position. A variable of the same name is declared anew, at the same position.
  @discardableResult
  public mutating func declare(variable name: String, type: CELType) -> Variable {
    let variable = Variable(name: name, type: type, slot: variablesByName[name]?.slot ?? variables.count)
    if variable.slot < variables.count { variables[variable.slot] = variable } else { variables.append(variable) }
    variablesByName[name] = variable
    noteRoot(of: name)
    return variable
  }

  /// Declares a name for a value that never changes.
  public mutating func declare(constant name: String, value: CELValue) {
    constants[name] = value
    noteRoot(of: name)
  }

  /// Declares a record type. Expressions select its fields, build it as `NAME{field: value}`, and use its name as a type.
  public mutating func declare(record: CELRecordType) {
    records[record.name] = record
    declare(constant: record.name, value: .type(.record(record.name)))
  }

  /// Declares a name for an opaque type, so that `type(x) == NAME` can be written.
  public mutating func declare(opaque name: String) {
    declare(constant: name, value: .type(.opaque(name, [])))
  }

  /// Declares ways to call `function`, added to those it has; one of the same id is replaced.
  public mutating func declare(function name: String, _ overloads: Overload...) {
    noteRoot(of: name)
    let ids = Set(overloads.map(\.id))
    functions[name, default: []].removeAll { ids.contains($0.id) }
    functions[name, default: []] += overloads
  }

  /// The variable of a full name.
  public func variable(named name: String) -> Variable? { variablesByName[name] }

  /// The record type of a full name.
  public func record(named name: String) -> CELRecordType? { records[name] }

  /// Parses `source`.
  ///
  /// - Throws: every syntax problem that was found.
  public func parse(_ source: String) throws(CompileError) -> ParsedExpression {
    var parser = Parser(source: source, environment: self)
    return try parser.parse()
  }

  /// Finds out what names stand for and which types everything has.
  ///
  /// - Parameter expected: the type the result must be assignable to; `nil` for any.
  /// - Throws: every problem that was found.
  public func check(_ parsed: ParsedExpression, expecting expected: CELType? = nil) throws(CompileError)
    -> CheckedExpression
  {
    var checker = Checker(environment: self, parsed: parsed)
    return try checker.check(expecting: expected)
  }

  /// Parses and checks `source`, and makes it ready to be evaluated.
  ///
  /// - Parameter expected: the type the result must be assignable to; `nil` for any.
  /// - Throws: every problem that was found.
  public func compile(_ source: String, expecting expected: CELType? = nil) throws(CompileError) -> CELProgram {
    program(try check(try parse(source), expecting: expected))
  }

  /// Makes a checked expression ready to be evaluated.
  public func program(_ checked: CheckedExpression) -> CELProgram {
    CELProgram(environment: self, parsed: checked.parsed, checked: checked)
  }

  /// Makes an expression ready to be evaluated without a check: names and overloads are found as far as can be, and what
  /// is not found is an error of the evaluation.
  public func program(unchecked parsed: ParsedExpression) -> CELProgram {
    CELProgram(environment: self, parsed: parsed, checked: nil)
  }

  /// Whether a value of type `source` may stand where `target` is due: of the same type, `dyn` on either side, or `null`
  /// for a record, time, duration, optional or opaque type.
  public static func isAssignable(from source: CELType, to target: CELType) -> Bool {
    var substitution = Substitution()
    return substitution.assign(source, to: target)
  }

  /// What a name outside of macros stands for: a variable or constant, looked up from the container outwards.
  func reference(to name: String) -> Reference? {
    for candidate in candidates(for: name) {
      if let variable = variablesByName[candidate] { return .variable(variable) }
      if let constant = constants[candidate] { return .constant(constant) }
    }
    return nil
  }

  /// The record type that a name stands for, looked up from the container outwards.
  func recordType(resolving name: String) -> CELRecordType? {
    for candidate in candidates(for: name) {
      if let type = records[candidate] { return type }
    }
    return nil
  }

  /// Whether a name that starts with `root` and a dot may be declared.
  func mayQualify(_ root: String) -> Bool { !container.isEmpty || root.hasPrefix(".") || dottedRoots.contains(root) }

  /// The full names that `name` may stand for, in the order in which they are looked up.
  func candidates(for name: String) -> [String] {
    if name.hasPrefix(".") { return [String(name.dropFirst())] }
    if container.isEmpty { return [name] }
    var names: [String] = []
    var prefix = Substring(container)
    while true {
      names.append("\(prefix).\(name)")
      guard let dot = prefix.lastIndex(of: ".") else { break }
      prefix = prefix[..<dot]
    }
    names.append(name)
    return names
  }
}

/// A set of functions and macros beyond the standard ones.
public enum CELLibrary: String, CaseIterable, Hashable, Sendable {
  /// `charAt`, `format`, `indexOf`, `join`, `split` and others on texts.
  case strings
  /// `math.greatest`, `math.round`, `math.bitAnd` and others.
  case math
  /// `optional.of`, `orValue`, `optMap` and others, and the syntax `a.?b`, `a[?b]`, `[?a]`, `{?a: b}`.
  case optionals
  /// `cel.bind(name, value, expression)`.
  case bindings
  /// `base64.encode`, `base64.decode`.
  case encoders
  /// `all(i, v, …)`, `exists(i, v, …)`, `existsOne`, `transformList`, `transformMap`, `transformMapEntry`.
  case twoVariableComprehensions
  /// `slice`, `flatten`, `distinct`, `reverse`, `sort`, `sortBy` and `lists.range`.
  case lists
  /// `sets.contains`, `sets.equivalent`, `sets.intersects`: lists as sets.
  case sets
  /// `ip`, `cidr` and their functions.
  case network
  /// The wrapper types of `google.protobuf` as far as literals go: `google.protobuf.Int32Value{value: 1}` is `1`.
  case wrappers
}

/// How much an expression may ask for.
public struct CELLimits: Hashable, Sendable {
  /// The longest source, in octets.
  public var sourceLength: Int
  /// The greatest height of the tree, where each operator, call, literal list or macro is one level. Chosen so that
  /// parsing, checking and evaluation fit a thread with a stack of 512 KiB.
  public var depth: Int {
    didSet { depth = Swift.min(depth, Self.greatestDepth) }
  }
  /// The most an evaluation may cost: one unit for each call, operator, literal list or map and step of a macro, one for
  /// ten octets of text or for an element of a list that is looked at or made.
  public var cost: Int

  /// Limits that ordinary expressions never reach.
  public init(sourceLength: Int = 100_000, depth: Int = 100, cost: Int = 1_000_000) {
    self.sourceLength = sourceLength
    self.depth = Swift.min(depth, Self.greatestDepth)
    self.cost = cost
  }

  /// The depth that no setting exceeds, because the stack would not hold it.
  static let greatestDepth = 100
}
