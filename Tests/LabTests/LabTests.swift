import Glibc
import Lab
import Processes
import TestSupport
import Testing

/// A lab in a folder of one test's own, taken down with it whatever becomes of the test.
private func withLab(
  program: String = "turnserver", _ body: (Lab, TemporaryFolder) async throws -> Void
) async throws {
  let folder = try TemporaryFolder()
  let lab = Lab(folder: folder.path + "/lab", program: program)
  do {
    try await body(lab, folder)
  } catch {
    try await lab.down()
    throw error
  }
  try await lab.down()
  #expect(folder.names().allSatisfy { !$0.hasPrefix("lab") })
}

private func servers(_ state: LabState) -> [ProcessIdentity] { state.targets.map(\.server.process) }

private func ports(_ state: LabState) -> [UInt16] {
  state.targets.flatMap { [$0.server.port] + [$0.server.tlsPort].compactMap(\.self) }
}

/// A process that does nothing, to hold the lab or to be mistaken for a server.
private func bystander() throws -> ProcessIdentity {
  try Command("sleep", ["1000"]).startDetached(log: "/dev/null")
}

@Suite("The lab")
struct LabTests {
  @Test("answers on UDP, TCP, TLS and DTLS, with two servers of different kinds")
  func up() async throws {
    try await withLab { lab, _ in
      let (state, started) = try await lab.up(for: .person)
      #expect(started)
      #expect(state.targets.map(\.name) == ["lab", "lab-rest"])
      #expect(Set(ports(state)).count == 4)
      #expect(state.targets[0].secret == nil && state.targets[1].username == nil)
      for target in state.targets {
        #expect(stunBinding(port: target.server.port))
        for transport in ["-tls1_2", "-tls1_3", "-dtls1_2"] {
          let port = try #require(target.server.tlsPort)
          var client = Command(
            "openssl",
            [
              "s_client", transport, "-connect", "127.0.0.1:\(port)", "-CAfile", target.authority,
              "-verify_return_error", "-verify_ip", "127.0.0.1",
            ])
          client.timeout = .seconds(10)
          let result = try await client.run()
          #expect(result.standardOutput.text.contains("Verify return code: 0 (ok)"), "\(transport)")
        }
      }
    }
  }

  @Test("keeps its secrets out of every argument vector and readable for its owner only")
  func secrecy() async throws {
    try await withLab { lab, folder in
      let state = try await lab.up(for: .person).state
      let secrets = state.targets.compactMap { $0.credential ?? $0.secret }
      #expect(secrets.count == 2 && secrets.allSatisfy { $0.utf8.count == 48 })
      for server in servers(state) {
        let arguments = try await Command("cat", ["/proc/\(server.pid)/cmdline", "/proc/\(server.pid)/environ"]).run()
        for secret in secrets { #expect(!arguments.standardOutput.text.contains(secret)) }
      }
      for file in ["state.json", "lab/turnserver.conf", "lab-rest/turnserver.conf", "lab/server-key.pem"] {
        #expect(folder.mode("lab/" + file) == 0o600, "\(file)")
      }
      #expect(folder.mode("lab") == 0o700)
      #expect(!"\(state.targets[0])".contains(secrets[0]))
    }
  }

  @Test("tells a program in its environment where it is")
  func environment() async throws {
    try await withLab { lab, _ in
      let state = try await lab.up(for: .person).state
      let variables = state.environment
      #expect(variables["TURN_SERVER"] == "turn:127.0.0.1:\(state.targets[0].server.port)?transport=udp")
      #expect(variables["TURN_USERNAME"] == "runbook")
      #expect(variables["TURN_CREDENTIAL"] == state.targets[0].credential)
      #expect(variables["TURN_REST_SERVER"] == "turn:127.0.0.1:\(state.targets[1].server.port)?transport=udp")
      #expect(variables["TURN_REST_SECRET"] == state.targets[1].secret)
      #expect(variables["TURN_CA"] == state.targets[0].authority)
      #expect(variables["TURN_TLS_SERVER"]?.hasPrefix("turns:127.0.0.1:") == true)
    }
  }

  @Test("that runs is not started again, not even by many at once")
  func idempotent() async throws {
    try await withLab { lab, folder in
      let states = try await withThrowingTaskGroup(of: (LabState, Bool).self) { group in
        for _ in 0..<4 { group.addTask { try await Lab(folder: folder.path + "/lab").up(for: .person) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(states.count { $0.1 } == 1)
      #expect(Set(states.map { servers($0.0) }).count == 1)
      #expect(lab.status() == .up(states[0].0))
    }
  }

  @Test("leaves no process, no port and no folder when it goes down, also a second time")
  func down() async throws {
    try await withLab { lab, folder in
      let state = try await lab.up(for: .person).state
      try await lab.down()
      for server in servers(state) {
        #expect(!server.isRunning)
        #expect(kill(server.pid, 0) == -1)
      }
      for port in ports(state) { #expect(isFree(port)) }
      #expect(folder.names().isEmpty)
      #expect(lab.status() == .down)
      try await lab.down()
    }
  }

  @Test("goes down with a server that is stopped")
  func stoppedServer() async throws {
    try await withLab { lab, _ in
      let state = try await lab.up(for: .person).state
      #expect(servers(state)[0].signal(SIGSTOP))
      try await lab.down()
      #expect(servers(state).allSatisfy { !$0.isRunning })
    }
  }

  @Test("stays until the last who wants it lets it go")
  func holders() async throws {
    try await withLab { lab, _ in
      let (first, second) = (try bystander(), try bystander())
      defer { for process in [first, second] { _ = process.end(grace: .zero) } }
      try await lab.up(for: .process(first))
      let (state, started) = try await lab.up(for: .process(second))
      #expect(!started)
      try await lab.release(.process(first))
      guard case .up = lab.status() else {
        Issue.record("it went with the first")
        return
      }
      try await lab.up(for: .person)
      try await lab.release(.process(second))
      #expect(state.isComplete)
      try await lab.release(.person)
      #expect(lab.status() == .down)
      #expect(!state.isComplete)
    }
  }

  @Test("starts nothing where the folder holds something else, and leaves that alone")
  func foreignFolder() async throws {
    let folder = try TemporaryFolder()
    try folder.write("mine", to: "lab/thesis.txt")
    let lab = Lab(folder: folder.path + "/lab")
    await #expect {
      try await lab.up(for: .person)
    } throws: {
      ($0 as? LabError)?.code == .foreignFolder
    }
    #expect(folder.read("lab/thesis.txt") == "mine")
  }

  @Test("says what to install where there is no turnserver, and leaves nothing")
  func missingProgram() async throws {
    try await withLab(program: "no-such-turnserver") { lab, folder in
      await #expect {
        try await lab.up(for: .person)
      } throws: { error in
        guard let error = error as? LabError else { return false }
        return error.code == .serverMissing && error.message.contains("apt-get install coturn")
      }
      #expect(folder.names().isEmpty)
    }
  }
}

@Suite("What remains of a lab")
struct LabRemainsTests {
  @Test("whose starter was killed is cleared away by the next up")
  func killedStarter() async throws {
    try await withLab { lab, folder in
      let path = folder.path + "/lab"
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
        guard let own = ProcessIdentity.own else { exit(1) }
        try await Lab(folder: path).up(for: .process(own))
        kill(getpid(), SIGKILL)
      }
      let remains = ProcessIdentity.running("turnserver", in: path)
      #expect(remains.count == 2)
      #expect(lab.status() == .remains)
      let (state, started) = try await lab.up(for: .person)
      #expect(started)
      #expect(remains.allSatisfy { !$0.isRunning })
      #expect(state.isComplete)
    }
  }

  @Test("started by hand goes on when its starter ends")
  func byHand() async throws {
    try await withLab { lab, folder in
      let path = folder.path + "/lab"
      await #expect(processExitsWith: .success) { [path = path as String] in
        try await Lab(folder: path).up(for: .person)
      }
      guard case .up(let state) = lab.status() else {
        Issue.record("it is gone")
        return
      }
      let started = try await lab.up(for: .person).started
      #expect(!started)
      #expect(stunBinding(port: state.targets[0].server.port))
    }
  }

  @Test("of which a server died is cleared away and started anew")
  func deadServer() async throws {
    try await withLab { lab, _ in
      let state = try await lab.up(for: .person).state
      #expect(servers(state)[1].end(grace: .zero))
      #expect(lab.status() == .remains)
      let (next, started) = try await lab.up(for: .person)
      #expect(started)
      #expect(next.isComplete)
      #expect(!servers(state)[0].isRunning)
    }
  }

  @Test(
    "is found without its state, be that garbage, cut off, or of before the first server",
    arguments: [
      "", "{", "[]\n", "\u{0}\u{ff}", #"{"targets": [], "folder": "/", "keptByHand": true, "users": []}"#,
    ])
  func damagedState(_ text: String) async throws {
    try await withLab { lab, folder in
      let state = try await lab.up(for: .person).state
      try folder.write(text, to: "lab/state.json")
      #expect(lab.status() == .remains)
      try await lab.down()
      #expect(servers(state).allSatisfy { !$0.isRunning })
      #expect(folder.names().isEmpty)
    }
  }

  @Test("is found when its folder was removed under its feet")
  func removedFolder() async throws {
    try await withLab { lab, folder in
      let state = try await lab.up(for: .person).state
      #expect(try await Command("rm", ["-r", folder.path + "/lab"]).run().isSuccess)
      #expect(lab.status() == .down)
      let (_, started) = try await lab.up(for: .person)
      #expect(started)
      #expect(servers(state).allSatisfy { !$0.isRunning })
    }
  }

  @Test("never includes a process that was given a dead server's number")
  func reusedNumber() async throws {
    try await withLab { lab, folder in
      let state = try await lab.up(for: .person).state
      let innocent = try bystander()
      defer { _ = innocent.end(grace: .zero) }
      let dead = servers(state)[0]
      #expect(dead.end(grace: .zero))
      let text = folder.read("lab/state.json").replacing("\"pid\" : \(dead.pid)", with: "\"pid\" : \(innocent.pid)")
      #expect(text.contains("\(innocent.pid)"))
      try folder.write(text, to: "lab/state.json")
      #expect(lab.status() == .remains)
      try await lab.down()
      #expect(innocent.isRunning)
      #expect(lab.status() == .down)
    }
  }
}
