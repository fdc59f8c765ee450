import Foundation
import Processes
import Schema
import Testing

/// Runs over a real file that fail after they changed it: what is taken back, what is not, and what signals do in each stage.
@Suite struct RollbackTests {
  /// `service.conf` is good; the runbook `change` keeps a copy and makes it bad, which its hypothesis finds out.
  ///
  /// - Parameters:
  ///   - stage: where the run waits for the file `go`; none for nowhere.
  ///   - edit: what makes the file bad.
  private func project(
    waitingIn stage: String = "none", edit: String = "bad.conf", restore: String = "service.conf.old", head: String = ""
  ) throws -> CommandLineProject {
    let project = try CommandLineProject()
    let root = project.root
    try project.write("service.conf", "good\n")
    try project.write("good.conf", "good\n")
    try project.write("bad.conf", "bad\n")
    let wait = "use: command.run, with: {command: [sh, -c, \"until test -e \(root)/go; do sleep 0.02; done\"]}"
    func waits(_ place: String) -> String { "if: \"'\(stage)' == params.none + '\(place)'\", effect: observe, \(wait)" }
    try project.write(
      "runbooks/change.yaml",
      """
      runbook: change
      allow: [change]
      rollback: onFailure
      \(head)params: {none: {type: string, default: ""}}
      hypothesis:
        - {id: works, use: command.run, effect: observe, with: {command: [grep, -q, good, \(root)/service.conf]}}
        - {id: early, \(waits("before"))}
        - id: later
          use: command.run
          if: "'\(stage)' == params.none + 'after'"
          effect: observe
          with:
            command: [sh, -c, "while test -e \(root)/service.conf.old && ! test -e \(root)/go; do sleep 0.02; done"]
      steps:
        - id: keep
          use: command.run
          with: {command: [cp, \(root)/service.conf, \(root)/service.conf.old]}
          undo:
            - {id: unkeep, use: command.run, with: {command: [rm, \(root)/service.conf.old]}}
        - id: edit
          use: command.run
          with: {command: [cp, \(root)/\(edit), \(root)/service.conf]}
          undo:
            - {id: late, \(waits("undo"))}
            - {id: restore, use: command.run, with: {command: [cp, \(root)/\(restore), \(root)/service.conf]}}
        - {id: wait, \(waits("steps"))}
      finally:
        - {id: last, \(waits("finally"))}
        - {id: note, use: command.run, with: {command: [touch, \(root)/finished]}}

      """)
    return project
  }

  private func verdicts(_ report: JSON) -> [String] {
    (report["hypothesis"]?.array ?? []).compactMap { $0["verdict"]?.string }
  }

  @Test("A change after which the hypothesis does not hold is undone, the newest step first")
  func undone() async throws {
    let project = try project()
    let output = try await project.runbook("run", "change", "--format", "json")
    #expect(output.status == 1, "\(output.stderr)")
    #expect(try project.read("service.conf") == "good\n")
    #expect(!project.exists("service.conf.old"))
    #expect(project.exists("finished"))
    let report = try output.json
    #expect(verdicts(report) == ["holds", "broken", "restored"])
    #expect(report["stillInPlace"] == [])
    #expect(report.step("undo:edit/restore")?["outcome"] == "pass")
    let text = try await project.runbook("report").stdout
    #expect(text.contains("after the rollback it holds again"), "\(text)")
  }

  @Test("A change that works stays")
  func kept() async throws {
    let project = try project(edit: "good.conf")
    let output = try await project.runbook("run", "change", "--format", "json")
    #expect(output.status == 0, "\(output.stderr)")
    #expect(project.exists("service.conf.old") && project.exists("finished"))
    #expect(verdicts(try output.json) == ["holds", "holds"])
  }

  @Test("An undo that fails: the report begins with what is still in place, and the run is an error")
  func undoFails() async throws {
    let project = try project(restore: "no-such-file")
    let output = try await project.runbook("run", "change")
    #expect(output.status == 3, "\(output.stderr)")
    #expect(try project.read("service.conf") == "bad\n")
    #expect(project.exists("service.conf.old") && project.exists("finished"))
    let lines = output.stdout.split(separator: "\n")
    #expect(lines.dropFirst().first?.contains("in place  edit, keep: still in place") == true, "\(output.stdout)")
    #expect(output.stderr.contains("still in place: edit, keep"), "\(output.stderr)")
    let report = try await project.runbook("report", "--format", "json").json
    #expect(report["stillInPlace"] == ["edit", "keep"])
    for format in ["markdown", "html", "junit", "tap", "nagios"] {
      let shown = try await project.runbook("report", "--format", format).stdout
      #expect(shown.contains("still in place"), "\(format): \(shown)")
    }
  }

  // MARK: What ends a run from outside

  /// The journal of the run once it holds each of these texts.
  private func journal(of project: CommandLineProject, with texts: String...) async throws -> String {
    for _ in 0..<600 {
      if let folder = try? project.runFolders().last,
        let journal = try? String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8),
        texts.allSatisfy(journal.contains)
      {
        return journal
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw EndingTests.NeverBegan()
  }

  private func pid(_ journal: String, of line: String) throws -> Int32 {
    let found = try #require(journal.split(separator: "\n").last { $0.contains(line) })
    return Int32(try #require(try JSON(parsing: String(found))["pid"]?.int))
  }

  @Test(
    "INT in each stage: what was changed is undone, finally is done, and the run ends with 130",
    arguments: [
      ("before", "before", "early"), ("steps", "steps", "wait"), ("after", "after", "later"),
      ("undo", "undo", "edit/late"), ("finally", "finally", "last"),
    ])
  func interrupted(stage: String, part: String, step: String) async throws {
    let project = try project(waitingIn: stage, edit: ["after", "finally"].contains(stage) ? "good.conf" : "bad.conf")
    async let result = project.command(["run", "change", "--format", "json"]).run()
    let begun = try await journal(
      of: project, with: "\"process.started\",\"stage\":\"\(part)\",\"path\":\"\(step)\"")
    kill(try pid(begun, of: "run.started"), SIGINT)
    _ = try await journal(of: project, with: "run.signalled")
    // Undo and finally are not cancelled: they come to their end.
    try project.write("go", "")
    let output = project.output(of: try await result)
    #expect(output.status == 128 + SIGINT, "\(output.stderr)")
    #expect(try project.read("service.conf") == "good\n")
    #expect(project.exists("service.conf.old") == (stage == "finally"))
    #expect(project.exists("finished"))
    #expect(try output.json["stillInPlace"] == [])
    // What a signal ended proves nothing, even if all that it came to passed.
    let listed = try #require(try await project.runbook("history", "--format", "json").json.array?.first)
    #expect(listed["outcome"] != "pass" && listed["outcome"] != "warn", "\(listed)")
  }

  @Test("A gate that flaps: the change is taken back, and that it holds again makes the run no better")
  func flapping() async throws {
    let project = try CommandLineProject()
    try project.write("service.conf", "old\n")
    let root = project.root
    try project.write(
      "runbooks/flap.yaml",
      """
      runbook: flap
      allow: [change]
      rollback: onFailure
      hypothesis:
        - id: works
          use: command.run
          effect: observe
          with: {command: [sh, -c, "echo look >>\(root)/looks; test $(wc -l <\(root)/looks) != 2"]}
      steps:
        - id: edit
          use: command.run
          with: {command: [sh, -c, "echo new >\(root)/service.conf"]}
          undo: [{id: back, use: command.run, with: {command: [sh, -c, "echo old >\(root)/service.conf"]}}]
        - {id: reload, use: command.run, with: {command: [touch, \(root)/reloaded]}}

      """)
    let output = try await project.runbook("run", "flap", "--format", "json")
    #expect(output.status == 1, "\(output.stderr)")
    #expect(verdicts(try output.json) == ["holds", "broken", "restored"])
    #expect(try project.read("service.conf") == "old\n" && project.read("looks") == "look\nlook\nlook\n")
    // What has no undo is in place, and said so; it is no mistake of the rollback.
    #expect(try output.json["withoutUndo"] == ["reload"] && output.json["outcome"] == "fail", "\(output.stdout)")
    #expect(try await project.runbook("report").stdout.contains("in place  reload: changed something, and has no undo"))
  }

  @Test("A second INT ends a rollback: what is still in place is told, and nothing follows")
  func killedInUndo() async throws {
    let project = try project(waitingIn: "undo")
    async let result = project.command(["run", "change", "--format", "json"]).run()
    let begun = try await journal(of: project, with: "\"process.started\",\"stage\":\"undo\"")
    let process = try pid(begun, of: "run.started")
    kill(process, SIGINT)
    _ = try await journal(of: project, with: "run.signalled")
    // What comes right behind the first is the same wish; two that a person types are not.
    try await Task.sleep(for: .milliseconds(250))
    kill(process, SIGINT)
    let output = project.output(of: try await result)
    #expect(output.status == 128 + SIGINT, "\(output.stderr)")
    #expect(try project.read("service.conf") == "bad\n")
    #expect(!project.exists("finished"))
    #expect(try output.json["stillInPlace"] == ["edit", "keep"])
    #expect(try output.json.step("finally:note")?["outcome"] == "skipped")
  }

  @Test("The run's timeout undoes what was changed, and finally is done")
  func timedOut() async throws {
    let project = try project(waitingIn: "steps", head: "timeout: 3s\n")
    let output = try await project.runbook("run", "change", "--format", "json")
    #expect(output.status == 3, "\(output.stderr)")
    #expect(try project.read("service.conf") == "good\n")
    #expect(project.exists("finished"))
    #expect(try output.json["error"]?["code"] == "run.timeout")
  }

  @Test("A step whose process is killed from outside fails, and what was changed is undone")
  func childKilled() async throws {
    let project = try project(waitingIn: "steps")
    async let result = project.command(["run", "change", "--format", "json"]).run()
    let child = "\"process.started\",\"stage\":\"steps\",\"path\":\"wait\""
    kill(try pid(try await journal(of: project, with: child), of: child), SIGKILL)
    let output = project.output(of: try await result)
    #expect(output.status == 1 || output.status == 3, "\(output.stderr)")
    #expect(try project.read("service.conf") == "good\n")
    #expect(project.exists("finished"))
    #expect(verdicts(try output.json) == ["holds", "restored"])
  }

  @Test("A run over several targets passes a signal to its children, and each undoes what it did")
  func fleet() async throws {
    let project = try CommandLineProject()
    let root = project.root
    try project.write(
      "runbook.yaml",
      """
      project: fleet
      targets:
        a: {server: "turn:127.0.0.1:9"}
        b: {server: "turn:127.0.0.1:9"}

      """)
    for name in ["a", "b"] { try project.write("\(name).conf", "good\n") }
    try project.write("bad.conf", "bad\n")
    try project.write("good.conf", "good\n")
    try project.write(
      "runbooks/change.yaml",
      """
      runbook: change
      allow: [change]
      rollback: onFailure
      steps:
        - id: edit
          use: command.run
          with: {command: [cp, \(root)/bad.conf, "\(root)/${target.name}.conf"]}
          undo:
            - {id: restore, use: command.run, with: {command: [cp, \(root)/good.conf, "\(root)/${target.name}.conf"]}}
        - {id: wait, use: command.run, effect: observe, with: {command: [sleep, "600"]}, timeout: 10m}
      finally:
        - {id: note, use: command.run, with: {command: [touch, "\(root)/${target.name}.finished"]}}

      """)
    async let result = project.command(["run", "change", "--target", "all", "--format", "json"]).run()
    // Both have changed their file.
    let begun = "\"process.started\",\"stage\":\"steps\",\"path\":\"wait\""
    func waiting() throws -> [String] {
      guard project.exists(".runbook/runs") else { return [] }
      return try project.runFolders().compactMap { folder in
        let journal = try? String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8)
        return journal.flatMap { $0.contains(begun) ? $0 : nil }
      }
    }
    try await until { try waiting().count == 2 }
    kill(try pid(try waiting()[0], of: "run.started"), SIGTERM)
    let output = project.output(of: try await result)
    #expect(output.status == 128 + SIGTERM, "\(output.stderr)")
    for name in ["a", "b"] {
      #expect(try project.read("\(name).conf") == "good\n")
      #expect(project.exists("\(name).finished"))
    }
  }

  @Test("The report of a run over several targets tells first what is still in place on each")
  func fleetLeft() async throws {
    let project = try project(restore: "no-such-file")
    try project.write(
      "runbook.yaml", "project: fleet\ntargets: {a: {server: 'turn:127.0.0.1:9'}, b: {server: 'turn:127.0.0.1:9'}}\n")
    let text = try project.read("runbooks/change.yaml").replacing(
      "\nparams:", with: "\ntitle: \"On ${target.name}\"\nparams:")
    try project.write("runbooks/change.yaml", text)
    // One after the other: both write the same files.
    let output = try await project.runbook("run", "change", "--target", "a", "--target", "b", "--rolling", "1")
    #expect(output.status == 3, "\(output.stderr)")
    #expect(output.stdout.contains("in place  on a: edit, keep: still in place"), "\(output.stdout)")
    #expect(output.stdout.contains("in place  on b: "), "\(output.stdout)")
  }
}
