package import Journal
package import Language

/// What is to be run, on what, and who asks for it.
package struct RunRequest: Sendable {
  /// Name of a runbook, or `checks/NAME`.
  package var runbook: String
  package var given: GivenParameters
  /// Each a target's name, `LABEL=VALUE`, or `all`; empty for the only target. With several targets the runbook runs once for
  /// each, under a parent run.
  package var targets: [String]
  /// Ids of the steps to run; empty for all.
  package var only: [String]
  /// How several targets follow on one another; nil for the usual way.
  package var rolling: Rolling?
  package var asker: RunAsker
  /// How what the runbook asks before it runs was agreed to; nil if nobody agreed. Such a runbook is not started then.
  package var confirmation: RunConfirmation?

  /// How many targets run at a time, unless a request says otherwise.
  package static let usualWidth = FleetSession.width

  package init(
    _ runbook: String, given: GivenParameters = GivenParameters(), targets: [String] = [], only: [String] = [],
    rolling: Rolling? = nil,
    asker: RunAsker, confirmation: RunConfirmation? = nil
  ) {
    self.confirmation = confirmation
    self.runbook = runbook
    self.given = given
    self.targets = targets
    self.only = only
    self.rolling = rolling
    self.asker = asker
  }
}
