import Foundation
import Processes
import Schema
import TestSupport
import Testing

/// Questions that a person answers at the run's terminal, seen through a pseudo-terminal.
@Suite(.enabled(if: geteuid() == 0, "the person is root")) struct TerminalPromptTests {
  /// Runs a command on a terminal, and types each text once what stands before it has been shown; prints what came as JSON.
  private static let typist = """
    import fcntl, json, os, pty, struct, subprocess, sys, termios
    dialogue, command = json.loads(sys.argv[1]), sys.argv[2:]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    child = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(theirs)
    shown, seen = b"", 0
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        while dialogue and dialogue[0][0].encode() in shown[seen:]:
            marker, text = dialogue.pop(0)
            seen = shown.index(marker.encode(), seen) + len(marker)
            os.write(ours, text.encode())
    rest = child.stdout.read()
    print(json.dumps({"shown": shown.decode(), "stdout": rest.decode(), "status": child.wait()}))

    """

  private func type(
    _ dialogue: [(after: String, text: String)], _ asking: AskingProject, _ arguments: [String]
  ) async throws -> JSON {
    try asking.project.write("typist.py", Self.typist)
    let lines = JSON.array(dialogue.map { [.string($0.after), .string($0.text)] })
    var command = Command(
      "python3", ["typist.py", lines.text(), CommandLineProject.executable] + arguments)
    command.environment = ["TERM": "xterm"]
    command.directory = asking.project.root
    command.timeout = .seconds(60)
    return try asking.project.output(of: try await command.run()).json
  }

  private static let confirm = """
      - id: ok
        title: Somebody agrees
        use: manual.confirm
        with: {question: "Restart coturn?"}
        timeout: 30s
    """

  @Test("The person at the terminal is shown the question, the time left and the other way, and answers it")
  func yes() async throws {
    let asking = try AskingProject(Self.confirm)
    let seen = try await type(
      [("Go on? yes or no: ", "maybe\n"), ("please type yes or no", ""), ("Go on? yes or no: ", "yes\n")], asking,
      ["run", "ask", "--format", "json"])
    #expect(seen["status"] == 0, "\(seen.text())")
    let shown = try #require(seen["shown"]?.string)
    for part in ["waiting for an answer: ok  Somebody agrees", "Restart coturn?", "s left", "runbook approve 1 ok"] {
      #expect(shown.contains(part), "\(part) in \(shown)")
    }
    let report = try JSON(parsing: seen["stdout"]?.string ?? "")
    #expect(report.step("ok")?["question"]?["answer"]?["way"] == "terminal")
  }

  @Test("No ends the run with 5")
  func no() async throws {
    let asking = try AskingProject(Self.confirm)
    let seen = try await type([("yes or no: ", "no\n")], asking, ["run", "ask"])
    #expect(seen["status"] == 5, "\(seen.text())")
    #expect(seen["stdout"]?.string?.contains("root declined (person.declined)") == true, "\(seen.text())")
  }

  @Test("What was typed before the question was asked is no answer to it")
  func typedAhead() async throws {
    let asking = try AskingProject(
      """
        - id: first
          use: command.run
          effect: observe
          with: {command: [sleep, "1"]}
        - id: ok
          use: manual.confirm
          with: {question: "Restart coturn?"}
          timeout: 2s
      """)
    let seen = try await type([("first", "yes\n")], asking, ["run", "ask"])
    #expect(seen["status"] == 5, "\(seen.text())")
    #expect(seen["stdout"]?.string?.contains("person.absent") == true, "\(seen.text())")
  }

  @Test("Fields are asked for one after the other; what is no value of the type is asked for again")
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
          timeout: 30s
          expect: [output.count == 3]
      """)
    let seen = try await type(
      [
        ("wait (duration)  How long: ", "90\n"), ("wait: ", ""), ("wait (duration)  How long: ", "90s\n"),
        ("count (int, else 3): ", "\n"), ("Send this? yes or no: ", "y\n"),
      ], asking, ["run", "ask", "--format", "json"])
    #expect(seen["status"] == 0, "\(seen.text())")
    let report = try JSON(parsing: seen["stdout"]?.string ?? "")
    #expect(report.step("how")?["output"] == ["wait": "1m30s", "count": 3])
  }

  @Test("Ctrl-C at the question ends the run")
  func interrupted() async throws {
    let asking = try AskingProject(Self.confirm)
    let seen = try await type([("yes or no: ", "\u{3}")], asking, ["run", "ask"])
    #expect(seen["status"] == 130, "\(seen.text())")
  }

  // MARK: confirm

  private static let harmless = """
      - id: look
        use: command.run
        effect: observe
        with: {command: ["true"]}
    """

  @Test("confirm is asked before anything runs: no, and nobody who could be asked, end with 5 and nothing is recorded")
  func confirmDeclined() async throws {
    let asking = try AskingProject(
      Self.harmless, keys: "confirm: Do it to ${params.what}?\nparams: {what: {type: string, default: it}}\n")
    let seen = try await type([("Run ask? yes or no: ", "no\n")], asking, ["run", "ask"])
    #expect(seen["status"] == 5, "\(seen.text())")
    #expect(seen["shown"]?.string?.contains("Do it to it?") == true, "\(seen.text())")
    let alone = try await asking.project.runbook("run", "ask", "--format", "json")
    #expect(alone.status == 5)
    #expect(alone.stderr.contains("ask asks before it runs: Do it to it?"), "\(alone.stderr)")
    #expect(try alone.json["schema"] == "runbook.error/1")
    #expect(asking.journals().isEmpty)
  }

  @Test("yes at the terminal and --yes let it run, and the run says which it was")
  func confirmed() async throws {
    let asking = try AskingProject(Self.harmless, keys: "confirm: Do it?\n")
    let seen = try await type([("Run ask? yes or no: ", "yes\n")], asking, ["run", "ask"])
    #expect(seen["status"] == 0, "\(seen.text())")
    #expect(try await asking.project.runbook("run", "ask", "--yes").status == 0)
    #expect(try asking.events("run.started").map { $0["confirmation"] } == ["terminal", "option"])
  }
}
