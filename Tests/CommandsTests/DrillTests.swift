import Foundation
import Glibc
import Processes
import Schema
import TestSupport
import Testing

/// The runbook `quarterly-dr-restore-test` of this repository as a whole, on real backups and a real coturn.
@Suite(.enabled(if: DrillCase.isPermitted)) struct DrillTests {
  private static let proofs = [
    "echo", "recovery", "credentials", "ports", "peers", "certificate", "handshake", "audit",
  ]

  @Test("A good backup boots, relays, denies what it denied, and the emptied configuration is found out")
  func whole() async throws {
    let drill = try await DrillCase()
    let name = try drill.backUp()
    // Neither the configuration of this host nor its certificate may matter any more.
    try drill.edit { _ in "listening-port=1\nrealm=other\n" }
    try drill.host.write("no certificate", to: "etc/cert.pem")
    let run = try await drill.drill("-p", "compare=false")
    for step in ["boot", "broken", "stop"] + Self.proofs {
      #expect(["pass", "warn"].contains(run.outcome(step)), "\(step): \(run.report.step(step) ?? .null)")
    }
    #expect(run.output.status == 0, "\(run.output)")
    let boot = run.report.step("boot")?["output"]
    #expect(boot?["backup"]?.string == name)
    #expect(boot?["files"]?.int == 3)
    #expect(boot?["listening"]?.array?.compactMap(\.string).contains("5349/tcp") == true, "\(boot ?? .null)")
    #expect(run.code("caught") == "turn.anonymousAccess", "\(run.report.step("caught") ?? .null)")
    // Neither the identity nor a password is told to anybody.
    for text in [run.output.stdout, run.output.stderr] {
      #expect(!text.contains("AGE-SECRET-KEY") && !text.contains(DrillCase.password))
    }
  }

  /// What is wrong with a backup, and which step finds it.
  enum Fault: String, CaseIterable {
    case emptied, keyMissing, secretMissing, otherRealm, expired, otherUsers, rangeDropped, keyOfAnother
  }

  @Test("A wrong drill fails, and says which", arguments: Fault.allCases)
  func wrong(_ fault: Fault) async throws {
    let drill = try await DrillCase()
    switch fault {
    case .emptied: try drill.edit { _ in "" }
    case .keyMissing: break
    case .secretMissing:
      try drill.host.write("the-shared-secret", to: "private/secret")
      try drill.edit { "\($0)\nsecret-key-file=\(drill.host.path)/private/secret\n" }
    case .otherRealm: try drill.edit { $0.replacing("realm=\(DrillCase.realm)", with: "realm=elsewhere.example") }
    case .expired: try drill.issue(days: 10, start: "-20d")
    case .otherUsers: try drill.edit { $0.replacing("user=\(DrillCase.user):", with: "user=bob:") }
    case .rangeDropped:
      try drill.edit {
        $0.replacing("denied-peer-ip=10.0.0.0-10.255.255.255", with: "denied-peer-ip=10.0.0.0-10.255.255.255 # office")
      }
      #expect(drill.host.read("etc/turnserver.conf").contains("# office"))
    case .keyOfAnother:
      try drill.chains.makeKey("another")
      try drill.host.write(drill.chains.read("another.key"), to: "etc/key.pem", mode: 0o644)
    }
    try drill.backUp(fault == .keyMissing ? ["etc/turnserver.conf", "etc/cert.pem"] : ["etc"])
    let run = try await drill.drill("-p", "compare=false", "-p", "ports=1")
    #expect(run.output.status == 1, "\(run.output)")
    let (step, code, words) =
      switch fault {
      case .emptied: ("credentials", "turn.anonymousAccess", "")
      case .keyMissing: ("boot", "drill.fileNotInBackup", "\(drill.host.path)/etc/key.pem (pkey)")
      case .secretMissing: ("boot", "drill.fileNotInBackup", "\(drill.host.path)/private/secret (secret-key-file)")
      case .otherRealm: ("credentials", "turn.realmMismatch", "elsewhere.example")
      case .expired: ("certificate/certificate", "tls.expired", "")
      case .otherUsers: ("echo", "turn.unauthorized", "")
      case .rangeDropped: ("peers", "turn.relaysToForbiddenPeer", "")
      case .keyOfAnother: ("handshake", "tls.refused", "")
      }
    #expect(run.outcome(step) == "fail", "\(run.output.stdout)")
    #expect(run.code(step) == code, "\(run.report.step(step) ?? .null)")
    #expect(words.isEmpty || run.message(step).contains(words), "\(run.message(step))")
  }

  @Test("A limit that is not met fails by name: what would be lost, and how long it takes")
  func limits() async throws {
    let drill = try await DrillCase()
    try drill.backUp(at: Date().addingTimeInterval(-3 * 3600))
    let run = try await drill.drill("-p", "compare=false", "-p", "rpo=2h", "-p", "rto=1ms", "-p", "ports=1")
    #expect(run.output.status == 1)
    #expect(run.outcome("recovery") == "fail" && run.outcome("echo") == "pass", "\(run.output.stdout)")
    #expect(run.output.stdout.contains("(RTO), and 1ms is the limit"), "\(run.output.stdout)")
    #expect(run.output.stdout.contains("(RPO), and 2h is the limit"), "\(run.output.stdout)")
  }

  @Test("The backup is compared with this host's files, where they are")
  func compared() async throws {
    let drill = try await DrillCase()
    try drill.backUp()
    let run = try await drill.drill("--only", "compare")
    #expect(run.output.status == 0 && run.report.step("compare")?["output"]?["same"]?.int == 3, "\(run.output)")
  }

  @Test(
    "Users are those of the backup's database, and not those of the database that this host has",
    arguments: [true, false])
  func database(isRight: Bool) async throws {
    let drill = try await DrillCase()
    try drill.edit { text in
      text.split(separator: "\n").filter { !$0.hasPrefix("user=") }.joined(separator: "\n")
        + "\nuserdb=\(drill.host.path)/etc/turndb\n"
    }
    #expect(drill.host.read("etc/turnserver.conf").contains("lt-cred-mech"))
    // One has alice with the password that clients have, the other is of another service.
    try await drill.makeDatabase(isRight ? DrillCase.password : "another-password")
    try drill.backUp()
    try await drill.makeDatabase(isRight ? "another-password" : DrillCase.password)
    let run = try await drill.drill("-p", "compare=false", "-p", "ports=1")
    #expect(run.outcome("boot") == "pass", "\(run.output)")
    #expect(run.outcome("echo") == (isRight ? "pass" : "fail"), "\(run.output)")
    #expect(run.code("echo") == (isRight ? nil : "turn.unauthorized"), "\(run.output)")
    #expect(run.output.status == (isRight ? 0 : 1), "\(run.output)")
  }

  @Test("Without root there is a clear word, and no weaker drill")
  func notRoot() async throws {
    let drill = try await DrillCase()
    try drill.backUp()
    chmod(drill.project.root, 0o755)
    for folder in [drill.project.root] {
      let chown = try await Command("chown", ["-R", "nobody", folder]).run()
      try #require(chown.isSuccess)
    }
    let command = drill.project.command(
      [
        "--reuid=nobody", "--clear-groups", CommandLineProject.executable, "run", "quarterly-dr-restore-test", "-p",
        "user=nobody", "-p", "compare=false",
      ],
      environment: drill.environment, program: "setpriv")
    let run = drill.project.output(of: try await command.run())
    #expect(run.status == 3, "\(run)")
    #expect(run.stdout.contains("only root may make namespaces"), "\(run)")
    #expect(!run.stdout.contains("relayed"), "\(run.stdout)")
  }
}
