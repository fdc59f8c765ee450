internal import Journal
internal import Schema

/// The names at the root of every expression.
enum Root: String, CaseIterable {
  case params
  case inputs
  case target
  case secrets
  case steps
  case hypothesis
  case run
  case output
  case env
}

/// Where an expression stands: what it may name, and what is known there.
struct ExpressionContext {
  var roots: Set<Root>
  /// How many of the document's steps have surely been evaluated before.
  var stepsBefore = 0
  var stages = StagePlace()
  /// True behind the steps inside the group at hand, in its `until` and `expect`.
  var isBehindGroup = false
  /// The output of the try at hand, if there is one.
  var output: ValueType?
  /// The elements of the loops around.
  var elements: [LoopElement] = []
  /// Paths that are known to have a value: `steps.relay.output`, `secrets.token`, `inputs.ca`.
  var known: Set<String> = []
  /// Set where text that an expression gives is read by the declared type, as text that is given by hand is: in the
  /// defaults of params, since all that the environment holds is text.
  var readsText = false
  /// Set if it is not known what a value is for, because the module is not: a secret is not reported then.
  var hasUnknownPurpose = false
  /// Set where a shell parses the text that an expression becomes part of: how else its value gets there.
  var shellAdvice: String?
  /// Set in the arguments of a program.
  var isArgument = false
  /// Set where the module judges exit codes itself, by its default.
  var judgesExitCodes = false
  /// Where a secret may be bound instead.
  var secretAdvice = "bind it to an input that is declared secret"
}

/// The name and type of the element of a loop.
struct LoopElement: Hashable {
  var name: String
  var type: ValueType
}

/// What the expressions of one document may name.
struct DocumentNames {
  var params: RecordType?
  var inputs: RecordType?
  var hasTarget = false
  var hasHypothesis = false
  /// By name, whether it may be missing.
  var secrets: [String: Bool] = [:]
  /// Names of the process environment that a secret is read from, which no default may see.
  var hiddenEnvironment: Set<String> = []
  private(set) var steps: [Step] = []
  private var indices: [String: Int] = [:]

  /// The position of a step among the document's steps.
  func index(ofStep id: String) -> Int? { indices[id] }

  mutating func add(_ step: Step) {
    if indices[step.id] == nil { indices[step.id] = steps.count }
    steps.append(step)
  }

  /// What is known of a step before any expression is read.
  struct Step {
    var id: String
    /// ``Stage/before`` for a step of the hypothesis.
    var stage = Stage.steps
    /// What messages call its output: "turn.relay".
    var use: String
    var output: ValueType?
    /// The groups that it lies in, from the outside inwards.
    var groups: [Group] = []
    /// True for a check, which may end with part of its output.
    var isCheck = false
    /// True if its module could not be found, so that nothing can be said of its output.
    var hasUnknownOutput = false
    /// True if the run may go on without the step's output: it has an `if`, or its failure does not stop the run.
    var mayLackOutput: Bool
  }
}

/// The type of `steps.ID.outcome`.
let outcomeType = ValueType.enumeration(["pass", "warn", "fail", "error", "indeterminate", "skipped"])

/// `run` in expressions.
let runType = RecordType(fields: [
  FieldDeclaration(name: "id", type: .string, summary: "The run's id."),
  FieldDeclaration(name: "startedAt", type: .timestamp, summary: "When the run began."),
  FieldDeclaration(name: "outcome", type: outcomeType, summary: "Of the run so far."),
])
