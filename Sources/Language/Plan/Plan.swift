package import Journal
package import Schedules
package import Schema
import Steps

/// A checked runbook, ready to be driven: every name resolved, every type known, every value that can be known, known.
package struct Plan: Sendable {
  /// The runbook's name, or `checks/NAME`.
  package var name: String
  package var title: String
  /// `P1` to `P4`.
  package var severity: String?
  /// Parameters with their values, in declared order.
  package var params: [Value.Member]
  /// Their declared types, by name.
  package var paramTypes: [String: ValueType]
  package var target: TURNServer?
  /// Every secret that the runbook may use, by name; each was found before the run.
  package var secrets: [String: Secret]
  /// From the run's start to the end of its steps and of the hypothesis after them. What follows has time boxes of its own.
  package var timeout: Duration?
  /// Names of the locks that a run of it holds, those of its checks too.
  package var locks: Set<String>
  package var alert: AlertRule?
  /// What is looked at before the steps, and must hold after them.
  package var hypothesis: [PlannedStep]
  package var steps: [PlannedStep]
  package var rollback: RollbackPolicy
  /// What is done however the run ends.
  package var finally: [PlannedStep]
  /// `runbook.yaml`, the runbook and every check it uses, by paths relative to the project, with their exact bytes.
  package var sources: [RunSource]
  /// Files that were given by hand and must be there when their steps begin.
  package var givenFiles: [RequiredFile]
  /// What is to be agreed to before anything runs; nil if the runbook asks nothing.
  package var confirm: String?

  package init(
    name: String, title: String, severity: String?, params: [Value.Member], paramTypes: [String: ValueType] = [:],
    target: TURNServer?, secrets: [String: Secret], timeout: Duration?, locks: Set<String> = [],
    alert: AlertRule? = nil, hypothesis: [PlannedStep] = [],
    steps: [PlannedStep], rollback: RollbackPolicy = .never, finally: [PlannedStep] = [], sources: [RunSource],
    givenFiles: [RequiredFile] = []
  ) {
    self.name = name
    self.title = title
    self.severity = severity
    self.params = params
    self.paramTypes = paramTypes
    self.target = target
    self.secrets = secrets
    self.timeout = timeout
    self.locks = locks
    self.alert = alert
    self.hypothesis = hypothesis
    self.steps = steps
    self.rollback = rollback
    self.finally = finally
    self.sources = sources
    self.givenFiles = givenFiles
  }

  /// Whether any of its steps asks people.
  package var asks: Bool { Stage.allCases.contains { steps(of: $0).contains(where: \.asks) } }
}

/// One step of a plan: what every step has, whatever it does.
package struct PlannedStep: Sendable {
  package var id: String
  /// Its `title`, or the id if it has none.
  package var title: String
  /// `if`: false makes it skipped.
  package var condition: Expression?
  package var onFailure: OnFailure
  /// Recorded, never counted.
  package var isDiagnostic: Bool
  package var range: SourceRange
  package var body: StepBody
  /// What takes its effect back, under `rollback: onFailure`.
  package var undo: [PlannedStep]

  package enum OnFailure: String, Sendable, CaseIterable {
    /// The steps after it are not run.
    case stop
    /// Counted in the outcome, and the run goes on.
    case `continue`
  }

  package init(
    id: String, title: String, condition: Expression?, onFailure: OnFailure, isDiagnostic: Bool, range: SourceRange,
    body: StepBody, undo: [PlannedStep] = []
  ) {
    self.id = id
    self.title = title
    self.condition = condition
    self.onFailure = onFailure
    self.isDiagnostic = isDiagnostic
    self.range = range
    self.body = body
    self.undo = undo
  }

  /// What `use` names.
  package var use: String {
    switch body {
    case .call(let call): call.module.name
    case .check(let check): "checks/\(check.name)"
    case .parallel: "parallel"
    case .forEach: "forEach"
    case .element: "element"
    case .phase: "phase"
    case .undo: "undo"
    case .ask(let question): question.kind.use
    }
  }

  /// The strongest of ``effects``.
  package var effect: Effect { effects.max() ?? .observe }

  /// Whether it asks people, or a step inside does.
  package var asks: Bool { if case .ask = body { true } else { body.steps.contains(where: \.asks) } }

  /// The longest that the step may take, all its tries and waits together; of a loop, the longest that one element may take.
  package var longest: Duration {
    switch body {
    case .call(let call): call.retry?.longest(trying: call.timeout) ?? call.timeout
    case .check(let check): check.tries.longest(check.longest)
    case .parallel(let group) where group.limit >= group.steps.count:
      group.tries.longest(group.steps.map(\.longest).max() ?? .zero)
    case .parallel, .forEach, .element, .phase, .undo: body.tries.longest(body.steps.reduce(.zero) { $0 + $1.longest })
    case .ask(let question): question.timeout
    }
  }

  /// Judged once, after the last try.
  package var expectations: [Expectation] { body.expectations }
}

/// One line of `expect`.
package struct Expectation: Sendable {
  package var that: Expression
  package var severity: JudgedExpectation.Severity
  /// What the author says of it where it does not hold; text that may hold expressions.
  package var message: Template?

  package init(that: Expression, severity: JudgedExpectation.Severity, message: Template?) {
    self.that = that
    self.severity = severity
    self.message = message
  }
}

/// When a try is repeated.
package struct RetryPolicy: Hashable, Sendable {
  /// Tries after the first.
  package var times: Int
  /// Before the second try.
  package var backoff: Duration
  /// By which each wait is longer than the one before.
  package var factor: Double
  package var maxDelay: Duration
  /// The part of a wait that is drawn at random, 0 to 1.
  package var jitter: Double

  package init(times: Int, backoff: Duration, factor: Double, maxDelay: Duration, jitter: Double) {
    self.times = times
    self.backoff = backoff
    self.factor = factor
    self.maxDelay = maxDelay
    self.jitter = jitter
  }

  /// The wait after try number `attempt` (from 1), without jitter.
  package func delay(after attempt: Int) -> Duration {
    var delay = backoff
    for _ in 1..<max(1, attempt) where delay < maxDelay { delay = delay * factor }
    return min(delay, maxDelay)
  }
}
