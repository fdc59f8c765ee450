package import ArgumentParser

/// `runbook notify`.
package struct NotifyCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "notify",
    abstract: "Try the channels through which people are told.",
    discussion: """
      `channels` of runbook.yaml says who is told of what, and how. Steps that use the module `notify` tell people through them, and so does a run \
      with `alert` that failed so often in a row.

        runbook notify test oncall-mail
      """,
    subcommands: [NotifyTestCommand.self])

  package init() {}
}
