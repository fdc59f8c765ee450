import Schema

/// The manual page of the executable, for section 1.
struct ManualPage {
  /// What ArgumentParser tells of the commands (its `ToolInfoV0`).
  let declarations: JSON
  /// The same of the options that every command of a project has.
  let commonOptions: JSON
  /// Of this page: `2026-11-21`.
  let date: String
  let version: String

  /// In the macros of man(7).
  var text: String {
    let root = CommandDeclaration(declarations["command"] ?? .null)
    // Both have --help.
    let common = root.arguments.merging(CommandDeclaration(commonOptions["command"] ?? .null).arguments)
    var page = Roff()
    page.macro("TH", "RUNBOOK", "1", date, "runbook \(version)", "User Commands")
    page.macro("SH", "NAME")
    page.fill("runbook \\- \(Roff.prose(root.abstract).lowercasedFirst.withoutFullStop)")
    synopsis(root, common, &page)
    page.macro("SH", "DESCRIPTION")
    page.paragraphs(root.discussion, goesOn: false)
    page.macro("SH", "COMMANDS")
    for command in root.leaves { describe(command, without: common, &page) }
    page.macro("SH", "COMMON OPTIONS")
    page.line("Every command that works in a project takes these.")
    for option in common where option.isDisplayed { page.entry(option.roff, Roff.prose(option.meaning(among: common))) }
    list("EXIT STATUS", ManualFacts.exitCodes, &page)
    list("ENVIRONMENT", ManualFacts.environment, &page)
    list("FILES", ManualFacts.files, &page)
    page.macro("SH", "SEE ALSO")
    page.line("\\fBturnserver\\fR(1), \\fBturnutils_uclient\\fR(1)")
    return page.text
  }

  private func synopsis(_ root: CommandDeclaration, _ common: [CommandDeclaration.Argument], _ page: inout Roff) {
    page.macro("SH", "SYNOPSIS")
    for (index, command) in root.leaves.enumerated() {
      if index > 0 { page.macro("br") }
      page.line(command.synopsis(without: common))
    }
  }

  private func describe(
    _ command: CommandDeclaration, without common: [CommandDeclaration.Argument], _ page: inout Roff
  ) {
    page.macro("SS", command.synopsis(without: common))
    page.fill(Roff.prose(command.abstract))
    if !command.discussion.isEmpty { page.paragraphs(command.discussion, goesOn: true) }
    if let name = command.defaultSubcommand { page.paragraphs("Without a command: `\(name)`.", goesOn: true) }
    for argument in command.arguments where argument.isDisplayed && !common.contains(argument) {
      page.entry(argument.roff, Roff.prose(argument.meaning(among: command.arguments)))
    }
  }

  private func list(_ heading: String, _ entries: [ManualFacts.Entry], _ page: inout Roff) {
    page.macro("SH", heading)
    for entry in entries { page.entry("\\fB\(Roff.literal(entry.term))\\fR", Roff.prose(entry.meaning)) }
  }
}

extension [CommandDeclaration.Argument] {
  /// Those of two lists, each option once.
  fileprivate func merging(_ others: Self) -> Self {
    others.reduce(into: self) { all, option in
      if !all.contains(where: { $0.roff == option.roff }) { all.append(option) }
    }
  }
}

extension String {
  fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
