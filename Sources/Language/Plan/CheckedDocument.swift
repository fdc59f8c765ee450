package import Schedules
package import Schema
internal import Steps

/// A runbook, or `checks/NAME`, read and checked as far as that goes without values: what is asked of it, and any number of
/// plans, come from one reading.
package struct CheckedDocument {
  let project: Project
  let name: String
  let content: Content
  /// Every problem of it and of what it uses.
  package let issues: [Issue]

  enum Content {
    case runbook(CheckedRunbook)
    case check(CheckedCheck)
    /// Nothing can be said of it; an issue says why.
    case unreadable
  }

  /// Whether there is a problem that keeps any plan from being made.
  package var hasErrors: Bool { issues.contains { $0.severity == .error } }

  /// Its steps in all stages, those of undo too, before any value is known; none if it cannot be read.
  package var steps: [PlannedStep] {
    switch content {
    case .runbook(let runbook): runbook.stages.all.map(\.step)
    case .check(let check): check.steps.map(\.step)
    case .unreadable: []
    }
  }

  /// A look at each of the secrets that it declares; a check declares none.
  package var secrets: [SecretLook] {
    guard case .runbook(let runbook) = content else { return [] }
    return runbook.secrets.map { project.look(for: $0.source, isOptional: $0.isOptional) }
  }

  /// Whether a run of it may tell people through the channels of the project.
  package var tellsPeople: Bool {
    if case .runbook(let runbook) = content, runbook.alert != nil { return true }
    return steps.need(.channels)
  }

  /// How often it is due; nil for a check, and for a runbook that does not say.
  package var period: Period? {
    if case .runbook(let runbook) = content { runbook.period } else { nil }
  }

  /// Whether it needs a target; nil if it cannot be read.
  ///
  /// - Parameter given: a check takes the target for a turn-server that is not given.
  package func usesTarget(given: GivenParameters = GivenParameters()) -> Bool? {
    switch content {
    case .runbook(let runbook): return runbook.usesTarget
    case .check(let check):
      let values = given.values(of: check.inputs, subject: "the check", log: IssueLog())
      return check.inputs.contains { $0.declaration.type.isServer && values[$0.declaration.name] == nil }
    case .unreadable: return nil
    }
  }
}
