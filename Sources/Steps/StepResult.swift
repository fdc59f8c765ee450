package import Journal

/// What a module learnt: its output, and a finding where the thing under test did not do what it should.
package struct StepResult<Output: Sendable>: Sendable {
  package var output: Output
  /// `fail` or `warn`, with the reason; nil if the module itself has nothing to object to.
  package var objection: Objection?

  package struct Objection: Hashable, Sendable {
    package var severity: Severity
    package var finding: Finding
  }

  package enum Severity: Hashable, Sendable {
    case warn
    case fail
  }

  /// The module has nothing to object to; expectations judge.
  package static func done(_ output: Output) -> Self { Self(output: output, objection: nil) }

  /// The thing under test is silent, refuses or answers wrongly; the output holds what was learnt all the same.
  package static func failed(_ output: Output, _ finding: Finding) -> Self {
    Self(output: output, objection: Objection(severity: .fail, finding: finding))
  }

  /// It works, with something to look at.
  package static func warned(_ output: Output, _ finding: Finding) -> Self {
    Self(output: output, objection: Objection(severity: .warn, finding: finding))
  }
}
