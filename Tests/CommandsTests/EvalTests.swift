import Foundation
import Processes
import Schema
import Testing

/// `runbook eval`: where problems stand, what is read from where, and what machines get.
@Suite struct EvalTests {
  @Test("a problem of an expression over several lines has its line and column, on the terminal and in JSON")
  func lines() async throws {
    let project = try CommandLineProject()
    let unknown = try await project.runbook("eval", "1 +\n  nmae", "--format", "json")
    #expect(unknown.status == 2)
    #expect(unknown.stderr.contains("expression:2:3"), "\(unknown.stderr)")
    let problem = try #require(try unknown.json["problems"]?.array?.first)
    #expect(problem["code"] == "unknown-name" && problem["line"] == 2 && problem["column"] == 3)
    let noValue = try await project.runbook("eval", "1 +\n 1 / 0", "--format", "json")
    #expect(noValue.status == 3)
    let reason = try #require(try noValue.json["problems"]?.array?.first)
    #expect(reason["code"] == "no-value" && reason["line"] == 2 && reason["endColumn"] == 7, "\(noValue.stdout)")
  }

  @Test("a problem of a file of variables has its line and column")
  func bindingPlaces() async throws {
    let project = try CommandLineProject()
    try project.write("broken.json", "{\n  \"a\": 1,\n  \"b\" 2\n}")
    let broken = try await project.runbook("eval", "a", "--bindings", "broken.json")
    #expect(broken.status == 2 && broken.stderr.contains("broken.json:3:7"), "\(broken.stderr)")
  }

  @Test("variables are read from YAML too")
  func yaml() async throws {
    let project = try CommandLineProject()
    try project.write(
      "figures.yaml", "rtt: [10, 30.5]\nname: fra\nport: \"80\"\nnested: {up: true, down: False}\nid: 0x1F\nnone: ~\n")
    let output = try await project.runbook(
      "eval",
      "rtt[0] == 10 && rtt[1] > 30.0 && name == 'fra' && port == '80' && nested.up"
        + " && !nested.down && id == 31 && none == null", "--bindings", "figures.yaml")
    #expect(output.stdout == "true  (bool)\n", "\(output.stderr)")
  }

  @Test(
    "an expression may begin with a minus",
    arguments: [
      ["-1"], ["--", "-1"], ["-(2 - 1)"], ["-x", "--bindings", "figures.json"], ["--bindings", "figures.json", "-x"],
    ])
  func minus(arguments: [String]) async throws {
    let project = try CommandLineProject()
    try project.write("figures.json", "{\"x\": 1}")
    let output = try await project.runbook(["eval"] + arguments, environment: [:])
    #expect(output.stdout == "-1  (int)\n", "\(output.stderr)")
    let help = try await project.runbook("eval", "-h")
    #expect(help.status == 0 && help.stdout.contains("USAGE: runbook eval"))
  }

  @Test(
    "JSON holds every value",
    arguments: [
      ("{1: 'a', 2: 'b'}", #"{"1":"a","2":"b"}"#), ("18446744073709551615u", #""18446744073709551615""#),
      ("[1u, 2u]", "[1,2]"), ("{dyn(1): 2, dyn('1'): 3}", #"[{"key":1,"value":2},{"key":"1","value":3}]"#),
    ])
  func json(expression: String, value: String) async throws {
    let output = try await CommandLineProject().runbook("eval", expression, "--format", "json")
    #expect(try output.json["value"]?.text() == value, "\(output.stdout)\(output.stderr)")
  }

  @Test(
    "standard input is read as a pipe and as a file, for the expression and for its variables",
    arguments: [
      "printf 'rtt\\n  .size() == 2\\n' | \"$1\" eval - --bindings figures.json",
      "printf '\\357\\273\\277rtt.size() == 2' | \"$1\" eval /dev/stdin --bindings figures.json",
      "\"$1\" eval - --bindings figures.json <expression.cel",
      "cat figures.json | \"$1\" eval 'rtt.size() == 2' --bindings -",
      "printf 'rtt: [1, 2]' | \"$1\" eval 'rtt.size() == 2' --bindings /dev/stdin",
      "\"$1\" eval 'rtt.size() == 2' --bindings /dev/stdin <figures.json",
      "mkfifo pipe && { cat figures.json >pipe & } && \"$1\" eval 'rtt.size() == 2' --bindings pipe",
    ])
  func standardInput(script: String) async throws {
    let output = try await shell(script)
    #expect(output.status == 0 && output.stdout == "true  (bool)\n", "\(output.stderr)")
  }

  @Test(
    "what is wrong with standard input is said by that name",
    arguments: [
      ("printf '1 +\\n nmae' | \"$1\" eval -", "expression:2:2: error: undeclared name 'nmae'"),
      ("printf '{\"a\" 1}' | \"$1\" eval a --bindings -", "standard input:1:6: error: the file is no JSON"),
      (
        "printf '[1]' | \"$1\" eval a --bindings -",
        "standard input:1:1: error: the file of variables is no JSON object"
      ),
      ("\"$1\" eval - --bindings /dev/stdin <figures.json", "standard input cannot be both"),
      ("printf '\\377' | \"$1\" eval -", "the expression on standard input is not UTF-8"),
      ("\"$1\" eval - <.", "standard input cannot be read: Is a directory"),
      ("\"$1\" eval a --bindings none.json", "none.json cannot be read: No such file or directory"),
      ("head -c 17825792 /dev/zero | \"$1\" eval -", "standard input has more than 16 MiB"),
    ])
  func standardInputProblems(script: String, message: String) async throws {
    let output = try await shell(script)
    #expect(output.status == 2 && output.stderr.contains(message), "\(output.stderr)")
  }

  /// What a shell script prints; `$1` is the executable under test.
  private func shell(_ script: String) async throws -> CommandLineProject.Output {
    let project = try CommandLineProject()
    try project.write("figures.json", "{\"rtt\": [1, 2]}")
    try project.write("expression.cel", "// both\nrtt.size() == 2\n")
    let command = project.command(["-c", script, "sh", CommandLineProject.executable], program: "/bin/sh")
    return project.output(of: try await command.run())
  }
}
