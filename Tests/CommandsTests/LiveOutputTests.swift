import Foundation
import Processes
import Schema
import TestSupport
import Testing

/// What is shown while something runs, seen through a pseudo-terminal.
@Suite struct LiveOutputTests {
  /// Runs a command with its standard error, or all of it, on a terminal of 100 columns; prints what came there as JSON.
  private static let terminal = """
    import fcntl, json, os, pty, select, signal, struct, subprocess, sys, termios
    what, interrupt, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    output = theirs if what == "all" else subprocess.PIPE
    child = subprocess.Popen(command, stdin=theirs, stdout=output, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        if interrupt and interrupt.encode() in shown:
            child.send_signal(signal.SIGINT)
            interrupt = ""
    rest = child.stdout.read() if child.stdout else b""
    print(json.dumps({"shown": shown.decode(), "stdout": rest.decode(), "status": child.wait()}))

    """

  private func onTerminal(
    _ project: CommandLineProject, _ arguments: [String], all: Bool = false, interruptAt marker: String = "",
    environment: [String: String]
  ) async throws -> JSON {
    try project.write("terminal.py", Self.terminal)
    var command = Command(
      "python3",
      ["terminal.py", all ? "all" : "stderr", marker, project.command([]).executable] + arguments)
    command.environment = environment.merging(["TERM": "xterm"]) { _, new in new }
    command.directory = project.root
    command.timeout = .seconds(60)
    return try project.output(of: try await command.run()).json
  }

  /// What the line was after each time that it was written anew.
  private func lines(_ shown: String) -> [String] {
    shown.replacing("\u{1B}[K", with: "").split(separator: "\r").map(String.init)
  }

  @Test("A probe writes one line anew with elapsed time, deadline and packets, and takes it away before the result")
  func probe() async throws {
    let coturn = try await Coturn.start()
    let project = try CommandLineProject()
    let seen = try await onTerminal(
      project, ["probe", "turn", "-p", "packets=75"], all: true, environment: coturn.environment)
    #expect(seen["status"] == 0, "\(seen.text())")
    let shown = try #require(seen["shown"]?.string)
    let lines = lines(shown)
    #expect(lines.contains { $0.hasPrefix("  ... turn.relay  0s of 30s") }, "\(lines)")
    #expect(lines.contains { $0.contains("turn.relay  1s of 30s") && $0.contains(" of 75 packets sent, ") }, "\(lines)")
    // Nothing of it is left where the result begins.
    let result = try #require(shown.range(of: "server "))
    #expect(shown[..<result.lowerBound].hasSuffix("\r\u{1B}[K"), "\(lines)")
    #expect(!shown[..<result.lowerBound].contains("\n"))
    #expect(!shown[result.lowerBound...].contains("..."))
  }

  @Test("Off a terminal a probe says nothing but its result")
  func noTerminal() async throws {
    let coturn = try await Coturn.start()
    let output = try await CommandLineProject().runbook(
      "probe", "turn.capacity", "-p", "allocations=3", environment: coturn.environment)
    #expect(output.status == 0, "\(output.stdout)")
    #expect(output.stderr == "")
  }

  @Test("A dumb terminal gets no line that would have to be taken away")
  func dumbTerminal() async throws {
    let coturn = try await Coturn.start()
    let project = try CommandLineProject()
    try project.write("dumb.sh", "TERM=dumb exec \"$@\"\n")
    try project.write("terminal.py", Self.terminal)
    var command = Command(
      "python3",
      ["terminal.py", "stderr", "", "sh", "dumb.sh", project.command([]).executable, "probe", "turn.allocate"])
    command.environment = coturn.environment
    command.directory = project.root
    let seen = try project.output(of: try await command.run()).json
    #expect(seen["status"] == 0, "\(seen.text())")
    #expect(seen["shown"] == "", "\(seen.text())")
  }

  @Test("run shows the same beside the running step")
  func run() async throws {
    let coturn = try await Coturn.start()
    let project = try CommandLineProject()
    let seen = try await onTerminal(
      project, ["run", "checks/turn-relay", "-p", "packets=75", "--format", "json"],
      environment: coturn.environment)
    #expect(seen["status"] == 0, "\(seen.text())")
    let lines = lines(try #require(seen["shown"]?.string))
    #expect(
      lines.contains {
        $0.hasPrefix("  ... Packets come back through two allocations  1s of 30s") && $0.contains("packets sent")
      }, "\(lines)")
    #expect(try JSON(parsing: seen["stdout"]?.string ?? "")["outcome"] == "pass")
  }

  @Test("run --verbose tells it in lines of its own where nobody watches")
  func verbose() async throws {
    let coturn = try await Coturn.start()
    let output = try await CommandLineProject().runbook(
      "run", "checks/turn-relay", "-p", "packets=100", "--verbose", environment: coturn.environment)
    #expect(output.status == 0, "\(output.stderr)")
    #expect(output.stderr.contains("turnRelay/relay: "), "\(output.stderr)")
    #expect(output.stderr.contains(" of 100 packets sent, "), "\(output.stderr)")
  }

  @Test("Ctrl-C in the middle of a comparison stops all of it, leaves no allocation, and is told by the exit code")
  func interrupted() async throws {
    let coturn = try await Coturn.start()
    let project = try CommandLineProject()
    let seen = try await onTerminal(
      project, ["probe", "turn", "--all-transports", "-p", "packets=500"], interruptAt: "packets sent",
      environment: coturn.environment)
    #expect(seen["status"] == 130, "\(seen.text())")
    let table = try #require(seen["stdout"]?.string)
    #expect(table.contains("\nudp  ") && !table.contains("\ntcp  "), "\(table)")
    #expect(
      coturn.log.matches(of: /refreshed, realm=<r\.example>, username=<alice>, lifetime=0/).count == 2,
      "\(coturn.log)")
  }
}
