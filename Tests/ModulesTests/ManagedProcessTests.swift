import Foundation
import Glibc
import Journal
import Processes
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// Services of one process, inspected, started, stopped and restarted: coturn itself.
@Suite(.serialized) struct ManagedProcessTests {
  private func service(_ coturn: Coturn, _ more: Value.Member...) -> [Value.Member] {
    [
      .init("pidFile", .string("\(coturn.directory)/turnserver.pid")),
      .init("command", text("turnserver", "-c", "\(coturn.directory)/turnserver.conf")),
      .init("directory", .string(coturn.directory)), .init("settle", .duration(.milliseconds(300))),
    ] + more
  }

  private func inspect(_ coturn: Coturn, window: Duration = .zero) async throws -> Value {
    try await run(
      "process.inspect",
      [.init("pidFile", .string("\(coturn.directory)/turnserver.pid")), .init("window", .duration(window))]
    ).output
  }

  private func answers(_ coturn: Coturn) async -> Bool {
    let server = Value.server("turn:127.0.0.1:\(coturn.port)")
    return (try? await run("stun.sources", [.init("server", server)]))?.objection == nil
  }

  private func int(_ value: Value?) -> Int64? { if case .int(let number)? = value { number } else { nil } }

  @Test("A killed server is started again, and every source port gets an answer")
  func start() async throws {
    let coturn = try await Coturn.start()
    #expect(try await inspect(coturn)["state"] == .string("running"))
    let refused = try await stepError { _ = try await run("process.start", service(coturn)) }
    #expect(refused.kind == .notStarted && refused.finding.code == "process.alreadyRunning")
    coturn.signal(SIGKILL)
    try await eventually { try await inspect(coturn)["state"] == .string("notRunning") }
    #expect(await !answers(coturn))
    let started = try await run("process.start", service(coturn))
    #expect(started.objection == nil)
    let now = try await inspect(coturn)
    #expect(now["state"] == .string("running") && now["pid"] == started.output["pid"])
    #expect(await answers(coturn))
  }

  @Test("A stopped server is restarted by TERM or KILL, and the new one answers")
  func restart() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGSTOP)
    #expect(try await inspect(coturn)["state"] == .string("stopped"))
    let start = try await stepError { _ = try await run("process.start", service(coturn)) }
    #expect(start.kind == .notStarted && start.finding.code == "process.stopped")
    let restarted = try await run("process.restart", service(coturn, .init("grace", .duration(.seconds(5)))))
    #expect(restarted.output["before"] == .int(Int64(coturn.pid)) && restarted.output["pid"] != .int(Int64(coturn.pid)))
    #expect(await answers(coturn))
  }

  @Test("A number that has passed to another program gets no signal, and the service does not run")
  func otherProgram() async throws {
    let coturn = try await Coturn.start()
    let bystander = try LiveProcess("/bin/sleep", ["60"])
    coturn.signal(SIGKILL)
    try await eventually { try await inspect(coturn)["state"] == .string("notRunning") }
    try Data("\(bystander.pid)\n".utf8).write(to: URL(filePath: "\(coturn.directory)/turnserver.pid"))
    let look = try await inspect(coturn)
    #expect(look["state"] == .string("notRunning") && look["pid"] == .some(.null), "\(look)")
    #expect(look["reason"].map { "\($0)" }?.contains("and not /usr/bin/turnserver") == true, "\(look)")
    let stopped = try await run("process.stop", [.init("pidFile", .string("\(coturn.directory)/turnserver.pid"))])
    #expect(stopped.output["stopped"] == .bool(false))
    let byNumber = try await stepError { _ = try await run("process.stop", [.init("pid", .int(Int64(bystander.pid)))]) }
    #expect(byNumber.finding.code == "process.otherProgram")
    #expect(try await run("process.restart", service(coturn)).objection == nil)
    #expect(LiveProcess.state(bystander.pid) == "S")
  }

  @Test("A configuration that ends the server is told at once, and nothing of the start is left")
  func endsAtOnce() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGKILL)
    try await eventually { try await inspect(coturn)["state"] == .string("notRunning") }
    try coturn.configure { $0 + "no-tls # later\n" }
    let error = try await stepError { _ = try await run("process.start", service(coturn)) }
    #expect(error.kind == .failed && error.finding.code == "process.endedAtOnce", "\(error)")
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).isEmpty)
  }

  @Test("A restart fails if the PID file does not name the new server, and leaves that one running")
  func unnamedAfterRestart() async throws {
    let coturn = try await Coturn.start()
    var input = service(coturn, .init("patience", .duration(.seconds(1))))
    let command = ["turnserver", "-c", "\(coturn.directory)/turnserver.conf", "--pidfile", "second.pid"]
    input[1] = .init("command", .list(command.map(Value.string)))
    let error = try await stepError { _ = try await run("process.restart", input) }
    #expect(error.kind == .failed && error.finding.code == "process.notNamed", "\(error)")
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).map(\.pid) != [coturn.pid])
    try await eventually { await answers(coturn) }
  }

  @Test("A restart that cannot start leaves the running server alone")
  func missingProgram() async throws {
    let coturn = try await Coturn.start()
    var input = service(coturn)
    input[1] = .init("command", text("/usr/bin/turnserver-of-yesterday"))
    let error = try await stepError { _ = try await run("process.restart", input) }
    #expect(error.kind == .notStarted)
    #expect(try await inspect(coturn)["pid"] == .int(Int64(coturn.pid)))
  }

  @Test("A second server by the same command keeps a start from beginning, and is ended by its number alone")
  func second() async throws {
    let coturn = try await Coturn.start()
    let file = "\(coturn.directory)/turnserver.pid"
    let first = coturn.pid
    // The file of the first is lost: nobody names it now.
    try FileManager.default.removeItem(atPath: file)
    let refused = try await stepError { _ = try await run("process.start", service(coturn)) }
    #expect(refused.kind == .notStarted && refused.finding.code == "process.unnamed")
    let look = try await inspect(coturn)
    guard case .list(let others)? = look["others"] else { throw NothingThrown() }
    #expect(others.contains { $0["pid"] == .int(Int64(first)) })
    let ended = try await run("process.stop", [.init("pid", .int(Int64(first)))])
    #expect(ended.output["stopped"] == .bool(true) && ended.output["by"] != .some(.null))
    #expect(try await run("process.start", service(coturn)).objection == nil)
  }

  @Test(
    "An enabled unit of systemd that starts the same command is found, one that starts another or is not enabled is not"
  )
  func unit() throws {
    let root = try TemporaryFolder()
    let units = "lib/systemd/system"
    try root.write(
      "[Service]\nExecStart=/usr/bin/turnserver -c /etc/turnserver.conf --pidfile=\n", to: "\(units)/coturn.service")
    try root.write("", to: "etc/systemd/system/multi-user.target.wants/other.service")
    let usual = ["-c", "/etc/turnserver.conf"]
    func found(_ arguments: [String]) -> String? {
      SystemdUnit(starting: "/usr/bin/turnserver", arguments, root: root.path)?.name
    }
    try root.write("", to: "run/systemd/system/x")
    #expect(found(usual) == nil)
    try root.write("", to: "etc/systemd/system/multi-user.target.wants/coturn.service")
    #expect(found(usual) == "coturn.service")
    #expect(found(["-c", "/srv/lab/turnserver.conf"]) == nil)
    #expect(SystemdUnit(starting: "/usr/bin/other", usual, root: root.path) == nil)
    // What is added takes the command back, and names another one.
    try root.write(
      "[Service]\nExecStart=\nExecStart=-/usr/bin/turnserver \\\n  -c /etc/second.conf\n",
      to: "etc/systemd/system/coturn.service.d/override.conf")
    #expect(found(usual) == nil && found(["-c", "/etc/second.conf"]) == "coturn.service")
    // Without systemd no unit starts anything.
    try FileManager.default.removeItem(atPath: "\(root.path)/run/systemd")
    #expect(found(["-c", "/etc/second.conf"]) == nil)
  }

  @Test("What a step that died had done is told by the mark of the process")
  func reconcile() async throws {
    let coturn = try await Coturn.start()
    func ask(_ name: String, _ key: String, _ members: [Value.Member]) async throws -> Reconciliation {
      let module = try #require(Catalog.standard[name])
      let context = StepContext(
        run: "RUN", path: "step", attempt: 1, idempotencyKey: key, deadline: .now + .seconds(20),
        services: context().services, progress: { _ in })
      return try await module.reconcile(.members(members), context)
    }
    #expect(try await ask("process.restart", "key", service(coturn)) == .notDone)
    let restarted = try await run("process.restart", service(coturn))
    guard case .done(let output) = try await ask("process.restart", "key", service(coturn)) else {
      Issue.record("not told as done")
      return
    }
    #expect(output?["pid"] == restarted.output["pid"])
    #expect(try await ask("process.restart", "another", service(coturn)) == .notDone)
    let file: [Value.Member] = [.init("pidFile", .string("\(coturn.directory)/turnserver.pid"))]
    #expect(try await ask("process.stop", "key", file) == .notDone)
    _ = try await run("process.stop", file)
    #expect(try await ask("process.stop", "key", file) == .done(nil))
    #expect(try await ask("process.start", "key", service(coturn)) == .notDone)
  }

  @Test("A service that something starts again and again is flapping")
  func flapping() async throws {
    let folder = try TemporaryFolder()
    let loop = try LiveProcess.shell(
      "echo; while true; do sleep 0.7 & echo $! > \(folder.path)/pid.new; mv \(folder.path)/pid.new \(folder.path)/pid; wait; done"
    )
    defer { withExtendedLifetime(loop) {} }
    let output = try await run(
      "process.inspect",
      [
        .init("pidFile", .string("\(folder.path)/pid")), .init("program", .string("sleep")),
        .init("window", .duration(.seconds(2))),
      ]
    ).output
    #expect(output["state"] == .string("flapping"), "\(output)")
    #expect(try #require(int(output["starts"])) > 1)
  }

  @Test("coturn 4.6.1 is not told to drain, which would end it; a stand-in of a later version is")
  func drain() async throws {
    let coturn = try await Coturn.start()
    let file: [Value.Member] = [.init("pidFile", .string("\(coturn.directory)/turnserver.pid"))]
    let refused = try await stepError { _ = try await run("coturn.drain", file) }
    #expect(refused.kind == .notStarted && refused.finding.code == "coturn.cannotDrain", "\(refused)")
    #expect(try await inspect(coturn)["pid"] == .int(Int64(coturn.pid)))

    let folder = try TemporaryFolder()
    let path = try folder.copy(of: "/usr/bin/perl", named: "standin")
    func input(_ process: LiveProcess) throws -> [Value.Member] {
      try folder.write("\(process.pid)\n", to: "pid")
      return [
        .init("pidFile", .string("\(folder.path)/pid")), .init("program", .string(path)),
        .init("wait", .duration(.seconds(10))),
      ]
    }
    let script = #"$| = 1; $SIG{USR1} = sub { exit 0 }; print "\n"; sleep 60 while 1"#
    let unknown = try LiveProcess(path, ["-e", script])
    try unknown.awaitLine()
    let untold = try await stepError { _ = try await run("coturn.drain", try input(unknown)) }
    #expect(untold.kind == .notStarted && untold.finding.code == "coturn.versionUnknown", "\(untold)")
    #expect(LiveProcess.state(unknown.pid) == "S")

    let later = try folder.copy(of: "/usr/bin/perl", named: "later")
    let handle = try FileHandle(forWritingTo: URL(filePath: later))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("\0Coturn-4.6.3 'Gorst'\0".utf8))
    try handle.close()
    let standIn = try LiveProcess(later, ["-e", script])
    try standIn.awaitLine()
    var members = try input(standIn)
    members[1] = .init("program", .string(later))
    let drained = try await run("coturn.drain", members)
    #expect(drained.output["ended"] == .bool(true) && drained.output["version"] == .string("4.6.3"), "\(drained)")
    let deaf = try LiveProcess(later, ["-e", #"$| = 1; print "\n"; sleep 60 while 1"#])
    try deaf.awaitLine()
    members[0] = try input(deaf)[0]
    let uncaught = try await stepError { _ = try await run("coturn.drain", members) }
    #expect(uncaught.finding.code == "coturn.signalNotCaught", "\(uncaught)")
    #expect(LiveProcess.state(deaf.pid) == "S")
  }

  @Test("A renewed certificate is loaded, which what is served proves; one that cannot be is told")
  func certificate() async throws {
    let coturn = try await Coturn.start()
    let chains = try CertificateChains()
    try chains.make("authority", .authority)
    try chains.make("leaf", .server("IP:127.0.0.1"), by: "authority")
    let server = Value.server(
      "turn:127.0.0.1:\(coturn.port)", tlsURI: "turns:127.0.0.1:\(try #require(coturn.tlsPort))",
      ca: chains.file("authority.pem"))
    func reload(_ file: String, _ patience: Duration = .seconds(10)) async throws -> StepResult<Value> {
      try await run(
        "coturn.reloadCertificates",
        [
          .init("server", server), .init("certificate", .string(file)),
          .init("pidFile", .string("\(coturn.directory)/turnserver.pid")), .init("patience", .duration(patience)),
        ])
    }
    let elsewhere = try await stepError { _ = try await reload(chains.file("leaf.pem"), .seconds(1)) }
    #expect(elsewhere.kind == .failed && elsewhere.finding.code == "coturn.certificateNotLoaded", "\(elsewhere)")
    let pem = "\(coturn.directory)/server.pem"
    for (from, to) in [("leaf.pem", "server.pem"), ("leaf.key", "server-key.pem")] {
      try Data(contentsOf: URL(filePath: chains.file(from))).write(to: URL(filePath: "\(coturn.directory)/\(to)"))
    }
    let loaded = try await reload(pem)
    #expect(loaded.objection == nil && loaded.output["changed"] == .bool(true), "\(loaded)")
    #expect(try await inspect(coturn)["pid"] == .int(Int64(coturn.pid)))
  }

  @Test("This host is the one that is meant by its name or its address, and another one is refused")
  func identity() async throws {
    func look(_ host: String) async throws -> Value {
      try await run("host.identity", [.init("host", .string(host))]).output
    }
    #expect(try await look(hostName())["by"] == .string("name"))
    #expect(try await look("127.0.0.1")["by"] == .string("address"))
    #expect(try await look("localhost")["by"] == .string("address"))
    for other in ["192.0.2.7", "2001:db8::7", "turn.invalid"] {
      let error = try await stepError { _ = try await look(other) }
      #expect(error.finding.code == "host.otherHost" || error.finding.code == "host.identityUnknown", "\(error)")
    }
  }

  /// Waits, at most 20 seconds, until something holds.
  private func eventually(_ holds: () async throws -> Bool) async throws {
    for _ in 0..<400 where try await !holds() { try await Task.sleep(for: .milliseconds(50)) }
    try #require(try await holds())
  }
}

extension Value {
  /// A server as steps are given it.
  fileprivate static func server(_ uri: String, tlsURI: String? = nil, ca: String? = nil) -> Value {
    TURNServer.record.encode(TURNServer(name: "test", uri: uri, tlsURI: tlsURI, host: "127.0.0.1", ca: ca))
  }
}
