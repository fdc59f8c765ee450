import ArgumentParser

/// The words of the command line, as its parser expects them.
struct CommandWords {
  /// The options of the project may stand before the command; here they stand behind it. Behind a command that there is none
  /// of, nothing follows, `--help` neither: it is the mistake to tell of.
  let words: [String]
  /// The command that needs another one behind it, where none was given.
  let groupWithoutCommand: (any ParsableCommand.Type)?

  private static let projectOptions = ["--project", "--env-file"]

  /// Whether the process's arguments ask for ``DebugLog``. What stands behind `--` is another program's.
  static func isDebug(_ arguments: [[UInt8]]) -> Bool {
    arguments.prefix { $0 != Array("--".utf8) }.contains(Array(DebugLog.option.utf8))
  }

  init(_ given: [String]) {
    let own = given.prefix { $0 != "--" }
    var rest = (own.filter { $0 != DebugLog.option } + given[own.endIndex...])[...]
    var options: [String] = []
    while let word = rest.first {
      if Self.projectOptions.contains(word) {
        options += rest.prefix(2)
        rest = rest.dropFirst(2)
      } else if Self.projectOptions.contains(where: { word.hasPrefix("\($0)=") }) {
        options.append(word)
        rest = rest.dropFirst()
      } else {
        break
      }
    }
    var path: [String] = []
    var command: any ParsableCommand.Type = RunbookCommand.self
    while let name = rest.first, let next = command.subcommand(named: name) {
      path.append(name)
      command = next
      rest = rest.dropFirst()
    }
    let isGroup = !command.configuration.subcommands.isEmpty
    let isIncomplete = isGroup && rest.isEmpty && command.configuration.defaultSubcommand == nil
    groupWithoutCommand = isIncomplete ? command : nil
    if isGroup, let word = rest.first, !word.hasPrefix("-"), word != "help" { rest = [word] }
    // The root does nothing by itself, and knows no options of the project.
    words = path + (path.isEmpty ? [] : options) + rest
  }
}

extension ParsableCommand {
  fileprivate static func subcommand(named name: String) -> (any ParsableCommand.Type)? {
    configuration.subcommands.first { $0._commandName == name || $0.configuration.aliases.contains(name) }
  }
}
