import Coturn
import Glibc
import Journal
import Processes
import Schema
package import Steps

/// Has a running coturn take no new sessions, and end with the last one.
package struct CoturnDrain: StepModule {
  package struct Input: Hashable, Sendable {
    package var pidFile: String
    package var program: String
    package var wait: Duration
  }

  package struct Output: Hashable, Sendable {
    package var pid: Int
    package var version: String
    package var ended: Bool
    package var elapsed: Duration
  }

  package static let declaration = ModuleDeclaration(
    "coturn.drain", "Have coturn take no new sessions, and end with the last one.",
    discussion: """
      The server gets SIGUSR1, which has it drain from 4.6.3 on. It ends older versions at once, with every call. So the version of the running process is
      read first, from its program's file: below 4.6.3, or if it cannot be told, the step is not started (`coturn.cannotDrain`,
      `coturn.versionUnknown`). A draining server answers new allocations with 403, which `turn.drain` sees. It ends by itself once the
      last allocation is gone. Something that starts it again (`Restart=always`, a restart policy) undoes the drain.
      """,
    effect: .change, repetition: .atMostOnce, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("pidFile", \.pidFile, .path, "The file in which it writes its number."),
      Field(
        "program", \.program, .string, default: "turnserver", "Its program: a path, or a name to look for in PATH."),
      Field(
        "wait", \.wait, .duration.within(.zero ... .seconds(86_400)), default: .zero, "How long to wait for its end.")
    ),
    output: Record(
      Output.init,
      Field("pid", \.pid, .int, "The process that drains."),
      Field("version", \.version, .string, "Its version."),
      Field("ended", \.ended, .bool, "Whether it has ended within `wait`."),
      Field("elapsed", \.elapsed, .duration, "How long it was waited for.")
    ),
    examples: [
      .init("No new sessions", with: "pidFile: /run/turnserver/turnserver.pid\nwait: 30s", expect: ["output.ended"])
    ])

  package init() {}

  /// The first version that drains.
  private static let first = CoturnVersion(4, 6, 3)

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let look = try ManagedProcess(pidFile: input.pidFile, program: input.program).look()
    guard let found = look.process else {
      throw .notStarted(
        "process.notRunning", "the server does not run: \(look.reason ?? "no process is known")",
        advice: "There is nothing to drain.")
    }
    let version = try Self.version(of: found)
    let process = try CoturnSignal(SIGUSR1, "SIGUSR1").process(input.pidFile, input.program)
    guard let identity = process.identity else {
      throw .notStarted("process.notRunning", "\(process.title) has just ended", advice: "There is nothing to drain.")
    }
    try process.send(SIGUSR1)
    let began = ContinuousClock.now
    while identity.isRunning, began.duration(to: .now) < input.wait {
      do { try await Task.sleep(for: .milliseconds(100)) } catch {
        throw StepError(
          .interrupted,
          Finding(
            "coturn.drains", "\(process.title) was told to drain, and goes on with its sessions",
            advice: "It ends with the last of them; `turn.drain` tells whether it takes new ones."))
      }
    }
    return .done(
      Output(
        pid: process.pid, version: "\(version)", ended: !identity.isRunning, elapsed: began.duration(to: .now)))
  }

  package func reconcile(_ input: Input, in context: StepContext) async throws(StepError) -> Reconciliation {
    let look = try ManagedProcess(pidFile: input.pidFile, program: input.program).look()
    guard let process = look.process else { return .done(nil) }
    return .unknown("whether \(process.title) was told to drain; `turn.drain` sees whether it takes new sessions")
  }

  private static func version(of process: ProcessFacts) throws(StepError) -> CoturnVersion {
    let name = ProgramFile.name(in: "\(process.folder)/exe")
    guard let name, let version = CoturnVersion(name.drop { !$0.isNumber }) else {
      throw .notStarted(
        "coturn.versionUnknown", "which version \(process.title) is cannot be read from its program: nothing was sent",
        advice: "Before 4.6.3 the signal to drain ends the server. Run this as root, or wait for its sessions to end.")
    }
    guard version >= first else {
      throw .notStarted(
        "coturn.cannotDrain",
        "\(process.title) is coturn \(version), which does not drain before 4.6.3: nothing was sent",
        advice:
          "The signal would end every call. Stop giving this server to clients (DNS, credentials API), and wait for its sessions to end."
      )
    }
    return version
  }
}
