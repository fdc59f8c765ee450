import Foundation
import Schema
import Testing

/// Programs that a runbook names are looked for before it starts: what is not there costs nothing but a message.
@Suite struct ProgramLookTests {
  private func project(_ steps: String, head: String = "") throws -> CommandLineProject {
    let project = try CommandLineProject()
    let lines = steps.split(separator: "\n").map { "  \($0)\n" }.joined()
    try project.write("runbooks/look.yaml", "runbook: look\n\(head)steps:\n\(lines)")
    return project
  }

  private func script(_ text: String, _ project: CommandLineProject, mode: Int = 0o755) throws {
    try project.write("tool", text)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(project.root)/tool")
  }

  /// What keeps the run from starting; nothing was recorded.
  private func refusal(_ project: CommandLineProject) async throws -> JSON {
    let output = try await project.runbook("run", "look", "--format", "json")
    #expect(output.status == 2, "\(output.stdout)\(output.stderr)")
    #expect(!project.exists(".runbook/runs"))
    let problems = try #require(try output.json["problems"]?.array)
    #expect(problems.map { $0["code"] } == ["program-missing"])
    return try #require(problems.first)
  }

  @Test("A program that is not in PATH ends the run before it starts, at its place")
  func notInPath() async throws {
    let project = try project("- {id: a, use: command.run, effect: observe, with: {command: [no-such-tool, -x]}}")
    let problem = try await refusal(project)
    #expect(
      problem["message"]?.string?.hasPrefix("the program cannot be started: there is no command no-such-tool in PATH (")
        == true)
    #expect(problem["suggestion"] == "install it on this host, or give its full path")
    #expect(problem["line"] == 3 && problem["column"] == .int(65))
    // Where the runbook is written it need not be there.
    let validated = try await project.runbook("validate")
    #expect(validated.status == 0, "\(validated.stdout)\(validated.stderr)")
  }

  @Test("A file that was given by hand and is not there ends the run before it starts; one that is made first does not")
  func givenFiles() async throws {
    let project = try project(
      "- {id: log, use: coturn.log, with: {files: \"${params.files}\"}}\n- {id: audit, use: checks/audit, with: {file: \"${params.file}\"}, if: params.audited}",
      head:
        "params: {files: {type: list<string>, default: []}, file: {type: path, default: /nowhere/default}, audited: {type: bool, default: true}}\n"
    )
    try project.write(
      "checks/audit.yaml",
      "check: audit\ninputs: {file: {type: path}}\nsteps:\n  - {id: a, use: coturn.config, with: {file: \"${inputs.file}\", version: 4.6.1}}\n"
    )
    func problems(_ more: String...) async throws -> [JSON] {
      let output = try await project.runbook(["run", "look", "--format", "json"] + more, environment: [:])
      #expect(output.status == 2, "\(output.stdout)\(output.stderr)")
      return try output.json["problems"]?.array ?? []
    }
    let found = try await problems(
      "-p", "files=[/nowhere/turn.log, \"/nowhere/*.log\"]", "-p", "file=/nowhere/turn.conf")
    #expect(found.map { $0["code"] } == ["file-missing", "file-missing"])
    #expect(found.map { $0["file"] } == ["-p files", "-p file"])
    #expect(found.first?["message"] == "\"/nowhere/turn.log\", which the step \"log\" reads, is not there")
    #expect(found.last?["message"] == "\"/nowhere/turn.conf\", which the step \"audit/a\" reads, is not there")
    #expect(!project.exists(".runbook/runs"))
    // What is not given, is a pattern, or is not read is the steps' own to say.
    try project.write("turn.log", "x\n")
    let begun = try await project.runbook(
      "run", "look", "-p", "files=[\(project.root)/turn.log, \"/nowhere/*.log\"]", "-p", "audited=false", "-p",
      "file=/nowhere/turn.conf")
    #expect(begun.status == 3, "\(begun.stdout)\(begun.stderr)")
    try project.write(
      "runbooks/look.yaml",
      """
      runbook: look
      allow: [change]
      params: {file: {type: path}}
      steps:
        - {id: make, use: command.run, with: {command: [touch, "${params.file}"]}}
        - {id: audit, use: checks/audit, with: {file: "${params.file}"}}
      """)
    let made = try await project.runbook("run", "look", "-p", "file=\(project.root)/new.conf")
    #expect(made.status == 1, "\(made.stdout)\(made.stderr)")
  }

  @Test("So does a path that is not there, and one that may not be executed, also inside a check")
  func paths() async throws {
    let absent = try project(
      "- {id: a, use: command.run, effect: observe, with: {command: [/nowhere/tool, \"${params.x}\"]}}",
      head: "params: {x: {type: string, default: a}}\n")
    let problem = try await refusal(absent)
    #expect(problem["message"] == "the program cannot be started: there is no file /nowhere/tool")
    let refused = try project("- {id: a, use: checks/tool}")
    try script("#!/bin/sh\n", refused, mode: 0o644)
    try refused.write(
      "checks/tool.yaml",
      "check: tool\nsteps:\n  - {id: a, use: command.run, effect: observe, with: {command: [./tool], directory: \"\(refused.root)\"}}\n"
    )
    let inside = try await refusal(refused)
    #expect(inside["message"] == "the program cannot be started: ./tool may not be executed")
    #expect(inside["file"] == "checks/tool.yaml")
  }

  @Test("PATH is that which the step has")
  func ownPath() async throws {
    let project = try project(
      "- {id: a, use: command.run, effect: observe, with: {command: [tool], env: {PATH: \"FOLDER\"}}}")
    try script("#!/bin/sh\n", project)
    try project.write(
      "runbooks/look.yaml", try project.read("runbooks/look.yaml").replacing("FOLDER", with: project.root))
    let output = try await project.runbook("run", "look")
    #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
  }

  @Test(
    "A script whose first line no kernel understands is named",
    arguments: [
      (
        "#!/bin/sh\r\necho hello\r\n",
        "the first line of ./tool ends in a carriage return: the file has the line ends of Windows"
      ),
      (
        "#!/usr/bin/env python3\r\n",
        "the first line of ./tool ends in a carriage return: the file has the line ends of Windows"
      ),
      ("#!/nowhere/sh -e\n", "./tool names the interpreter /nowhere/sh, which is not there"),
    ])
  func interpreter(text: String, message: String) async throws {
    let project = try project("- {id: a, use: command.run, effect: observe, with: {command: [./tool]}}")
    try script(text, project)
    let problem = try await refusal(project)
    #expect(problem["message"] == .string("the program cannot be started: \(message)"))
    if text.contains("\r") {
      #expect(problem["suggestion"] == "save it with the line ends of Linux: sed -i 's/\\r$//' ./tool")
    }
  }

  @Test(
    "What may not be needed, or may come with an earlier step, is a warning",
    arguments: [
      "- {id: a, use: command.run, effect: observe, with: {command: [no-such-tool]}, if: run.id == ''}",
      "- {id: a, use: command.run, effect: observe, with: {command: [no-such-tool]}, diagnostic: true}\n- {id: b, use: host.load, expect: [output.load1 >= 0.0]}",
    ])
  func warned(steps: String) async throws {
    let project = try project(steps)
    let output = try await project.runbook("run", "look")
    #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
    #expect(
      output.stderr.contains("warning: the program cannot be started: there is no command no-such-tool in PATH"),
      "\(output.stderr)")
  }

  @Test("A program that an earlier step brings is run")
  func brought() async throws {
    let steps = """
      - {id: make, use: command.run, with: {command: [cp, /bin/true, ./brought]}}
      - {id: use, use: command.run, effect: observe, with: {command: [./brought]}}
      """
    let project = try project(steps, head: "allow: [change]\n")
    let output = try await project.runbook("run", "look")
    #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
    #expect(output.stderr.contains("there is no file ./brought"), "\(output.stderr)")
  }

  @Test("What is known only while it runs is left to the step")
  func unknown() async throws {
    let steps = """
      - {id: name, use: command.run, effect: observe, with: {command: [echo, -n, no-such-tool]}}
      - {id: use, use: command.run, effect: observe, with: {command: ["${steps.name.output.stdout}"]}}
      """
    let output = try await project(steps).runbook("run", "look", "--format", "json")
    #expect(output.status == 3, "\(output.stdout)\(output.stderr)")
    #expect(try output.json.step("use")?["error"]?["code"] == "command.notStarted")
  }
}
