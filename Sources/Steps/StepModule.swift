package import Journal
package import Schema

/// One kind of step. A module is a value without state: what it needs comes as input and context.
package protocol StepModule: Sendable {
  associatedtype Input: Sendable
  associatedtype Output: Sendable

  static var declaration: ModuleDeclaration<Input, Output> { get }

  init()

  /// Why the step can never be done on this input, whatever it meets; nil if it may be.
  ///
  /// Asked before the run begins where the input is known then: it looks at nothing else.
  /// - Parameter timeout: what one try has.
  static func objection(to input: Input, within timeout: Duration) -> Finding?

  /// Does the step once.
  ///
  /// Cancellation of the task means that the deadline passed or that the run ends: clean up what was made and throw
  /// ``StepError/Kind/interrupted``. Throws `failed` for a refusal of the thing under test that leaves no output,
  /// `notStarted` for what kept it from beginning, `broken` for every other failure of our own side.
  func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output>

  /// Finds out how a beginning ended whose result was never recorded. Asked only of modules that run at most once.
  func reconcile(_ input: Input, in context: StepContext) async throws(StepError) -> Reconciliation
}

extension StepModule {
  package static func objection(to input: Input, within timeout: Duration) -> Finding? { nil }

  package func reconcile(_ input: Input, in context: StepContext) async throws(StepError) -> Reconciliation {
    .unknown("\(Self.declaration.name) cannot tell whether it took effect")
  }
}

/// Whether a step may be begun again when it is not known how its first beginning ended.
package enum Repetition: String, Hashable, Sendable, CaseIterable {
  /// Doing it twice is as good as doing it once.
  case idempotent
  /// It is never begun twice, unless the module's reconcile says that the first beginning did nothing.
  case atMostOnce
}

/// What a module says of a beginning whose end is unknown.
package enum Reconciliation: Hashable, Sendable {
  /// It took effect, with this output if it can still be told.
  case done(Value?)
  /// It did nothing; it may be begun again.
  case notDone
  /// It cannot be told; a person decides.
  case unknown(String)
}
