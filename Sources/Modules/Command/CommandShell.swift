import Journal
import Processes
package import Schema
package import Steps

/// Runs a script with a shell.
package struct CommandShell: StepModule {
  package struct Input: Hashable, Sendable {
    package var script: String
    package var shell: String
    package var directory: String?
    package var env: [String: String]
    package var secretEnv: [String: Secret]
    package var secretFiles: [String: Secret]
    package var credentials: [String: Secret]
    package var exitCodes: [Int]
    package var outputLimit: Int
  }

  package typealias Output = CommandRun.Output

  package static let declaration = ModuleDeclaration(
    "command.shell", "Run a script with a shell.",
    discussion: """
      The script is given to the shell as it stands. Values reach it through its environment alone: `env: {NAME: "${…}"}`,
      and `"$NAME"` in the script, in quotes. An expression in the script itself is refused, since the shell would obey
      what it holds. The shell's own `${…}` is written `$${…}`.

      The script runs with `set -eu`: it ends at the first command that fails, and at a variable that is not set. In all
      else it is a command as `command.run` runs them: a session of its own, no input, a clean environment, secrets by
      `secretFiles`, `credentials` or `secretEnv`.

      A program that needs no shell is better run by `command.run`.
      """,
    effect: .change, mayOnlyObserve: true, repetition: .atMostOnce, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("script", \.script, .string, "What the shell is to do."),
      Field("shell", \.shell, .path, default: "/bin/sh", "The shell: one that takes `-eu` and `-c SCRIPT`."),
      Field("directory", \.directory, .optional(.path), "Where it starts; where runbook was started, if not given."),
      Field("env", \.env, .map(.string), default: [:], "Environment variables besides PATH, HOME and LANG."),
      Field("secretEnv", \.secretEnv, .map(.secret), default: [:], "Environment variables that hold secrets."),
      Field(
        "secretFiles", \.secretFiles, .map(.secret), default: [:],
        "Environment variables that hold the path of a file, /dev/fd/N, from which the script and its children read a secret."
      ),
      Field(
        "credentials", \.credentials, .map(.secret), default: [:],
        "Secrets as files of a folder in memory, by their names; `$CREDENTIALS_DIRECTORY` names the folder."),
      Field("exitCodes", \.exitCodes, .list(.int), default: [0], "Exit codes that are no failure."),
      Field(
        "outputLimit", \.outputLimit, .byteSize.within(0...64 << 20), default: 1 << 20,
        "How much is kept of each of its outputs, from the start.")
    ),
    output: CommandRun.declaration.output,
    examples: [
      .init(
        "No log of coturn is older than a day",
        with: """
          script: |
            newest=$(ls -t "$LOGS"/turn_*.log | head -n 1)
            test -n "$(find "$newest" -mtime -1)"
          env: {LOGS: /var/log/turnserver}
          """)
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    guard !input.script.allSatisfy(\.isWhitespace) else {
      throw .notStarted("command.empty", "the script is empty", advice: "Write what the shell is to do.")
    }
    var command = Command(input.shell, ["-eu", "-c", input.script])
    command.environment = input.env
    command.directory = input.directory
    command.outputLimit = input.outputLimit
    let secrets = CommandSecrets(
      variables: input.secretEnv, files: input.secretFiles, credentials: input.credentials)
    return try await StepCommand(command, named: "the script", secrets, exitCodes: input.exitCodes).result(in: context)
  }
}
