import Docker
package import Journal
package import Schema
package import Steps

/// Runs a program in a container.
package struct DockerExec: StepModule {
  package struct Input: Hashable, Sendable {
    package var container: String?
    package var project: String?
    package var service: String?
    package var command: [String]
    package var user: String?
    package var directory: String?
    package var env: [String: String]
    package var secretEnv: [String: Secret]
    package var exitCodes: [Int]
    package var outputLimit: Int
    package var engine: String?
    package var certificates: String?

    fileprivate var target: DockerTarget {
      DockerTarget(
        container: container, project: project, service: service, engine: engine, certificates: certificates)
    }
  }

  package struct Output: Hashable, Sendable {
    package var name: String
    package var exitCode: Int
    package var stdout: String
    package var stderr: String
    package var truncated: Bool
    package var elapsed: Duration
  }

  package static let declaration = ModuleDeclaration(
    "docker.exec", "Run a program in a container, without a shell.",
    discussion: """
      The program must be in the container's image: small images have no shell. It gets the container's environment, and no input.

      Only you know what it does. A step whose program only reads declares `effect: observe`: it is then allowed everywhere, and may be
      repeated.

      Docker cannot end such a program. One that has not ended by the deadline goes on in the container, and the finding names its number on
      the engine's host. Give programs a deadline of their own: `[timeout, 10s, …]`.
      """,
    effect: .change, mayOnlyObserve: true, repetition: .atMostOnce, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      DockerFields.container(\.container),
      DockerFields.project(\.project),
      DockerFields.service(\.service),
      Field("command", \.command, .list(.string).nonEmpty, "The program, by name or path, and its arguments."),
      Field("user", \.user, .optional(.string), "By whose rights it acts; those of the container, if not given."),
      Field("directory", \.directory, .optional(.path), "Where it starts, in the container."),
      Field("env", \.env, .map(.string), default: [:], "Environment variables besides those of the container."),
      Field("secretEnv", \.secretEnv, .map(.secret), default: [:], "Environment variables that hold secrets."),
      Field("exitCodes", \.exitCodes, .list(.int), default: [0], "Exit codes that are no failure."),
      Field(
        "outputLimit", \.outputLimit, .byteSize.within(0...64 << 20), default: 1 << 20,
        "How much is kept of each of its outputs, from the start."),
      DockerFields.engine(\.engine),
      DockerFields.certificates(\.certificates)
    ),
    output: Record(
      Output.init,
      Field("name", \.name, .string, "The container's name."),
      Field("exitCode", \.exitCode, .int, "Exit code."),
      Field("stdout", \.stdout, .string, "What it wrote to standard output."),
      Field("stderr", \.stderr, .string, "What it wrote to standard error."),
      Field("truncated", \.truncated, .bool, "True if an output was longer than is kept."),
      Field("elapsed", \.elapsed, .duration, "From its start to its end.")
    ),
    examples: [
      .init(
        "The container has the configuration", with: "{container: coturn, command: [test, -s, /etc/turnserver.conf]}")
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? { input.target.objection }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let deadline = context.requestDeadline
    let look: ContainerLook
    let execution: String
    do throws(DockerError) {
      look = try await input.target.look(by: deadline)
      execution = try await look.engine.prepare(Self.command(input), in: look.container.id, by: deadline)
    } catch {
      throw StepError(error, .changeNotBegun)
    }
    let (stdout, stderr) = (KeptText(limit: input.outputLimit), KeptText(limit: input.outputLimit))
    let start = ContinuousClock.now
    do throws(DockerError) {
      try await look.engine.run(execution, by: deadline) { stream, text in
        (stream == .standardOutput ? stdout : stderr).add(text)
      }
    } catch {
      guard error.code == .interrupted || error.code == .engineSilent else { throw StepError(error, .changeBegun) }
      throw await Self.interrupted(look, execution)
    }
    let elapsed = start.duration(to: .now)
    let state: ContainerExecution
    do throws(DockerError) { state = try await look.engine.state(of: execution, by: deadline) } catch {
      throw StepError(error, .changeBegun)
    }
    guard let exitCode = state.exitCode else { throw await Self.interrupted(look, execution) }
    let masking = SecretMasking(Array(input.secretEnv.values))
    let (output, errors) = (stdout.all, stderr.all)
    let (isOutputCut, areErrorsCut) = (output.count > output.bytes.count, errors.count > errors.bytes.count)
    let result = Output(
      name: look.container.name, exitCode: exitCode, stdout: masking.text(output.bytes, isCut: isOutputCut),
      stderr: masking.text(errors.bytes, isCut: areErrorsCut), truncated: isOutputCut || areErrorsCut, elapsed: elapsed)
    guard input.exitCodes.contains(exitCode) else {
      return .failed(
        result,
        Finding(
          "docker.execFailed", "\(input.command[0]) in \(look.container.name) ended with exit code \(exitCode)",
          advice: [126, 127].contains(exitCode)
            ? "The image has no such program, or this user may not run it."
            : "Look at its output, in the step's output."))
    }
    return .done(result)
  }

  private static func command(_ input: Input) -> ContainerCommand {
    var command = ContainerCommand(input.command)
    command.user = input.user
    command.directory = input.directory
    command.environment =
      input.env.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      + input.secretEnv.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.revealText())" }
    return command
  }

  /// It goes on in the container. Asked in a task of its own, since this one may be cancelled.
  private static func interrupted(_ look: ContainerLook, _ execution: String) async -> StepError {
    let state = await Task { try? await look.engine.state(of: execution, by: .now + .seconds(2)) }.value
    let place: Sentence = state?.pid.map { ", as process \($0) of the engine's host" } ?? ""
    return StepError(
      .interrupted,
      Finding(
        "docker.execGoesOn", "the program in \(look.container.name) was not waited for, and may go on there\(place)",
        advice: "Docker cannot end it: end it on the host, or restart the container, which ends every call."))
  }
}
