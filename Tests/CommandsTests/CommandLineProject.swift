import Foundation
import Processes
import Schema
import TestSupport
import Testing

/// A project in a folder of its own, with this repository's runbooks, checks and backup sets, and `runbook` as users run it.
final class CommandLineProject: Sendable {
  let root: String

  /// The executable under test: what RUNBOOK_EXECUTABLE names, else the one that was built beside the tests.
  static let executable =
    ProcessInfo.processInfo.environment["RUNBOOK_EXECUTABLE"]
    ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "runbook")
    .path

  /// The folder of this repository.
  static let repositoryURL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// - Parameter isEmpty: true for a folder that is no project.
  init(isEmpty: Bool = false) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "runbook-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    root = folder.resolvingSymlinksInPath().path
    guard !isEmpty else { return }
    for name in ["runbooks", "checks", "backups"] {
      try FileManager.default.copyItem(atPath: Self.repositoryURL.appending(path: name).path, toPath: "\(root)/\(name)")
    }
    try write("runbook.yaml", "project: test\n")
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func write(_ path: String, _ text: String) throws {
    let url = URL(filePath: "\(root)/\(path)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func read(_ path: String) throws -> String { try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8) }

  func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(path)") }

  /// What a command printed, and how it ended.
  struct Output: Sendable {
    let status: Int32
    let stdout: String
    let stderr: String

    /// Standard output as JSON.
    var json: JSON {
      get throws { try JSON(parsing: stdout) }
    }
  }

  /// The folders of its runs, the oldest first.
  func runFolders() throws -> [String] {
    let runs = "\(root)/.runbook/runs"
    return try FileManager.default.contentsOfDirectory(atPath: runs).filter { !$0.hasPrefix(".") }.sorted()
      .map { "\(runs)/\($0)" }
  }

  /// The command, for those who want to watch it; or another program in its place.
  func command(
    _ arguments: [String], environment: [String: String] = [:], program: String = CommandLineProject.executable
  ) -> Command {
    var command = Command(program, arguments)
    command.environment = environment
    command.directory = root
    command.timeout = .seconds(90)
    return command
  }

  /// Runs `runbook` with these arguments in the project's folder and waits for its end.
  @discardableResult
  func runbook(_ arguments: String..., environment: [String: String] = [:]) async throws -> Output {
    try await runbook(arguments, environment: environment)
  }

  func runbook(_ arguments: [String], environment: [String: String]) async throws -> Output {
    output(of: try await command(arguments, environment: environment).run())
  }

  /// The same while the clock shows a time, such as `2026-11-28T06:00:10Z`, and goes on from there, in children too. The boot-time clock
  /// is left as it is.
  func runbook(
    _ arguments: [String], at time: String, environment: [String: String] = [:]
  ) async throws -> Output {
    let wanted = try #require(Timestamp(time))
    let offset = wanted.seconds - Int64(Date().timeIntervalSince1970)
    var faked = environment
    faked["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
    return output(
      of: try await command(
        ["-m", "-f", "\(offset >= 0 ? "+" : "")\(offset)", CommandLineProject.executable] + arguments,
        environment: faked, program: "faketime"
      ).run())
  }

  /// Agrees to a question of a run once it waits. It is asked for ten times a second.
  func agree(_ question: String, run: Int, tries: Int = 300) async throws {
    for _ in 0..<tries {
      let output = try await runbook("approve", "\(run)", question, "--reason", "question of a test")
      if output.status == 0 { return }
      try await Task.sleep(for: .milliseconds(100))
    }
    Issue.record("the question never waited")
  }

  func output(of result: ProcessResult) -> Output {
    let status: Int32 =
      switch result.ending {
      case .exited(let status): status
      case .signalled(let signal): 128 + signal
      case .unkillable: -1
      }
    return Output(status: status, stdout: result.standardOutput.text, stderr: result.standardError.text)
  }

  /// Runs `body` while the lab is up, with what `lab exec` gives programs.
  func withLab(_ body: ([String: String]) async throws -> Void) async throws {
    let up = try await runbook("lab", "up")
    try #require(up.status == 0, "\(up.stderr)")
    do {
      let printed = try await runbook("lab", "exec", "--", "env")
      var environment: [String: String] = [:]
      for line in printed.stdout.split(separator: "\n") where line.hasPrefix("TURN_") {
        let parts = line.split(separator: "=", maxSplits: 1)
        environment[String(parts[0])] = String(parts[1])
      }
      try await body(environment)
    } catch {
      try await runbook("lab", "down")
      throw error
    }
    let down = try await runbook("lab", "down")
    #expect(down.status == 0)
    #expect(!exists(".runbook/lab"))
  }

  /// The processes of the lab's servers, by the programs that run.
  func serverPIDs() throws -> [Int32] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { pid in
      let line = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
      return line.hasPrefix("turnserver") && line.contains(root)
    }
  }
}

extension JSON {
  /// The first step of a report, at any depth, with this path.
  func step(_ path: String) -> JSON? {
    for step in self["steps"]?.array ?? [] {
      if step["path"] == .string(path) { return step }
      if let found = step.step(path) { return found }
    }
    return nil
  }
}

extension Coturn {
  /// What names it, its user and the certificate to trust, as users set it.
  var environment: [String: String] {
    [
      "TURN_SERVER": "turn:127.0.0.1:\(port)", "TURN_USERNAME": Self.username, "TURN_CREDENTIAL": Self.credential,
      "TURN_CA": authority,
    ]
  }
}

/// Waits for a condition, which is looked at every 20 ms; fails if it does not come within 30 s.
func until(_ condition: () throws -> Bool) async throws {
  let end = ContinuousClock.now + .seconds(30)
  while try !condition() {
    try #require(.now < end)
    try await Task.sleep(for: .milliseconds(20))
  }
}
