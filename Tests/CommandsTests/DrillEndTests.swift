import Foundation
import Glibc
import Processes
import Schema
import TestSupport
import Testing

/// What is left of a drill that ended before its end, or was taken back: nothing.
@Suite(.enabled(if: DrillCase.isPermitted)) struct DrillEndTests {
  /// When a drill is ended from outside.
  enum Moment: String, CaseIterable {
    case made, restoring, booting, running
  }

  @Test(
    "Ctrl-C and KILL leave neither process nor mount nor namespace, whenever they come", arguments: [SIGINT, SIGKILL],
    Moment.allCases)
  func interrupted(signal: Int32, moment: Moment) async throws {
    let drill = try await DrillCase()
    // So much that its restore takes a while.
    if moment == .restoring {
      try drill.host.write(String(repeating: "0123456789abcdef\n", count: 4 << 20), to: "etc/much")
    }
    // A server that never listens.
    try drill.host.write(
      "#!/bin/sh\n[ \"$1\" = --version ] && echo 4.6.1 && exit\nexec sleep 1000\n", to: "bin/deaf", mode: 0o755)
    try drill.backUp(at: Date().addingTimeInterval(-3600))
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
            binary: \(moment == .booting ? "\(drill.host.path)/bin/deaf" : "turnserver")
            patience: 60s
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
    var found: String?
    while found == nil, .now < deadline {
      found = Self.holder(startedBy: process.processIdentifier).flatMap { Self.isAt(moment, $0) ? $0 : nil }
      try await Task.sleep(for: .milliseconds(moment == .made ? 1 : 5))
    }
    let holder = try #require(found, "\(moment)")
    let names = try Self.namespaces(of: holder)
    try #require(try names.allSatisfy { try !Self.namespaces(of: "self").contains($0) })
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    while !Self.holders(of: names).isEmpty, .now < deadline { try await Task.sleep(for: .milliseconds(10)) }
    #expect(Self.holders(of: names) == [])
    #expect(Self.keepers(of: names) == [])
    #expect(try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).contains(" drill ") == false)
    // Nothing of it hinders the next one.
    if moment == .restoring, signal == SIGKILL {
      try drill.backUp(["etc/turnserver.conf", "etc/cert.pem", "etc/key.pem"])
      let next = try await drill.drill("-p", "compare=false", "-p", "random=false", "-p", "ports=1")
      #expect(next.output.status == 0, "\(next.output)")
    }
  }

  /// Whether the drill of a holder has come so far.
  private static func isAt(_ moment: Moment, _ holder: String) -> Bool {
    switch moment {
    case .made: true
    case .restoring:
      ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(holder)/root/run")) ?? []).contains {
        $0.contains("restored")
      }
    // Its holder, and what runs in it.
    case .booting, .running:
      (try? namespaces(of: holder)).map { holders(of: $0) }?.contains {
        let name = try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)
        return name == (moment == .booting ? "sleep\n" : "turnserver\n")
      } == true
    }
  }

  /// Processes that keep one of the namespaces by an open file or a mount.
  private static func keepers(of names: [String]) -> [String] {
    processes().filter { pid in
      let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
      let targets = files.compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\($0)")
      }
      let mounts = (try? String(contentsOfFile: "/proc/\(pid)/mountinfo", encoding: .utf8)) ?? ""
      return targets.contains(where: names.contains) || names.contains { mounts.contains($0) }
    }
  }

  @Test("Taken back, nothing of a drill is left while the run goes on")
  func takenBack() async throws {
    let drill = try await DrillCase()
    try drill.backUp()
    try drill.project.write(
      "runbooks/back.yaml",
      """
      runbook: back
      allow: [observe, change]
      rollback: onFailure
      secrets: {backupIdentity: {env: BACKUP_IDENTITY}}
      steps:
        - id: boot
          use: drill.boot
          with:
            set: coturn-config
            identity: "${secrets.backupIdentity}"
            server: "${target}"
            configuration: \(drill.configuration)
          undo:
            - {id: stop, use: drill.stop, with: {}, expect: [output.stopped == 1]}
            - id: gone
              use: command.run
              with: {command: [test, "!", -e, "/proc/${steps.boot.?output.?drill.orValue('self')}"]}
        - {id: there, use: command.run, effect: observe, with: {command: [test, -e, "/proc/${steps.boot.output.drill}"]}}
        - {id: fails, use: command.run, effect: observe, with: {command: ["false"]}}

      """)
    let output = try await drill.project.runbook("run", "back", "--format", "json", environment: drill.environment)
    let report = try output.json
    #expect(output.status == 1, "\(output)")
    let outcomes = ["boot", "there", "fails", "undo:boot/stop", "undo:boot/gone"].map {
      report.step($0)?["outcome"]?.string
    }
    #expect(outcomes == ["pass", "pass", "fail", "pass", "pass"], "\(output)")
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

  /// Processes that are in one of the namespaces.
  private static func holders(of names: [String]) -> [String] {
    processes().filter { pid in
      kinds.contains { kind in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\(kind)")).map(names.contains)
          == true
      }
    }
  }
}
