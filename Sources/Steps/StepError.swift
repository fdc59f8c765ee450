package import Journal
package import Schema

/// Why a module could not give a result.
package struct StepError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// The thing under test failed before there was anything to put out.
    case failed
    /// Our own side could not find out.
    case broken
    /// Our own side could not find out, and nothing was begun: safe to try again even where a step runs at most once.
    case notStarted
    /// The deadline passed or the run was cancelled after something was begun.
    case interrupted
  }

  package var kind: Kind
  package var finding: Finding
  /// What was learnt all the same, by name: recorded in the place of the output, which there is none of. No secrets.
  package var learnt: [Value.Member]

  package init(_ kind: Kind, _ finding: Finding, learnt: [Value.Member] = []) {
    self.kind = kind
    self.finding = finding
    self.learnt = learnt
  }

  package static func failed(_ code: String, _ message: Sentence, advice: Sentence? = nil) -> Self {
    Self(.failed, Finding(code, message, advice: advice))
  }

  @_disfavoredOverload
  package static func failed(_ code: String, _ message: String, advice: String? = nil) -> Self {
    Self(.failed, Finding(code, message, advice: advice))
  }

  package static func broken(_ code: String, _ message: Sentence, advice: Sentence? = nil) -> Self {
    Self(.broken, Finding(code, message, advice: advice))
  }

  @_disfavoredOverload
  package static func broken(_ code: String, _ message: String, advice: String? = nil) -> Self {
    Self(.broken, Finding(code, message, advice: advice))
  }

  package static func notStarted(_ code: String, _ message: Sentence, advice: Sentence? = nil) -> Self {
    Self(.notStarted, Finding(code, message, advice: advice))
  }

  @_disfavoredOverload
  package static func notStarted(_ code: String, _ message: String, advice: String? = nil) -> Self {
    Self(.notStarted, Finding(code, message, advice: advice))
  }
}
