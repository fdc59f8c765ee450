import Age
import Backups
import Files
import Foundation
import Glibc
import Journal
import Processes
import STUN
import Schema
import Steps
import TestSupport
import Testing
import Vault

@testable import Isolation
@testable import Modules

/// Servers that are booted from real backups, beside a production that runs at the same time.
@Suite(.serialized, .enabled(if: geteuid() == 0)) struct DrillModuleTests {
  private let folder: TemporaryFolder
  private let root: String
  private let identity = AgeIdentity()
  private let port: UInt16
  private let password = "correct-horse"

  init() throws {
    folder = try TemporaryFolder()
    port = try freePort()
    root = URL(filePath: folder.path).resolvingSymlinksInPath().path
    chmod(root, 0o755)
    mkdir("\(root)/run", 0o777)
    chmod("\(root)/run", 0o777)
    try write(configuration())
  }

  private func configuration(_ more: String...) -> String {
    ([
      "listening-ip=127.0.0.1", "relay-ip=127.0.0.1", "listening-port=\(port)", "allow-loopback-peers", "lt-cred-mech",
      "user=alice:\(password)", "realm=r.example", "no-tls", "no-dtls", "no-cli", "userdb=\(root)/etc/turndb",
      "log-file=\(root)/run/turnserver.log", "pidfile=\(root)/run/turnserver.pid", "simple-log", "verbose",
    ] + more).map { $0 + "\n" }.joined()
  }

  private func write(_ configuration: String) throws {
    try folder.write(configuration, to: "etc/turnserver.conf")
    if folder.mode("etc/turndb") == nil {
      let made = Process()
      made.executableURL = URL(filePath: "/usr/bin/turnadmin")
      made.arguments = ["-a", "-b", "\(root)/etc/turndb", "-u", "bob", "-r", "r.example", "-p", "x"]
      made.standardOutput = FileHandle.nullDevice
      made.standardError = FileHandle.nullDevice
      try made.run()
      made.waitUntilExit()
      let account = try #require(ServiceAccount("turnserver"))
      for name in ["etc", "etc/turndb"] { chown("\(root)/\(name)", account.user, account.group) }
    }
  }

  private func backUp(_ paths: String...) throws {
    let set = BackupSet(
      name: "conf", paths: (paths.isEmpty ? ["etc"] : paths).map { $0.hasPrefix("/") ? $0 : "\(root)/\($0)" },
      recipients: [identity.recipient, AgeIdentity().recipient])
    let time = try #require(Timestamp(seconds: Int64(time(nil)), nanoseconds: 0))
    _ = try BackupCreation(
      of: set, outputs: [], vault: "\(root)/vault", key: ContentKey(file: "\(root)/key"), host: "turn1", now: { time }
    ).make()
  }

  private var server: TURNServer {
    TURNServer(
      name: "production", uri: "turn:127.0.0.1:\(port)", host: "127.0.0.1", username: "alice",
      credential: Secret(password), realm: "r.example")
  }

  private func boot(_ more: Value.Member...) async throws -> StepResult<Value> {
    try await run(
      "drill.boot",
      [
        .init("vault", .string("\(root)/vault")), .init("set", .string("conf")),
        .init("identity", .secret(Secret(identity.secretText))), .init("server", TURNServer.record.encode(server)),
        .init("configuration", .string("\(root)/etc/turnserver.conf")),
      ] + more, deadline: .seconds(60))
  }

  private func refusal(_ more: Value.Member...) async throws -> (kind: StepError.Kind, code: String, text: String) {
    let error = try await stepError {
      _ = try await run(
        "drill.boot",
        [
          .init("vault", .string("\(root)/vault")), .init("set", .string("conf")),
          .init("identity", .secret(Secret(identity.secretText))), .init("server", TURNServer.record.encode(server)),
          .init("configuration", .string("\(root)/etc/turnserver.conf")),
        ] + more, deadline: .seconds(60))
    }
    return (error.kind, error.finding.code, "\(error.finding.message) \(error.finding.advice ?? "")")
  }

  private func relay(_ server: Value) async throws -> StepResult<Value> {
    try await run("turn.relay", [.init("server", server), .init("packets", .int(20))])
  }

  private func host(of output: Value) throws -> IsolatedHost {
    guard case .string(let name) = output["drill"] else { throw NothingThrown() }
    return try #require(RunningDrill.all(of: "RUN", named: name).first?.host)
  }

  private func stop(_ output: Value) async throws {
    let drill = try #require(output["drill"])
    let result = try await run("drill.stop", [.init("drill", drill)])
    #expect(result.output["stopped"] == .int(1))
  }

  private var production: Value { TURNServer.record.encode(server) }

  @Test(
    "Production on the same ports, with the same files, of the same user, hears nothing of a drill, and the drill nothing of it"
  )
  func beside() async throws {
    try backUp()
    let account = try #require(ServiceAccount("turnserver"))
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/setpriv")
    process.arguments = [
      "--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups", "turnserver", "-c",
      "\(root)/etc/turnserver.conf",
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      // By force: what it does in ending is nobody's subject here.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let deadline = ContinuousClock.now + .seconds(60)
    while !stunBinding(port: port), .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
    func sessions() -> Int {
      folder.read("run/turnserver.log").split(separator: "\n").count { $0.contains(": new, realm") }
    }
    func files() -> [String] {
      ["etc/turnserver.conf", "run/turnserver.pid"].map { folder.read($0) }
        + ["etc/turndb"].map { (try? Data(contentsOf: folder.url.appending(path: $0)))?.base64EncodedString() ?? "" }
    }
    func identity(_ name: String) -> UInt {
      var status = stat()
      return stat("\(root)/\(name)", &status) == 0 ? UInt(status.st_ino) : 0
    }
    let (before, log) = (files(), identity("run/turnserver.log"))
    _ = try await relay(production)
    let perRelay = sessions()
    #expect(perRelay == 2)

    let booted = try await boot()
    let drilled = try #require(booted.output["server"])
    // Both serve at the same time: each counts its own clients and no other.
    async let one = relay(production)
    async let other = relay(drilled)
    for result in try await [one, other] { #expect(result.objection == nil, "\(result)") }
    for _ in 0..<3 { _ = try await relay(drilled) }
    #expect(sessions() == 2 * perRelay)
    // A port of production is asked from 20 sockets: all reach production.
    for _ in 0..<20 { #expect(stunBinding(port: port)) }
    let host = try host(of: booted.output)
    let command = try await host.command("grep", ["-c", ": new, realm", "\(root)/run/turnserver.log"]).run()
    // Its log goes on from a copy of what production had logged when it began.
    #expect(command.standardOutput.text == "\(perRelay + 4 * perRelay)\n", "\(command.standardOutput.text)")
    try await stop(booted.output)

    _ = try await relay(production)
    #expect(sessions() == 3 * perRelay)
    #expect(files() == before)
    #expect(identity("run/turnserver.log") == log)
    #expect(process.isRunning)
    // What the drill was reached by leads nowhere now, and not to production.
    let gone = try await stepError { _ = try await relay(drilled) }
    #expect(gone.finding.code == "transport.broken", "\(gone)")
  }

  @Test("A server that forks away is found all the same, and ends with the drill")
  func daemon() async throws {
    try write(configuration("daemon"))
    try backUp()
    let booted = try await boot()
    #expect(try await relay(try #require(booted.output["server"])).objection == nil)
    let host = try host(of: booted.output)
    #expect(host.processes().map(\.name).contains("turnserver"))
    try await stop(booted.output)
    #expect(!host.isRunning)
    #expect(access("\(root)/run/turnserver.log", F_OK) != 0)
    #expect(access("\(root)/run/turnserver.pid", F_OK) != 0)
  }

  @Test(
    "A program that never listens, that ends, and that fills the disk, fails by name, and leaves nothing",
    arguments: [
      ("sleep 1000", "drill.notListening", "/udp"),
      ("echo something is wrong; exit 3", "drill.serverEnded", "something is wrong"),
      ("dd if=/dev/zero of=/var/tmp/runbook-fill bs=1M; exit 1", "drill.serverEnded", "No space left"),
      ("setsid sleep 1000 & exit 0", "drill.notListening", "/udp"),
    ])
  func poor(script: String, code: String, words: String) async throws {
    try folder.write(
      "#!/bin/sh\n[ \"$1\" = --version ] && echo 4.6.1 && exit\n\(script)\n", to: "bin/server", mode: 0o755)
    try backUp()
    let before = try holders()
    let refusal = try await refusal(
      .init("binary", .string("\(root)/bin/server")), .init("patience", .duration(.milliseconds(400))),
      .init("size", .int(16 << 20)))
    // The disk is full only once it was written.
    #expect(refusal.code == code || script.hasPrefix("dd") && refusal.code == "drill.notListening", "\(refusal)")
    #expect(refusal.text.contains(words) || script.hasPrefix("dd"), "\(refusal)")
    #expect(access("/var/tmp/runbook-fill", F_OK) != 0)
    #expect(try holders() == before)
  }

  @Test("A file that the configuration names and the backup lacks is named, though this host has it")
  func missingFile() async throws {
    try folder.write("secret", to: "elsewhere/key")
    try write(configuration("secret-key-file=\(root)/elsewhere/key"))
    try backUp()
    let refusal = try await refusal()
    #expect(refusal.code == "drill.fileNotInBackup" && refusal.kind == .failed, "\(refusal)")
    #expect(refusal.text.contains("\(root)/elsewhere/key (secret-key-file)"), "\(refusal)")
  }

  @Test("A link in the backup to a file that it lacks is no file")
  func link() async throws {
    try folder.write("dh", to: "elsewhere/dh.pem")
    symlink("\(root)/elsewhere/dh.pem", "\(root)/etc/dh.pem")
    try write(configuration("dh-file=\(root)/etc/dh.pem"))
    let set = BackupSet(
      name: "conf", paths: ["\(root)/etc"], links: .keep, recipients: [identity.recipient, AgeIdentity().recipient])
    let time = try #require(Timestamp(seconds: Int64(time(nil)), nanoseconds: 0))
    _ = try BackupCreation(
      of: set, outputs: [], vault: "\(root)/vault", key: ContentKey(file: "\(root)/key"), host: "turn1", now: { time }
    ).make()
    let refusal = try await refusal()
    #expect(refusal.code == "drill.fileNotInBackup", "\(refusal)")
    #expect(refusal.text.contains("dh.pem"), "\(refusal)")
  }

  @Test("A backup without the configuration, with a program of its own, and with users elsewhere, is told by name")
  func refused() async throws {
    try folder.write("#!/bin/sh\n", to: "usr/bin/turnserver", mode: 0o755)
    try backUp("etc", "usr")
    #expect(try await refusal().code == "drill.programInBackup")
    try backUp("etc/turndb")
    #expect(try await refusal().code == "drill.configurationMissing")
    try write(configuration("psql-userdb=host=127.0.0.1 dbname=coturn"))
    try backUp("etc")
    let users = try await refusal()
    #expect(users.code == "drill.usersElsewhere" && users.kind == .broken, "\(users)")
    #expect(try await refusal(.init("user", .string("no-such-user-here"))).code == "drill.userMissing")
    #expect(try await refusal(.init("binary", .string("no-such-server"))).code == "drill.programMissing")
  }

  @Test("Hooks of a unit in the backup are not run, and told")
  func hooks() async throws {
    try folder.write(
      "[Service]\nExecStartPre=/bin/sh -c 'touch \(root)/hooked'\nExecStart=/usr/bin/turnserver\n",
      to: "etc/coturn.service")
    try backUp()
    let booted = try await boot()
    #expect(booted.objection?.finding.code == "drill.hooksNotRun")
    #expect(booted.output["hooks"] == .list([.string("ExecStartPre=/bin/sh -c 'touch \(root)/hooked'")]))
    #expect(access("\(root)/hooked", F_OK) != 0)
    try await stop(booted.output)
  }

  @Test("A namespace that is this host's own is refused by probes: a drill is never asked of production")
  func ownNetwork() async throws {
    var server = server
    server.namespace = "/proc/self/ns/net"
    let error = try await stepError { _ = try await relay(TURNServer.record.encode(server)) }
    #expect(error.finding.message.contains("it is this host's own network"), "\(error)")
  }

  /// Processes that hold an isolated host.
  private func holders() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { pid in
      guard Int(pid) != nil, let entry = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
        return false
      }
      return entry.contains("(runbook-drill)") && entry.contains(") ") && isOwnChild(entry)
    }
  }

  private func isOwnChild(_ entry: String) -> Bool {
    entry.split(separator: ")").last?.split(separator: " ").dropFirst().first.flatMap { Int32($0) } == getpid()
  }
}
