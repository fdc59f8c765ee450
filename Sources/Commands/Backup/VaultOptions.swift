package import ArgumentParser
import Backups
import Language

/// Which vault a command is about.
package struct VaultOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The vault's folder.", discussion: "Else the project's: `vault` of runbook.yaml, or backups/vault.",
      valueName: "dir"),
    completion: .directory)
  package var vault: String?

  @OptionGroup var options: ProjectOptions

  package init() {}

  /// The vault's absolute path.
  func path() throws -> String {
    if let vault { return absolute(vault) }
    return try options.load().vaultSettings.path
  }

  /// A path of the command line, absolute.
  func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : "\(options.surroundings.workingFolder)/\(path)"
  }
}
