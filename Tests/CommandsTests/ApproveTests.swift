import Foundation
import Processes
import Schema
import Testing

/// Questions of running runbooks, answered from elsewhere.
@Suite(.enabled(if: geteuid() == 0, "answers of other users take root")) struct ApproveTests {
  private static let confirm = """
      - id: ok
        title: Somebody agrees
        use: manual.confirm
        with: {question: "Restart coturn?"}
        timeout: 60s
      - id: after
        use: command.run
        effect: observe
        with: {command: ["true"]}
    """

  @Test("A question that waits is listed, is answered by its run and step, and the report says by whom")
  func agrees() async throws {
    let asking = try AskingProject(Self.confirm)
    let output = try await asking.whileAsked(["--format", "json"]) {
      let list = try await asking.approve()
      #expect(list.stdout.contains("run 1 of ask\n"), "\(list.stdout)")
      #expect(list.stdout.contains("  Restart coturn?\n"), "\(list.stdout)")
      let json = try await asking.approve("--format", "json").json
      #expect(json["schema"] == "runbook.questions/1")
      #expect(json["questions"]?.array?.first?["step"] == "ok", "\(json.text())")
      let answer = try await asking.approve("1", "ok", "--reason", "quiet hour")
      #expect(answer.status == 0, "\(answer.stderr)")
      #expect(answer.stdout == "ok of run 1: root agreed\n")
    }
    #expect(output.status == 0, "\(output.stderr)")
    #expect(output.stderr.contains("waiting for an answer: ok  Somebody agrees\n"), "\(output.stderr)")
    #expect(output.stderr.contains("  answer:  runbook approve 1 ok\n"), "\(output.stderr)")
    let question = try #require(try output.json.step("ok")?["question"])
    #expect(question["text"] == "Restart coturn?")
    #expect(question["answer"]?["user"] == "root")
    #expect(question["answer"]?["way"] == "command")
    #expect(question["answer"]?["reason"] == "quiet hour")
    let late = try await asking.approve("1", "ok")
    #expect(late.status == 2)
    #expect(late.stderr.contains("waits no longer: root agreed at "), "\(late.stderr)")
    #expect(try await asking.approve().stdout == "nothing waits for an answer\n")
    #expect(!FileManager.default.fileExists(atPath: try asking.inbox().folder))
    for format in ["text", "markdown", "html", "junit", "tap"] {
      let report = try await asking.project.runbook("report", "1", "--format", format)
      #expect(report.stdout.contains("root agreed with runbook approve at "), "\(format): \(report.stdout)")
    }
  }

  @Test("A question that is declined ends the run with 5, whoever only listens too")
  func declines() async throws {
    let asking = try AskingProject(Self.confirm)
    let output = try await asking.whileAsked(["--quiet"]) {
      let answer = try await asking.approve("last", "ok", "--decline", "--reason", "not during the match")
      #expect(answer.status == 0, "\(answer.stderr)")
    }
    #expect(output.status == 5)
    #expect(output.stderr.contains("Restart coturn?"), "\(output.stderr)")
    #expect(output.stdout.contains("root declined: not during the match (person.declined)"), "\(output.stdout)")
    #expect(try asking.events("step.skipped").count == 1)
  }

  @Test("A question that nobody answers ends the run with 5 when its time is over; --yes does not answer it")
  func absent() async throws {
    let asking = try AskingProject(Self.confirm.replacing("60s", with: "1s"))
    let output = try await asking.project.runbook("run", "ask", "--yes")
    #expect(output.status == 5)
    #expect(output.stdout.contains("nobody answered within 1s (person.absent)"), "\(output.stdout)")
  }

  @Test("What does not count is refused with its reason, and recorded; the question goes on waiting")
  func refused() async throws {
    let asking = try AskingProject(Self.confirm)
    let output = try await asking.whileAsked {
      let (folder, digest) = try asking.inbox()
      try asking.put("1", try asking.answer(), owner: 65_534)
      try await asking.wait(for: "answer.refused", count: 1)
      try #require(symlink("\(asking.project.root)/runbook.yaml", "\(folder)/\(digest).2") == 0)
      try await asking.wait(for: "answer.refused", count: 2)
      try asking.put("3", [UInt8](repeating: 0x20, count: 10 << 20))
      try await asking.wait(for: "answer.refused", count: 3)
      try #require(mkfifo("\(folder)/\(digest).4", 0o600) == 0)
      try await asking.wait(for: "answer.refused", count: 4)
      try asking.put("5", Array("yes".utf8))
      try await asking.wait(for: "answer.refused", count: 5)
      try asking.put("6", try asking.answer(digest: String(repeating: "0", count: 64)))
      try await asking.wait(for: "answer.refused", count: 6)
      try asking.put("7", try asking.answer(values: "{\"a\": \"b\"}"))
      try await asking.wait(for: "answer.refused", count: 7)
      try FileManager.default.createDirectory(atPath: "\(folder)/\(digest).8", withIntermediateDirectories: false)
      try await asking.wait(for: "answer.refused", count: 8)
      #expect(try await asking.approve("1", "ok").status == 0)
    }
    #expect(output.status == 0, "\(output.stderr)")
    let reasons = try asking.events("answer.refused").compactMap { $0["reason"]?.string }
    #expect(
      reasons == [
        "nobody is none of those who may answer: root", "its answer is a symbolic link",
        "its answer is not read: it has 10485760 bytes; at most 65536 are read",
        "its answer is not read: it is no regular file", reasons.dropFirst(4).first ?? "",
        "its answer is to another question", "a: the form has no such field",
        "its answer is not read: it is no regular file",
      ], "\(reasons)")
    #expect(reasons.dropFirst(4).first?.hasPrefix("its answer is no JSON: ") == true, "\(reasons)")
    #expect(try asking.events("answer.refused").first?["uid"] == 65_534)
  }

  @Test("Of two that answer at once one is taken, and the other is told")
  func twoAtOnce() async throws {
    let asking = try AskingProject(Self.confirm)
    let output = try await asking.whileAsked {
      async let yes = asking.approve("1", "ok")
      async let no = asking.approve("1", "ok", "--decline")
      let (agreed, declined) = try await (yes, no)
      #expect([agreed.status, declined.status].sorted() == [0, 2], "\(agreed.stderr) \(declined.stderr)")
    }
    #expect(try asking.events("person.answered").count == 1)
    #expect([0, 5].contains(output.status))
  }

  @Test("A form is filled in by name, each value read by its type; what is wrong is said before the run hears of it")
  func form() async throws {
    let asking = try AskingProject(
      """
        - id: how
          use: manual.form
          with:
            question: How?
            fields:
              wait: {type: duration, doc: How long}
              count: {type: int, default: 3}
          timeout: 60s
          expect: [output.wait > duration('10s'), output.count == 3]
        - id: after
          if: steps.how.output.wait == duration('90s')
          use: command.run
          effect: observe
          with: {command: ["true"]}
      """)
    let output = try await asking.whileAsked(["--format", "json"]) {
      let listed = try await asking.project.runbook(["approve"], environment: [:])
      #expect(listed.stdout.contains("approve 1 how --form wait=DURATION [--form count=INT]"), "\(listed.stdout)")
      for (arguments, reason) in [
        ([], "wait: it must be filled in"), (["--form", "wait=90"], "wait: "),
        (["--form", "wait=90s", "--form", "cuont=3"], "has no field cuont"),
      ] {
        let wrong = try await asking.project.runbook(["approve", "1", "how"] + arguments, environment: [:])
        #expect(wrong.status == 2)
        #expect(wrong.stderr.contains(reason), "\(wrong.stderr)")
      }
      #expect(try await asking.approve("1", "how", "--form", "wait=90s").status == 0)
    }
    #expect(output.status == 0, "\(output.stderr)")
    #expect(try output.json.step("how")?["output"] == ["wait": "1m30s", "count": 3])
    #expect(try output.json.step("after")?["outcome"] == "pass")
    #expect(try asking.events("answer.refused").isEmpty)
  }

  @Test("An approver who is another user answers in a state folder that is shared; everybody else is refused")
  func approvers() async throws {
    var asking = try AskingProject(
      """
        - id: ok
          use: manual.approve
          with: {question: "Go on?", approvers: {users: [nobody]}}
          timeout: 60s
      """)
    let state = "\(asking.project.root)/state"
    try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: false)
    try #require(chmod(asking.project.root, 0o755) == 0 && chown(state, 0, 65_534) == 0 && chmod(state, 0o2770) == 0)
    asking.state = state
    let shared = asking
    let output = try await shared.whileAsked(["--format", "json"]) {
      let own = try await shared.approve("1", "ok")
      #expect(own.status == 2)
      #expect(own.stderr.contains("root is none of those who may answer: nobody"), "\(own.stderr)")
      var command = shared.project.command(
        [
          "--reuid=65534", "--regid=65534", "--clear-groups", CommandLineProject.executable, "approve", "1", "ok",
          "--project", shared.project.root,
        ], environment: shared.environment, program: "setpriv")
      command.directory = "/"
      let theirs = shared.project.output(of: try await command.run())
      #expect(theirs.status == 0, "\(theirs.stderr)")
    }
    #expect(output.status == 0, "\(output.stderr)")
    #expect(try output.json.step("ok")?["question"]?["answer"]?["user"] == "nobody")
    #expect(try output.json.step("ok")?["output"]?["user"] == "nobody")
  }

  @Test("Each child of a run over three targets asks; one is answered by its target, the others by all")
  func targets() async throws {
    let asking = try AskingProject(
      """
        - id: ok
          use: manual.confirm
          with: {question: "Restart ${target.name}?"}
          timeout: 60s
      """)
    let targets = ["a", "b", "c"].map { "  \($0): {server: \"turn:127.0.0.1:9\"}\n" }.joined()
    try asking.project.write("runbook.yaml", "project: test\ntargets:\n\(targets)")
    let output = try await asking.whileAsked(["--target", "all", "--format", "json"], questions: 3) {
      let parent = try #require(try asking.events("run.started").first { $0["parent"] == .null }?["number"]?.int)
      let unclear = try await asking.approve("\(parent)", "ok")
      #expect(unclear.status == 2)
      #expect(unclear.stderr.contains("the step ok asks on several targets: a, b, c"), "\(unclear.stderr)")
      #expect(try await asking.approve("\(parent)", "ok", "--target", "b", "--decline").status == 0)
      let rest = try await asking.approve("\(parent)", "ok", "--target", "all")
      #expect(rest.status == 0, "\(rest.stderr)")
      #expect(rest.stdout.split(separator: "\n").count == 2, "\(rest.stdout)")
    }
    #expect(output.status == 5)
    let outcomes = try #require(try output.json["children"]?.array).map {
      "\($0["target"]?.string ?? "") \($0["outcome"]?.string ?? "")"
    }
    #expect(outcomes.sorted() == ["a pass", "b fail", "c pass"])
    #expect(output.stderr.contains("a  waiting for an answer: ok"), "\(output.stderr)")
  }

  @Test("A signal ends the wait at once", arguments: [SIGINT, SIGTERM])
  func signal(number: Int32) async throws {
    let asking = try AskingProject(Self.confirm)
    let output = try await asking.whileAsked {
      let pid = try #require(try asking.events("run.started").first?["pid"]?.int)
      #expect(kill(pid_t(pid), number) == 0)
    }
    #expect(output.status == 128 + number)
    #expect(try asking.events("person.answered").isEmpty)
    #expect(try asking.events("run.finished").first?["signal"] == .int(Int64(number)))
  }

  @Test("The run's own timeout ends the wait, and nobody came")
  func runTimeout() async throws {
    let asking = try AskingProject(Self.confirm, keys: "timeout: 1s\n")
    let output = try await asking.project.runbook("run", "ask")
    #expect(output.status == 5)
    #expect(output.stdout.contains("person.absent"), "\(output.stdout)")
  }

  @Test("A run that nobody knows, a step that asks nothing and an answer to nothing are told as mistakes")
  func mistakes() async throws {
    let asking = try AskingProject(Self.confirm)
    let output = try await asking.whileAsked {
      for (arguments, reason) in [
        (["9", "ok"], "no run has the number 9"), (["1", "okay"], "no step okay of run 1 waits"),
        (["1", "ok", "--form", "a=b"], "has no field a"), (["--decline"], "an answer needs the run and the step"),
      ] {
        let wrong = try await asking.project.runbook(["approve"] + arguments, environment: [:])
        #expect(wrong.status == 2, "\(arguments)")
        #expect(wrong.stderr.contains(reason), "\(wrong.stderr)")
      }
      #expect(try await asking.approve("1", "ok").status == 0)
    }
    #expect(output.status == 0)
  }
}
