import Foundation
import Processes
import Schema
import Testing

/// A project whose runbooks ask people, and what is done while they wait.
struct AskingProject {
  let project: CommandLineProject
  /// Where runs are kept, if not in the project.
  var state: String?

  /// - Parameter steps: of the runbook `ask`, in YAML, indented by two.
  init(_ steps: String, keys: String = "") throws {
    project = try CommandLineProject()
    try project.write("runbooks/ask.yaml", "runbook: ask\ntitle: Ask\n\(keys)steps:\n\(steps)\n")
  }

  var runs: String { (state ?? "\(project.root)/.runbook") + "/runs" }

  var environment: [String: String] { state.map { ["RUNBOOK_STATE": $0] } ?? [:] }

  /// The journals of the runs, the oldest first.
  func journals() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: runs)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted().compactMap {
      try? String(contentsOfFile: "\(runs)/\($0)/journal.jsonl", encoding: .utf8)
    }
  }

  /// The events of a kind in all journals.
  func events(_ type: String) throws -> [JSON] {
    try journals().flatMap { try $0.split(separator: "\n").map { try JSON(parsing: String($0)) } }
      .filter { $0["type"] == .string(type) }
  }

  /// Waits until as many events of a kind are recorded.
  func wait(for type: String, count: Int = 1) async throws {
    for _ in 0..<600 {
      if try events(type).count >= count { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw NeverCame(type: type)
  }

  struct NeverCame: Error { let type: String }

  /// Runs `ask`, and does something once as many questions wait.
  func whileAsked(
    _ arguments: [String] = [], questions: Int = 1, _ body: () async throws -> Void
  ) async throws -> CommandLineProject.Output {
    async let result = project.command(["run", "ask"] + arguments, environment: environment).run()
    do {
      try await wait(for: "person.asked", count: questions)
      try await body()
    } catch {
      // What waits must not outlive its test.
      for journal in journals() {
        guard let first = journal.split(separator: "\n").first, let pid = try JSON(parsing: String(first))["pid"]?.int
        else { continue }
        kill(pid_t(pid), SIGKILL)
      }
      _ = try await result
      throw error
    }
    return project.output(of: try await result)
  }

  func approve(_ arguments: String...) async throws -> CommandLineProject.Output {
    try await project.runbook(["approve"] + arguments, environment: environment)
  }

  /// The inbox of the one run, and the digest of the question that it asks.
  func inbox() throws -> (folder: String, digest: String) {
    let asked = try #require(try events("person.asked").first)
    return ("\(runs)/\(try #require(asked["run"]?.string))/inbox", try #require(asked["digest"]?.string))
  }

  /// Puts an answer in as a file of somebody.
  func put(_ name: String, _ bytes: [UInt8], owner: uid_t = geteuid()) throws {
    let (folder, digest) = try inbox()
    let aside = "\(folder)/.\(name)"
    try Data(bytes).write(to: URL(filePath: aside))
    try #require(chown(aside, owner, gid_t.max) == 0)
    try #require(rename(aside, "\(folder)/\(digest).\(name)") == 0)
  }

  /// The bytes of an answer.
  func answer(accepted: Bool = true, digest: String? = nil, values: String = "{}") throws -> [UInt8] {
    let own = try inbox().digest
    return Array(
      """
      {"schema": "runbook.answer/1", "digest": "\(digest ?? own)", "accepted": \(accepted), "values": \(values)}
      """.utf8)
  }
}
