package import ArgumentParser
import Backups
import Journal
import Language
import Ledger
import Modules
import Runs
import Schema
import Steps

/// What the commands about one set of backups share: they do what a step of a runbook does, by hand.
package struct BackupStepOptions: ParsableArguments {
  @Option(help: "text or json.") var format: OutputFormat = .text

  @Option(
    help: ArgumentHelp("How long it may take.", valueName: "duration"))
  package var timeout: String?

  @OptionGroup var place: VaultOptions

  package init() {}

  package func validate() throws {
    guard let timeout else { return }
    guard let time = parseDuration(timeout), time > .zero else {
      throw ValidationError("--timeout takes a duration with its unit, such as 10m; found \"\(timeout)\"")
    }
  }

  /// A path of the command line, absolute.
  func absolute(_ path: String) -> String { place.absolute(path) }

  /// The identities of a key file, as a secret.
  func identity(_ file: String?) throws -> Value.Member? {
    try file.map { file in
      let text = String(decoding: try InputReader.read(file), as: UTF8.self)
      return .init("identity", .secret(Secret(text)))
    }
  }

  /// Does the step, tells on standard error how it goes on, prints what came of it, and ends with its exit code.
  func run(_ name: String, _ members: [Value.Member?]) async throws {
    guard let module = Catalog.standard[name] else { throw CommandFailure(.error, "there is no module \(name)") }
    let input: Value
    do {
      input = .members(
        try module.input.admit([.init("vault", .string(try place.path()))] + members.compactMap(\.self)))
    } catch let error as Mismatch {
      throw CommandFailure(.invalid, "\(error.path): \(error.message)")
    }
    let project = try? place.options.loadIfThere()
    let signals = EndingSignals()
    let session = ProbeSession(
      services: Services(history: project?.ledger ?? Ledger([]), vault: project?.vaultIfAny), signals: signals,
      version: runbookVersion)
    let display = LiveDisplay(.standardError, .lineOnly)
    let result = try await display.whileShown {
      try await session.run(
        module, input, title: name, timeout: timeout.flatMap { parseDuration($0) } ?? module.deadline,
        watch: { display.show($0.notice) })
    }
    Terminal.standardOutput.write(ProbeReport(module: module, result: result).text(format))
    let status = result.isStarted ? ExitStatus(result.outcome, signal: signals.first) : .invalid
    guard status == .passed else { throw CommandFailure(status, isAfterOutput: true) }
  }
}
