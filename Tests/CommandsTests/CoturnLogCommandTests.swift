import Foundation
import Processes
import Schema
import Testing

/// `runbook coturn log`, by hand.
@Suite struct CoturnLogCommandTests {
  private static let banner = """
    0: : log file opened: /var/log/turnserver/turn.log
    0: :\(" ")
    RFC 3489/5389/5766/5780/6062/6156 STUN/TURN Server
    Version Coturn-4.6.1 'Gorst'

    """

  @Test("It prints the facts as JSON, and notes beside them on standard error")
  func document() async throws {
    let project = try CommandLineProject()
    try project.write(
      "turn.log",
      Self.banner + """
        5: : ERROR: check_stun_auth: Cannot find credentials of user <ghost>
        6: : ERROR: check_stun_auth: Cannot find credentials of user <runbook-probe>

        """)
    let output = try await project.runbook("coturn", "log", "turn.log", "--format", "json")
    #expect(output.status == 0, "\(output.stderr)")
    let json = try output.json
    #expect(json["version"]?.string == "4.6.1")
    #expect(json["records"]?.int == 4)
    #expect(json["auth"]?["failuresByUser"] == ["ghost": 1])
    #expect(output.stderr.contains("1 failures of the user runbook-probe are left out"), "\(output.stderr)")
    let text = try await project.runbook("coturn", "log", "turn.log")
    #expect(text.stdout.contains("ghost  1"), "\(text.stdout)")
  }

  @Test("What is no log of coturn, is empty, missing or not of the time is unknown, and says so")
  func nothing() async throws {
    let project = try CommandLineProject()
    try project.write("other.log", "2026-01-05T10:00:00Z nginx started\n1: two\n")
    try project.write("empty.log", "")
    try project.write("old.log", "2024-09-12T09:14:37+0800(28): INFO: Default realm: example.org\n")
    let other = try await project.runbook("coturn", "log", "other.log", "--format", "json")
    #expect(other.status == 3)
    #expect(other.stderr.contains("other.log is no log of coturn"), "\(other.stderr)")
    let empty = try await project.runbook("coturn", "log", "empty.log")
    #expect(empty.status == 3 && empty.stderr.contains("empty.log holds nothing"), "\(empty.stderr)")
    let missing = try await project.runbook("coturn", "log", "missing.log")
    #expect(missing.status == 3 && missing.stderr.contains("No such file"), "\(missing.stderr)")
    let quiet = try await project.runbook("coturn", "log", "old.log", "--since", "24h")
    #expect(quiet.status == 3 && quiet.stderr.contains("holds no record of this time"), "\(quiet.stderr)")
    for wrong in [["--since", "yesterday"], ["--coturn-version", "new"], ["--since", "1h", "--until", "2h"]] {
      let refused = try await project.runbook(["coturn", "log", "old.log"] + wrong, environment: [:])
      #expect(refused.status == 2, "\(wrong)")
    }
  }

  @Test("Standard input is read as it comes")
  func input() async throws {
    let project = try CommandLineProject()
    try project.write("turn.log", Self.banner)
    let script = "cat turn.log | \"$1\" coturn log - --format json"
    let command = project.command(["-c", script, "sh", CommandLineProject.executable], program: "sh")
    let output = project.output(of: try await command.run())
    #expect(try output.json["starts"]?.int == 1, "\(output.stderr)")
  }
}
