package import ArgumentParser
import Journal
import Lab
import Language
import Processes
import Runs
import Schema

/// `runbook lab`.
package struct LabCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "lab",
    abstract: "Run real coturn servers on loopback, to try things, for drills and tests.",
    discussion: """
      The lab is two coturn servers with free ports: `lab` has a user with a long-term credential, `lab-rest` a secret from \
      which time-limited credentials are made. Both listen on UDP, TCP, TLS and DTLS, with a certificate of an authority \
      made on the spot.

      The lab lives in the project's state folder and is gone without a trace after `lab down`. `runbook run NAME --lab` \
      and `runbook probe PROBE --lab` start it if need be and stop what they started. If a server of a lab that is up has died, \
      they and `lab exec` say so and start none; `lab status` exits with 1.

        runbook lab up
        runbook lab status
        runbook lab exec -- runbook probe turn.allocate
        runbook lab down
      """,
    subcommands: [Up.self, Down.self, Status.self, Exec.self], defaultSubcommand: Status.self)

  package init() {}

  struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Start the lab, and keep it until `lab down`.")
    @OptionGroup var options: ProjectOptions

    func run() async throws {
      let lab = Lab(folder: try options.load(isLab: true).labFolder)
      let (state, started) = try await lab.start(for: .person)
      Terminal.standardOutput.write((started ? "started\n" : "it runs already\n") + describe(state))
    }
  }

  struct Down: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Stop the lab and leave nothing behind.")
    @OptionGroup var options: ProjectOptions

    func run() async throws {
      let lab = Lab(folder: try options.load(isLab: true).labFolder)
      do { try await lab.down() } catch { throw CommandFailure(.error, error.message) }
    }
  }

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say whether the lab runs, and where.")
    @Option(help: "text or json.") var format: OutputFormat = .text
    @OptionGroup var options: ProjectOptions

    func run() async throws {
      let status = Lab(folder: try options.load(isLab: true).labFolder).status()
      switch (format, status) {
      case (.json, _): Terminal.standardOutput.write(json(status).text(.indented) + "\n")
      case (.text, .up(let state)): Terminal.standardOutput.write(describe(state))
      case (.text, .down): Terminal.standardOutput.write("down; start it with: runbook lab up\n")
      case (.text, .remains):
        Terminal.standardOutput.write("remains of one that died; clear them away with: runbook lab down\n")
      }
      if status == .remains { throw CommandFailure(.failed) }
    }
  }

  struct Exec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run a program with the lab's servers in its environment.",
      discussion: """
        The environment has TURN_SERVER, TURN_USERNAME, TURN_CREDENTIAL and TURN_TLS_SERVER of `lab`, TURN_REST_SERVER and \
        TURN_REST_SECRET of `lab-rest`, and TURN_CA; RUNBOOK_LAB is the lab's folder. A runbook that finds it takes servers \
        from the environment alone: neither from .env nor from the targets of runbook.yaml. Example:

          runbook lab exec -- runbook probe turn.allocate
        """)
    @OptionGroup var options: ProjectOptions

    @Argument(parsing: .postTerminator, help: ArgumentHelp("The program and its arguments.", valueName: "cmd"))
    var command: [String] = []

    func run() async throws {
      guard let program = command.first else {
        throw CommandFailure(.invalid, "nothing to run: give a program after --, as in runbook lab exec -- env")
      }
      let lab = Lab(folder: try options.load(isLab: true).labFolder)
      let ending = try await lab.whileUp(EndingSignals()) { state in
        do throws(ProcessError) {
          return try await runInForeground(program, Array(command.dropFirst()), environment: environment(of: state))
        } catch { throw CommandFailure(.invalid, error.message) }
      }
      switch ending {
      case .exited(0): return
      case .exited(let code): throw CommandFailure(.program(code))
      case .signalled(let number): throw CommandFailure(.signalled(Int(number)))
      case .unkillable: throw CommandFailure(.error, "\(program) cannot be ended")
      }
    }

    /// The lab's, and nothing of another server.
    private func environment(of state: LabState) -> [String: String?] {
      var variables = Dictionary(uniqueKeysWithValues: Project.targetVariables.map { ($0, String?.none) })
      for (name, value) in state.environment { variables[name] = value }
      variables[Project.labVariable] = state.folder
      return variables
    }
  }
}

/// `{state, servers, logs}`, without secrets.
private func json(_ status: Lab.Status) -> JSON {
  switch status {
  case .up(let state):
    ["state": "up", "servers": .array(state.targets.map(json)), "logs": .string(state.folder)]
  case .down: ["state": "down", "servers": [], "logs": .null]
  case .remains: ["state": "remains", "servers": [], "logs": .null]
  }
}

private func json(_ target: LabTarget) -> JSON {
  let uris = LabTarget.LabTransport.allCases.map { JSON.Member($0.rawValue, .string(target.uri($0))) }
  return [
    "name": .string(target.name), "realm": .string(target.realm),
    "username": target.username.map(JSON.string) ?? .null, "uris": .object(uris),
  ]
}

/// The lab's servers and what they need, for people. Secrets are read from the environment of `lab exec`.
private func describe(_ state: LabState) -> String {
  var text = ""
  for target in state.targets {
    let proof = target.username.map { "user \($0)" } ?? "REST secret"
    text += "\(target.name)  realm \(target.realm), \(proof)\n"
    for transport in LabTarget.LabTransport.allCases { text += "  \(target.uri(transport))\n" }
  }
  return text + "logs in \(state.folder)\n"
}
