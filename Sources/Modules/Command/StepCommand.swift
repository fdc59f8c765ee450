import Journal
import Processes
import Schema
import Steps

/// A command as a step runs it: with its secrets, and judged by how it ends.
struct StepCommand {
  private var command: Command
  private let name: String
  private let secrets: CommandSecrets
  private let exitCodes: [Int]

  /// - Parameters:
  ///   - name: what findings call it.
  ///   - exitCodes: those that are no failure.
  init(_ command: Command, named name: String, _ secrets: CommandSecrets, exitCodes: [Int]) {
    self.command = command
    self.name = name
    self.secrets = secrets
    self.exitCodes = exitCodes
  }

  func result(in context: StepContext) async throws(StepError) -> StepResult<CommandRun.Output> {
    var command = command
    let folder = try secrets.hand(to: &command)
    try await CommandRun.awaitFileSystems(of: command)
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run(in: context) } catch {
      throw CommandRun.notStarted(error)
    }
    // What the command needs of them it has read by now.
    withExtendedLifetime(folder) {}
    let output = CommandRun.Output(result, masking: secrets.masking)
    if result.ending == .unkillable {
      throw StepError(
        .interrupted,
        Finding(
          "command.unkillable", "\(name) cannot be ended, not even by KILL: it waits inside the kernel",
          advice:
            "Mostly that is a file system or a disk that does not answer: look at the kernel's log (`dmesg`) and at `findmnt`."
        ))
    }
    if let interruption = result.interruption {
      throw StepError(
        .interrupted,
        Finding(
          "command.interrupted",
          "\(name) was ended at \(interruption == .timeout ? "its deadline" : "the run's request")",
          advice: lastLine(of: output)))
    }
    guard case .exited(let status) = result.ending, exitCodes.contains(Int(status)) else {
      return .failed(output, Finding("command.failed", "\(name) \(Self.ending(result.ending))"))
    }
    guard output.leaked.isEmpty else {
      return .warned(
        output,
        Finding(
          "command.leaked", "\(name) left processes behind: \(output.leaked.joined(separator: ", "))",
          advice: "Start daemons with their service manager."))
    }
    return .done(output)
  }

  private static func ending(_ ending: ProcessResult.Ending) -> String {
    switch ending {
    case .exited(let status): "ended with exit code \(status)"
    case .signalled(let signal): "was ended by signal \(signal)"
    case .unkillable: "cannot be ended, not even by KILL"
    }
  }

  private func lastLine(of output: CommandRun.Output) -> String? {
    let text = output.stderr.isEmpty ? output.stdout : output.stderr
    return text.split(separator: "\n").last.map { "Its last line was: \($0.prefix(300))" }
  }
}

/// The secrets of a command, by the ways in which it gets them.
struct CommandSecrets {
  /// By environment variable.
  let variables: [String: Secret]
  /// By the environment variable that holds the path of a file in memory.
  let files: [String: Secret]
  /// By the name of the file in the folder of credentials.
  let credentials: [String: Secret]

  /// So that none of them is recorded.
  var masking: SecretMasking {
    SecretMasking(Array(variables.values) + Array(files.values) + Array(credentials.values))
  }

  /// Gives them to a command. The folder of credentials goes when nobody holds it any more.
  func hand(to command: inout Command) throws(StepError) -> CredentialFolder? {
    func handed(_ secrets: [String: Secret], _ delivery: Command.Credential.Delivery) -> [Command.Credential] {
      secrets.sorted { $0.key < $1.key }.map { name, secret in
        Command.Credential(variable: name, secret: Array(secret.revealText().utf8), delivery: delivery)
      }
    }
    command.credentials = handed(variables, .variable) + handed(files, .descriptor)
    guard !credentials.isEmpty else { return nil }
    let folder = try CredentialFolder(credentials)
    command.environment["CREDENTIALS_DIRECTORY"] = folder.path
    return folder
  }
}
