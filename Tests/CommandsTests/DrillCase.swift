import Age
import Backups
import Foundation
import Glibc
import Processes
import Schema
import TestSupport
import Testing
import Vault

/// A TURN host's files in a folder of one test, their backup, and a project that drills with it. The server has a public address, which
/// only an isolated host gets.
final class DrillCase {
  static let address = "11.22.33.44"
  static let (user, password, realm) = ("alice", "correct-horse-battery-staple", "turn.example.com")
  /// Root may make isolated hosts, unless this machine is a container without the rights.
  static let isPermitted = geteuid() == 0 && TestNetwork.isPermitted

  let project: CommandLineProject
  /// Where the host's files lie: everybody may enter, as the service's user must.
  let host: TemporaryFolder
  let chains: CertificateChains
  let identity = AgeIdentity()
  let (port, tlsPort): (UInt16, UInt16)
  var environment: [String: String]

  init() async throws {
    project = try CommandLineProject()
    host = try TemporaryFolder()
    chmod(host.path, 0o755)
    chains = try CertificateChains()
    try chains.make("root", .authority, days: 1000)
    (port, tlsPort) = (3478, 5349)
    environment = ["BACKUP_IDENTITY": identity.secretText]
    try issue(days: 90)
    try project.write("users.txt", "\(Self.user):\(Self.password)\n")
    let generated = try await project.runbook(
      "coturn", "generate", "--realm", Self.realm, "--external-ip", Self.address, "--purpose", "recommended", "--cert",
      "\(host.path)/etc/cert.pem", "--pkey", "\(host.path)/etc/key.pem", "--users-file", "users.txt", "--log-file",
      "\(host.path)/log/turnserver.log", "--output", "\(host.path)/etc/turnserver.conf")
    try #require(generated.status == 0, "\(generated)")
    try own("etc/turnserver.conf")
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        turn1:
          server: turn:\(Self.address):\(port)
          tlsServer: turns:\(Self.address):\(tlsPort)
          username: \(Self.user)
          credential: {env: TURN_PASSWORD}
          realm: \(Self.realm)
          ca: \(chains.file("root.pem"))

      """)
    environment["TURN_PASSWORD"] = Self.password
  }

  var configuration: String { "\(host.path)/etc/turnserver.conf" }

  /// A certificate and its key, as the service has them.
  func issue(days: Int, start: String = "-1h") throws {
    try chains.make("server", .server("IP:\(Self.address),DNS:\(Self.realm)"), by: "root", start: start, days: days)
    try host.write(chains.read("server.pem"), to: "etc/cert.pem")
    try host.write(chains.read("server.key"), to: "etc/key.pem", mode: 0o640)
    try own("etc/key.pem")
  }

  /// The service's group may read it, and nobody else.
  private func own(_ name: String) throws {
    let account = try #require(getgrnam("turnserver"))
    chown("\(host.path)/\(name)", 0, account.pointee.gr_gid)
    chmod("\(host.path)/\(name)", 0o640)
  }

  func edit(_ change: (String) -> String) throws {
    try host.write(change(host.read("etc/turnserver.conf")), to: "etc/turnserver.conf", mode: 0o640)
    try own("etc/turnserver.conf")
  }

  /// The database of users as the service has it, with one user.
  func makeDatabase(_ password: String) async throws {
    let file = "\(host.path)/etc/turndb"
    try? FileManager.default.removeItem(atPath: file)
    let made = try await Command(
      "turnadmin", ["-a", "-b", file, "-u", Self.user, "-r", Self.realm, "-p", password]
    ).run()
    try #require(made.isSuccess, "\(made)")
    let account = try #require(getpwnam("turnserver"))
    chown(file, account.pointee.pw_uid, account.pointee.pw_gid)
    chown("\(host.path)/etc", account.pointee.pw_uid, account.pointee.pw_gid)
  }

  /// Backs up what the set has.
  @discardableResult
  func backUp(_ names: [String] = ["etc"], at time: Date = Date(), set: String = "coturn-config") throws -> String {
    let set = BackupSet(
      name: set, paths: names.map { $0.hasPrefix("/") ? $0 : "\(host.path)/\($0)" },
      recipients: [identity.recipient, AgeIdentity().recipient])
    let created = try #require(Timestamp(seconds: Int64(time.timeIntervalSince1970), nanoseconds: 0))
    return try BackupCreation(
      of: set, outputs: [], vault: "\(project.root)/backups/vault", key: ContentKey(file: "\(project.root)/key"),
      host: "turn1", now: { created }
    ).make().backup.name
  }

  /// A drill, and its report.
  func drill(_ arguments: String..., runbook: String = "quarterly-dr-restore-test") async throws -> Drilled {
    let output = try await project.runbook(
      ["run", runbook, "--format", "json", "-p", "configuration=\(configuration)"] + arguments, environment: environment
    )
    return Drilled(output: output, report: try output.json)
  }

  struct Drilled {
    let output: CommandLineProject.Output
    let report: JSON

    func outcome(_ step: String) -> String? { report.step(step)?["outcome"]?.string }
    func code(_ step: String) -> String? { report.step(step)?["error"]?["code"]?.string }
    func message(_ step: String) -> String { report.step(step)?["error"]?["message"]?.string ?? "" }
  }
}
