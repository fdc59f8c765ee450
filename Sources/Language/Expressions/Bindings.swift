internal import CEL
internal import Journal
internal import Schema

/// The environment that a document's expressions are compiled in, and where each variable's value lies in a scope.
struct Bindings: Sendable {
  private(set) var environment: CELEnvironment
  private var sources: [Source] = []
  private var shapes = ShapeMaker()

  /// Where a variable's value comes from.
  private enum Source: Sendable {
    case params(Shape)
    case inputs(Shape)
    case target(Shape)
    case run(Shape)
    case hypothesis(isAfter: Bool, CELRecordType)
    case output(Shape)
    case element(String, Shape)
    case environment(Shape)
    case step(String, CELRecordType, Shape?)
    case secret(String)
    case secretPresence(String)
  }

  /// Everything that expressions of the document may name, except `output`.
  init(_ names: DocumentNames) {
    environment = Self.standard
    if let params = names.params { declare("params", shapes.record(params, named: "params"), Source.params) }
    if let inputs = names.inputs { declare("inputs", shapes.record(inputs, named: "inputs"), Source.inputs) }
    if names.hasTarget { declare("target", shapes.shape(of: .turnServer, named: "target"), Source.target) }
    declare("run", shapes.record(runType, named: "run"), Source.run)
    if names.hasHypothesis { declareHypothesis() }
    declare("env", .map(.scalar(.string)), Source.environment)
    for name in names.secrets.keys.sorted() {
      add("secrets.\(name)", .string, .secret(name))
      add("secrets.\(name).present", .bool, .secretPresence(name))
    }
    for step in names.steps { declare(step) }
    for record in shapes.records { environment.declare(record: record) }
  }

  /// The same with `output`, a value of this type, and the elements of loops.
  func with(output: ValueType?, of use: String, elements: [LoopElement] = []) -> Bindings {
    var copy = self
    let before = copy.shapes.records.count
    if let output {
      copy.declare("output", copy.shapes.shape(of: output, named: "the output of \(use)"), Source.output)
    }
    for element in elements {
      copy.declare(element.name, copy.shapes.shape(of: element.type, named: element.name)) {
        .element(element.name, $0)
      }
    }
    for record in copy.shapes.records[before...] { copy.environment.declare(record: record) }
    return copy
  }

  /// The declared type of a record that expressions know by this name.
  func declaration(ofRecord name: String) -> Schema.RecordType? { shapes.declarations[name] }

  private mutating func declare(_ name: String, _ shape: Shape, _ source: (Shape) -> Source) {
    add(name, shape.type, source(shape))
  }

  private mutating func add(_ name: String, _ type: CELType, _ source: Source) {
    let variable = environment.declare(variable: name, type: type)
    if variable.slot < sources.count { sources[variable.slot] = source } else { sources.append(source) }
  }

  private mutating func declareHypothesis() {
    let look = CELRecordType("a look at the hypothesis", fields: [.init("outcome", .string)])
    environment.declare(record: look)
    add("hypothesis.before", .record(look.name), .hypothesis(isAfter: false, look))
    add("hypothesis.after", .record(look.name), .hypothesis(isAfter: true, look))
  }

  private mutating func declare(_ step: DocumentNames.Step) {
    let output =
      step.hasUnknownOutput ? Shape.any : step.output.map { shapes.shape(of: $0, named: "the output of \(step.use)") }
    let name = output.map { "a step with \($0.type)" } ?? "a step"
    let record =
      stepRecords[name]
      ?? CELRecordType(
        name,
        fields: [.init("outcome", .string), .init("attempts", .int)]
          + (output.map { [.init("output", $0.type, isOptional: true)] } ?? []))
    if stepRecords[name] == nil {
      stepRecords[name] = record
      environment.declare(record: record)
    }
    add("steps.\(step.id)", .record(name), .step(step.id, record, output))
  }

  private var stepRecords: [String: CELRecordType] = [:]

  /// What every environment has: `bytesize('64MiB')` and `bandwidth('800Mbps')`, in bytes and in bits per second.
  static let standard: CELEnvironment = {
    // Half the depth that CEL itself allows: an expression of a check inside checks is read further down the stack.
    var environment = CELEnvironment(limits: CELLimits(depth: 50))
    for (name, type) in [("bytesize", ValueType.byteSize), ("bandwidth", .bandwidth)] {
      let quantity = Overload.Implementation.unary { (argument) throws(EvaluationError) in
        guard case .string(let text) = argument else { throw EvaluationError(.noSuchOverload, "\(name) takes a text") }
        do throws(Mismatch) {
          guard case .int(let number) = try type.parse(text) else { return .null }
          return .int(number)
        } catch { throw EvaluationError(.invalidArgument, error.message) }
      }
      environment.declare(function: name, Overload("\(name)_string", [.string], .int, implementation: quantity))
    }
    return environment
  }()

  /// The variables' values in a scope.
  func activation(_ scope: Scope, revealing: Bool) -> some Activation {
    LazyActivation { (variable) throws(EvaluationError) in
      guard variable.slot < sources.count else { return nil }
      return try Self.value(of: sources[variable.slot], in: scope, revealing: revealing)
    }
  }

  private static func value(of source: Source, in scope: Scope, revealing: Bool) throws(EvaluationError) -> CELValue? {
    switch source {
    case .params(let shape): return try shape.expressionValue(scope.params, revealing: revealing)
    case .inputs(let shape): return try shape.expressionValue(scope.inputs, revealing: revealing)
    case .environment(let shape): return try shape.expressionValue(scope.environment, revealing: false)
    case .target(let shape):
      guard let target = scope.target else { throw EvaluationError(.noValue, "there is no target") }
      return try shape.expressionValue(TURNServer.record.encode(target), revealing: revealing)
    case .run(let shape):
      let run: [Value.Member] = [
        .init("id", .string(scope.runID)), .init("outcome", .string(scope.outcome.rawValue)),
        .init("startedAt", scope.runStartedAt.map(Value.timestamp) ?? .null),
      ]
      return try shape.expressionValue(.members(run), revealing: false)
    case .hypothesis(let isAfter, let look):
      let outcome = isAfter ? scope.hypothesisAfter : scope.hypothesisBefore
      return .record(CELRecord(look, fields: [.string(outcome.rawValue)]))
    case .output(let shape):
      guard let output = scope.output else { throw EvaluationError(.noValue, "this try gave no output") }
      return try shape.expressionValue(output, revealing: revealing)
    case .element(let name, let shape):
      guard let item = scope.items[name] else { throw EvaluationError(.noValue, "there is no element \(name)") }
      return try shape.expressionValue(item, revealing: revealing)
    case .step(let id, let record, let shape):
      guard let step = scope.steps[id] else { throw EvaluationError(.noValue, "the step \(id) has not ended") }
      var fields: [CELValue?] = [.string(step.outcome.rawValue), .int(Int64(step.attempts))]
      if let shape, let output = step.output {
        fields.append(try shape.expressionValue(output, revealing: revealing))
      }
      return .record(CELRecord(record, fields: fields))
    case .secret(let name):
      guard let secret = scope.secrets[name] else { throw EvaluationError(.noValue, "there is no secret \(name)") }
      return try Shape.secret(.scalar(.string)).expressionValue(.secret(secret), revealing: revealing)
    case .secretPresence(let name): return .bool(scope.secrets[name] != nil)
    }
  }
}
