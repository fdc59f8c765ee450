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
    case emptied, keyMissing, otherRealm, expired, otherUsers, rangeDropped, keyOfAnother
  }

  @Test("A wrong drill fails, and says which", arguments: Fault.allCases)
  func wrong(_ fault: Fault) async throws {
    let drill = try await DrillCase()
    switch fault {
    case .emptied: try drill.edit { _ in "" }
    case .keyMissing: break
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

  @Test("Ctrl-C and KILL in the middle leave neither process nor namespace", arguments: [SIGINT, SIGKILL])
  func interrupted(signal: Int32) async throws {
    let drill = try await DrillCase()
    try drill.backUp()
    try drill.project.write(
      "runbooks/wait.yaml",
      """
      runbook: wait
      allow: [observe, change]
      secrets: {backupIdentity: {env: BACKUP_IDENTITY}}
      steps:
        - id: boot
          use: drill.boot
          with:
            set: coturn-config
            identity: "${secrets.backupIdentity}"
            server: "${target}"
            configuration: \(drill.configuration)
        - {id: wait, use: command.run, effect: observe, with: {command: [sleep, "1000"]}, timeout: 10m}

      """)
    let process = Process()
    process.executableURL = URL(filePath: CommandLineProject.executable)
    process.arguments = ["run", "wait"]
    process.currentDirectoryURL = URL(filePath: drill.project.root)
    process.environment = ProcessInfo.processInfo.environment.merging(drill.environment) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    let deadline = ContinuousClock.now + .seconds(60)
    var found: [String: [String]] = [:]
    // Until the server runs in it: its holder, a thread that waits for it, and itself.
    while found["net"]?.count ?? 0 < 2, .now < deadline {
      found = Self.members(of: Self.holder(startedBy: process.processIdentifier))
      try await Task.sleep(for: .milliseconds(20))
    }
    let holder = try #require(Self.holder(startedBy: process.processIdentifier))
    let names = try Self.namespaces(of: holder)
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    while !Self.holders(of: names).isEmpty, .now < deadline { try await Task.sleep(for: .milliseconds(10)) }
    #expect(Self.holders(of: names) == [])
    #expect(try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).contains(" drill ") == false)
  }

  private static let kinds = ["net", "mnt", "pid", "ipc"]

  /// The process that holds an isolated host for another.
  private static func holder(startedBy pid: Int32) -> String? {
    processes().first { candidate in
      guard let stat = try? String(contentsOfFile: "/proc/\(candidate)/stat", encoding: .utf8) else { return false }
      return stat.contains("(runbook-drill)")
        && stat.split(separator: ")").last?.split(separator: " ").dropFirst().first == "\(pid)"
    }
  }

  /// Those that have not ended: one that waits to be reaped holds no namespace, though its link to that of PIDs can still be read.
  private static func processes() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { pid in
      guard Int(pid) != nil, let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .isoLatin1) else {
        return false
      }
      return stat.split(separator: ")").last?.first { $0 != " " } != "Z"
    }
  }

  private static func namespaces(of pid: String) throws -> [String] {
    try kinds.map { try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\($0)") }
  }

  private static func members(of holder: String?) -> [String: [String]] {
    guard let holder, let names = try? namespaces(of: holder) else { return [:] }
    return Dictionary(uniqueKeysWithValues: zip(kinds, names.map { holders(of: [$0]) }))
  }

  /// Processes that are in one of the namespaces.
  private static func holders(of names: [String]) -> [String] {
    processes().filter { pid in
      kinds.contains { kind in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\(kind)")).map(names.contains)
          == true
      }
    }
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

  @Test("Another program is booted beside the installed one, and what it does differently is told")
  func rehearsal() async throws {
    let drill = try await DrillCase()
    try drill.backUp()
    // The installed one with other options, which calls itself a newer version.
    try drill.host.write(
      "#!/bin/sh\n[ \"$1\" = --version ] && echo 4.17.1 && exit\nexec /usr/bin/turnserver \"$@\" --realm elsewhere.example\n",
      to: "bin/turnserver", mode: 0o755)
    let run = try await drill.drill("-p", "binary=\(drill.host.path)/bin/turnserver", runbook: "rehearse-upgrade")
    let found = run.report.step("differences")
    #expect(found?["error"]?["code"] == "drill.behavesDifferently", "\(run.output.stdout)")
    let facts =
      found?["output"]?["differences"]?.array?.map { "\($0["probe"]?.string ?? "") \($0["fact"]?.string ?? "")" } ?? []
    #expect(facts.contains("turn.allocate outcome"), "\(facts)")
    #expect(found?["output"]?["closed"]?.array?.isEmpty == false)
    let same = try await drill.drill("-p", "binary=/usr/bin/turnserver", runbook: "rehearse-upgrade")
    #expect(same.outcome("differences") == "pass", "\(same.report.step("differences") ?? .null)")
  }
}
