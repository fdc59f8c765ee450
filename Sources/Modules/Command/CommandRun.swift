import FoundationEssentials
import Glibc
import Journal
import Processes
package import Schema
package import Steps

/// Runs a program, without a shell.
package struct CommandRun: StepModule {
  package struct Input: Hashable, Sendable {
    package var command: [String]
    package var directory: String?
    package var env: [String: String]
    package var secretEnv: [String: Secret]
    package var secretFiles: [String: Secret]
    package var credentials: [String: Secret]
    package var exitCodes: [Int]
    package var outputLimit: Int
  }

  package struct Output: Hashable, Sendable {
    /// Nil if a signal ended it.
    package var exitCode: Int?
    package var signal: Int?
    package var stdout: String
    package var stderr: String
    package var truncated: Bool
    package var leaked: [String]
    package var elapsed: Duration
  }

  package static let declaration = ModuleDeclaration(
    "command.run", "Run a program with an argument vector, without a shell.",
    discussion: """
      The program gets a session of its own, no input, and a clean environment: `PATH`, `HOME`, `LANG` and what is
      declared. An argument stays an argument, whatever it holds. At the deadline its processes get TERM, and KILL ten
      seconds later. What it leaves behind is named in `leaked`.

      Only you know what it does. A step whose program only reads declares `effect: observe`: it is then allowed
      everywhere, and may be repeated.

      Secrets never stand in the arguments, which every user of the host can read. `secretFiles` and `credentials` are
      better than `secretEnv`, whose variables every program inherits that the program starts. If the program writes
      a secret out, `‹secret›` is recorded in its place.
      """,
    effect: .change, mayOnlyObserve: true, repetition: .atMostOnce, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("command", \.command, .list(.string).nonEmpty, "The program, by name or path, and its arguments."),
      Field("directory", \.directory, .optional(.path), "Where it starts; where runbook was started, if not given."),
      Field("env", \.env, .map(.string), default: [:], "Environment variables besides PATH, HOME and LANG."),
      Field("secretEnv", \.secretEnv, .map(.secret), default: [:], "Environment variables that hold secrets."),
      Field(
        "secretFiles", \.secretFiles, .map(.secret), default: [:],
        "Environment variables that hold the path of a file, /dev/fd/N, from which the program and its children read a secret."
      ),
      Field(
        "credentials", \.credentials, .map(.secret), default: [:],
        "Secrets as files of a folder in memory, by their names; `$CREDENTIALS_DIRECTORY` names the folder."),
      Field("exitCodes", \.exitCodes, .list(.int), default: [0], "Exit codes that are no failure."),
      Field(
        "outputLimit", \.outputLimit, .byteSize.within(0...64 << 20), default: 1 << 20,
        "How much is kept of each of its outputs, from the start.")
    ),
    output: Record(
      Output.init,
      Field("exitCode", \.exitCode, .optional(.int), "Exit code; absent if a signal ended it."),
      Field("signal", \.signal, .optional(.int), "Number of the signal that ended it."),
      Field("stdout", \.stdout, .string, "What it wrote to standard output."),
      Field("stderr", \.stderr, .string, "What it wrote to standard error."),
      Field("truncated", \.truncated, .bool, "True if an output was longer than is kept."),
      Field("leaked", \.leaked, .list(.string), "Processes that it left behind, by name and number."),
      Field("elapsed", \.elapsed, .duration, "From its start until nothing of it was left.")
    ),
    examples: [
      .init(
        "The configuration names a realm", with: "command: [grep, -q, ^realm=, /etc/turnserver.conf]"),
      .init(
        "The clock is synchronised", with: "command: [timedatectl, show, --property=NTPSynchronized, --value]",
        expect: ["output.stdout == 'yes\\n'"]),
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    guard let executable = input.command.first else {
      throw .notStarted("command.empty", "the command is empty", advice: "Give a program as the first element.")
    }
    var command = Command(executable, Array(input.command.dropFirst()))
    command.environment = input.env
    command.directory = input.directory
    command.outputLimit = input.outputLimit
    let secrets = CommandSecrets(variables: input.secretEnv, files: input.secretFiles, credentials: input.credentials)
    return try await StepCommand(command, named: executable, secrets, exitCodes: input.exitCodes).result(in: context)
  }

  /// Looks at the folder and the program, which may lie on a file system that does not answer: a thread of the supervision would wait
  /// for it without end, and nobody could say for what.
  static func awaitFileSystems(of command: Command) async throws(StepError) {
    let folder = FileManager.default.currentDirectoryPath
    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }
    let directory = command.directory.map(absolute)
    if let directory, await onAbandonedThread({ access(directory, X_OK) }) == nil {
      throw StepError(hangingAt: directory)
    }
    let look = await onAbandonedThread { () -> Bool in
      do throws(ProcessError) { try command.checkProgram() } catch { return false }
      return true
    }
    guard look == nil, !command.executable.isEmpty else { return }
    guard command.executable.contains("/") else {
      throw StepError(
        .interrupted,
        Finding(
          "host.fileSystemHangs", "\(command.executable) cannot be looked up: a file system in PATH does not answer",
          advice:
            "Give the program's full path, or look for the file system: `findmnt`, and the kernel's log (`dmesg`)."))
    }
    let base = command.executable.hasPrefix("/") ? "" : (directory ?? folder) + "/"
    throw StepError(hangingAt: base + command.executable)
  }

  static func notStarted(_ error: ProcessError) -> StepError {
    let advice =
      switch error.code {
      case .notFound: "Install the program, or give its full path."
      case .notExecutable: "Check the file's mode and its first line."
      case .lineEnds: "Save it with the line ends of Linux: sed -i 's/\\r$//' FILE"
      case .workingDirectory: "Check `directory`."
      default: "Look at the limits of this user."
      }
    return .notStarted("command.notStarted", error.message, advice: advice)
  }
}

extension CommandRun.Output {
  init(_ result: ProcessResult, masking: SecretMasking) {
    var exitCode: Int?
    var signal: Int?
    switch result.ending {
    case .exited(let status): exitCode = Int(status)
    case .signalled(let number): signal = Int(number)
    case .unkillable: break
    }
    self.init(
      exitCode: exitCode, signal: signal,
      stdout: masking.text(result.standardOutput.bytes, isCut: result.standardOutput.isTruncated),
      stderr: masking.text(result.standardError.bytes, isCut: result.standardError.isTruncated),
      truncated: result.standardOutput.isTruncated || result.standardError.isTruncated,
      leaked: result.leaked.map { "\($0.name) (\($0.pid))" }, elapsed: result.duration)
  }
}

extension Command {
  /// Runs as a step's command does: what it starts is recorded, so that it can be found again should the run die.
  func run(in context: StepContext, observer: OutputObserver? = nil) async throws(ProcessError) -> ProcessResult {
    try await run(
      observer: observer,
      started: { process in
        context.started(
          StartedProcess(
            program: executable, pid: Int(process.pid), startTime: Int(clamping: process.startTime),
            pidNamespace: OwnProcess.pidNamespace))
      })
  }
}
