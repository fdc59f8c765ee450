import Glibc
import Journal
import Processes
import Schema
package import Steps

/// Whether this host's clock is right.
package struct HostClock: StepModule {
  package struct Input: Hashable, Sendable {
    package var server: String?
    package var serverPort: Int
  }

  package struct Output: Hashable, Sendable {
    package var synchronised: Bool
    package var keeper: ClockKeeper
    package var maximumError: Duration?
    package var offset: Duration?
    package var deviation: Duration?
    package var delay: Duration?
    package var stratum: Int?
  }

  package static let declaration = ModuleDeclaration(
    "host.clock", "Whether this host's clock is kept, and how far it is off.",
    discussion: """
      `synchronised` is what chrony tells if it keeps the clock, else what the kernel does; if that is forbidden, as in a container,
      what systemd-timesyncd has left in /run/systemd/timesync. It is an error if nobody tells. With `server`
      a time server is asked (SNTP), which shows an offset that they do not know of. `offset` is how far this host's clock is ahead,
      by the time server, or else by chrony; `deviation` is the same without its sign.

      REST credentials of TURN hold until a moment that is written in them: a server whose clock is ahead refuses those that a
      right clock has made, with 401. Two programs that keep the clock work against each other; that is a warning.
      """,
    effect: .observe, judges: true,
    programs: [RequiredProgram("chronyc", package: "chrony", ifRunning: "chronyd")], deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("server", \.server, .optional(.host), "A time server to compare with."),
      Field("serverPort", \.serverPort, .port, default: 123, "Its port.")
    ),
    output: Record(
      Output.init,
      Field("synchronised", \.synchronised, .bool, "Whether a program keeps the clock and follows a time server."),
      Field("keeper", \.keeper, .enumeration(ClockKeeper.self), "The program that keeps it."),
      Field(
        "maximumError", \.maximumError, .optional(.duration),
        "How far it may be off at most, by the kernel; absent if it is not kept."),
      Field(
        "offset", \.offset, .optional(.duration), "How far it is ahead; negative if it is behind; absent if not known."),
      Field("deviation", \.deviation, .optional(.duration), "How far it is off."),
      Field(
        "delay", \.delay, .optional(.duration), "The round trip to the time server: the offset is known to half of it."),
      Field(
        "stratum", \.stratum, .optional(.int), "How many servers the time server is away from a clock, itself included."
      )
    ),
    examples: [
      .init(
        "The clock is right to a second", with: "server: pool.ntp.org",
        expect: ["output.synchronised", "output.?deviation.orValue(duration('1h')) < duration('1s')"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let keepers = ClockKeeper.running()
    var output = Output(synchronised: false, keeper: keepers.first ?? .none)
    if keepers.contains(.chrony), let tracking = await Self.tracking(in: context) {
      // chrony tells the kernel only if it is to keep the hardware's clock too (`rtcsync`).
      output.synchronised = tracking.isSynchronised
      output.offset = tracking.offset
      if let kernel = try? KernelClock.now(), kernel.isSynchronised { output.maximumError = kernel.maximumError }
    } else {
      do throws(StepError) {
        let kernel = try KernelClock.now()
        output.synchronised = kernel.isSynchronised
        if kernel.isSynchronised { output.maximumError = kernel.maximumError }
      } catch {
        // A container may keep the kernel's word from us: systemd-timesyncd leaves its own.
        guard keepers.contains(.timesyncd) else { throw error }
        output.synchronised = ClockKeeper.hasTimesyncdSynchronised
      }
    }
    if let host = input.server {
      let server = TimeServer(host: host, port: UInt16(clamping: input.serverPort))
      let patience = max(.milliseconds(100), min(.seconds(2), context.remaining / 8))
      let asked = await onAbandonedThread { () -> Result<TimeServerAnswer, StepError> in
        do throws(StepError) { return .success(try server.ask(patience: patience)) } catch { return .failure(error) }
      }
      guard let asked else {
        throw StepError(
          .interrupted,
          Finding(
            "host.timeServerCut", "the step was to end before \(host) had answered",
            advice: "Raise the timeout of the step, or ask a server that is nearer."))
      }
      switch asked {
      case .success(let answer):
        (output.offset, output.delay, output.stratum) = (answer.offset, answer.delay, answer.stratum)
      case .failure(let error): throw error
      }
    }
    output.deviation = output.offset.map { $0 < .zero ? .zero - $0 : $0 }
    guard keepers.count < 2 else {
      return .warned(
        output,
        Finding(
          "host.severalClockKeepers",
          "several programs keep the clock: \(keepers.map(\.rawValue).joined(separator: ", "))",
          advice: "Keep one of them, and disable the others."))
    }
    return .done(output)
  }

  /// Nil if chronyd cannot be asked.
  private static func tracking(in context: StepContext) async -> ChronyTracking? {
    var command = Command("chronyc", ["-n", "-c", "tracking"])
    command.timeout = .seconds(5)
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run(in: context) } catch { return nil }
    return result.isSuccess ? ChronyTracking(result.standardOutput.text) : nil
  }
}
