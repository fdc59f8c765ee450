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

/// A server's files in a folder of one test, its vault, and drills from it.
struct DrillModuleGround {
  let folder: TemporaryFolder
  let root: String
  let identity = AgeIdentity()
  let port: UInt16
  let password = "correct-horse"

  init() throws {
    folder = try TemporaryFolder()
    port = try freePort()
    root = URL(filePath: folder.path).resolvingSymlinksInPath().path
    chmod(root, 0o755)
    mkdir("\(root)/run", 0o777)
    chmod("\(root)/run", 0o777)
    try write(configuration())
  }

  func configuration(_ more: String...) -> String {
    ([
      "listening-ip=127.0.0.1", "relay-ip=127.0.0.1", "listening-port=\(port)", "allow-loopback-peers", "lt-cred-mech",
      "user=alice:\(password)", "realm=r.example", "no-tls", "no-dtls", "no-cli", "userdb=\(root)/etc/turndb",
      "log-file=\(root)/run/turnserver.log", "pidfile=\(root)/run/turnserver.pid", "simple-log", "verbose",
    ] + more).map { $0 + "\n" }.joined()
  }

  func write(_ configuration: String) throws {
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

  func backUp(_ paths: String...) throws {
    let set = BackupSet(
      name: "conf", paths: (paths.isEmpty ? ["etc"] : paths).map { $0.hasPrefix("/") ? $0 : "\(root)/\($0)" },
      recipients: [identity.recipient, AgeIdentity().recipient])
    let time = try #require(Timestamp(seconds: Int64(time(nil)), nanoseconds: 0))
    _ = try BackupCreation(
      of: set, outputs: [], vault: "\(root)/vault", key: ContentKey(file: "\(root)/key"), host: "turn1", now: { time }
    ).make()
  }

  var server: TURNServer {
    TURNServer(
      name: "production", uri: "turn:127.0.0.1:\(port)", host: "127.0.0.1", username: "alice",
      credential: Secret(password), realm: "r.example")
  }

  func boot(_ more: Value.Member...) async throws -> StepResult<Value> {
    try await run(
      "drill.boot",
      [
        .init("vault", .string("\(root)/vault")), .init("set", .string("conf")),
        .init("identity", .secret(Secret(identity.secretText))), .init("server", TURNServer.record.encode(server)),
        .init("configuration", .string("\(root)/etc/turnserver.conf")),
      ] + more, deadline: .seconds(60))
  }

  func refusal(_ more: Value.Member...) async throws -> (kind: StepError.Kind, code: String, text: String) {
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

  func relay(_ server: Value) async throws -> StepResult<Value> {
    try await run("turn.relay", [.init("server", server), .init("packets", .int(20))])
  }

  func host(of output: Value) throws -> IsolatedHost {
    guard case .string(let name) = output["drill"] else { throw NothingThrown() }
    return try #require(RunningDrill.all(of: "RUN", named: name).first?.host)
  }

  func stop(_ output: Value) async throws {
    let drill = try #require(output["drill"])
    let result = try await run("drill.stop", [.init("drill", drill)])
    #expect(result.output["stopped"] == .int(1))
  }

  /// Processes that hold an isolated host.
  func holders() throws -> [String] {
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
