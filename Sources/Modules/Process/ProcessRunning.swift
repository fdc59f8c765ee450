import Glibc
package import Journal
import Processes
import Schema
package import Steps

/// Whether a program runs, and how often.
package struct ProcessRunning: StepModule {
  package struct Input: Hashable, Sendable {
    package var name: String?
    package var executable: String?
    package var unit: String?
    package var pidFile: String?
    package var pid: Int?
    package var user: String?
    package var atLeast: Int
    package var atMost: Int?

    fileprivate var choice: ProcessChoice {
      ProcessChoice(name: name, executable: executable, unit: unit, pidFile: pidFile, pid: pid)
    }
  }

  package struct Found: Hashable, Sendable {
    package var pid: Int
    package var name: String
    package var executable: String?
    package var replaced: Bool
    package var user: String
    package var age: Duration
  }

  package struct Output: Hashable, Sendable {
    package var count: Int
    package var processes: [Found]
    package var stopped: Int
    package var zombies: Int
  }

  private static let found = Record(
    Found.init,
    Field("pid", \.pid, .int, "Its number."),
    Field("name", \.name, .string, "What it calls itself, cut by the kernel at 15 bytes."),
    Field("executable", \.executable, .optional(.path), "Its program; absent if this user may not see it."),
    Field(
      "replaced", \.replaced, .bool, "Whether the program's file was replaced or removed since: a restart is due."),
    Field("user", \.user, .string, "By whose rights it acts."),
    Field("age", \.age, .duration, "How long ago it was started.")
  )

  package static let declaration = ModuleDeclaration(
    "process.running", "Whether a program runs, and how often.",
    discussion: """
      A process is found by the program's name or file, by the control group of its systemd unit, or by its PID file. What is
      given must all fit. Threads are no processes; one that has ended and is not reaped, or is stopped, does not run.

      By `name`: the name of the program's file, or of a script, in full. The kernel cuts the name that a process has at 15
      bytes, and the process may change it. One that only calls itself so is an error, and never a pass.

      By `pidFile`: a number that has passed to another process is told by the time at which that was started, or by what else
      is given. Without permission to see the processes of others it is an error, and never "does not run".
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("name", \.name, .optional(.string), "The program's name, in full."),
      Field("executable", \.executable, .optional(.path), "The program's file."),
      Field("unit", \.unit, .optional(.string), "The systemd unit to whose control group it belongs."),
      Field("pidFile", \.pidFile, .optional(.path), "The file that holds the number of the process."),
      Field("pid", \.pid, .optional(.int), "The number of the process."),
      Field("user", \.user, .optional(.string), "The user by whose rights each must act: a name or UID."),
      Field("atLeast", \.atLeast, .int.within(0...1_000_000), default: 1, "How many must run."),
      Field("atMost", \.atMost, .optional(.int), "How many may run.")
    ),
    output: Record(
      Output.init,
      Field("count", \.count, .int, "How many run."),
      Field("processes", \.processes, .list(.record(found)), "Those that run."),
      Field("stopped", \.stopped, .int, "How many are stopped, by a signal or a debugger."),
      Field("zombies", \.zombies, .int, "How many have ended, and are not reaped.")
    ),
    examples: [
      .init("Exactly one TURN server runs", with: "name: turnserver\natMost: 1"),
      .init(
        "The unit's process is the program on the disk", with: "unit: coturn.service\nuser: turnserver",
        expect: ["output.processes.all(p, !p.replaced)"]),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? { input.choice.objection }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = input.choice.objection { throw StepError(.notStarted, objection) }
    let account = try input.user.map { (text) throws(StepError) in try FileUser(text) }
    let found = try input.choice.find()
    let running = found.filter { !$0.entry.isZombie && !$0.isStopped }
    let users = running.map { $0.user }
    let output = Output(
      count: running.count, processes: zip(running, users).map { Found($0, user: $1) },
      stopped: found.count { $0.isStopped && !$0.entry.isZombie }, zombies: found.count { $0.entry.isZombie })
    guard running.count >= input.atLeast else {
      let others = found.filter { process in !running.contains { $0.pid == process.pid } }
      guard running.isEmpty else { return .failed(output, Self.tooFew(input, running.count)) }
      return .failed(output, input.choice.notRunning(others))
    }
    if let most = input.atMost, running.count > most { return .failed(output, Self.tooMany(input, running)) }
    if let account, let place = users.firstIndex(where: { $0 != account.user }) {
      return .failed(
        output,
        Finding(
          "process.otherUser",
          "\(running[place].title) runs as \(ProcessFacts.userName(users[place])), not of \(input.user ?? "")",
          advice:
            "Look at `User=` of its unit, or at the options by which it gives up its rights (coturn: `proc-user`)."))
    }
    return .done(output)
  }

  private static func tooFew(_ input: Input, _ count: Int) -> Finding {
    Finding(
      "process.tooFew", "\(count) processes \(input.choice.title) run, and \(input.atLeast) must",
      advice: "Look at the service's log for those that ended.")
  }

  private static func tooMany(_ input: Input, _ running: [ProcessFacts]) -> Finding {
    Finding(
      "process.tooMany",
      "\(running.count) processes \(input.choice.title) run, and \(input.atMost ?? 0) may: \(running.map(\.title).joined(separator: ", "))",
      advice:
        "Two TURN servers on one port divide the clients between them without an error: end the one that is too many.")
  }
}

extension ProcessRunning.Found {
  fileprivate init(_ process: ProcessFacts, user: uid_t?) {
    self.init(
      pid: process.pid, name: process.entry.name, executable: process.executablePath, replaced: process.isReplaced,
      user: ProcessFacts.userName(user), age: process.age)
  }
}
