import Language
import Schema
import Testing

/// Programs are started without a shell: what was written for one is pointed out, and what one would obey is refused.
@Suite("Argument vectors and shells")
struct ShellTests {
  private static let head = """
    params:
      x: {type: string, default: a}
      n: {type: int, default: 1}
      wait: {type: duration, default: 1s}
      peer: {type: host, default: a.example}
      mode: {type: "enum(fast, slow)", default: fast}
      ip: {type: ip, default: 192.0.2.1}

    """

  private func found(_ command: String) throws -> [Schema.Issue] {
    let all = "\"${params.x} ${params.n} ${params.wait} ${params.peer} ${params.mode} ${params.ip}\""
    let steps = """
      - {id: all, use: sample.everything, with: {text: \(all)}}
      - {id: do, use: sample.command, effect: observe, with: {command: \(command)}}
      """
    let project = try SampleProject(["runbooks/sample.yaml": runbook(steps: steps, head: Self.head)])
    return try project.load().validate(catalog: sampleCatalog)
  }

  @Test(
    "An expression in an argument that a shell parses is an error",
    arguments: [
      "[sh, -c, \"echo ${params.x}\"]", "[sh, -c, \"${params.x}\"]", "[/bin/bash, -ec, \"echo '${params.x}'\"]",
      "[bash, -o, pipefail, -c, \"echo ${params.x}\"]", "[bash, -oc, pipefail, \"echo ${params.x}\"]",
      "[faketime, 1 day, sh, -c, \"a ${params.x}\"]", "[env, -S, \"sh -c ${params.x}\"]",
      "[fish, -c, \"a ${params.x}\"]", "[bash, -euo, pipefail, -c, \"echo ${params.x}\"]",
      "[zsh, --norc, -c, \"a ${params.x}\"]", "[ksh, -c, \"a ${params.x}\"]", "[dash, -c, \"a ${params.x}\"]",
      "[ash, -c, \"a ${params.x}\"]", "[busybox, sh, -c, \"a ${params.x}\"]",
      "[su, -, turn, -c, \"a ${params.x}\"]", "[su, \"--command=a ${params.x}\"]",
      "[env, A=b, sh, -c, \"a ${params.x}\"]", "[sudo, -u, turn, timeout, \"5\", sh, -c, \"a ${params.x}\"]",
      "[nice, -n, \"5\", sh, -c, \"a ${params.x}\"]", "[xargs, -n, \"1\", sh, -c, \"a ${params.x}\"]",
      "[docker, exec, coturn, sh, -c, \"a ${params.x}\"]", "[ssh, a.example, ls, \"${params.x}\"]",
      "[ssh, -p, \"22\", -t, \"${params.peer}\", \"ls ${params.x}\"]", "[sudo, ssh, a.example, \"ls ${params.x}\"]",
      "[watch, \"ls ${params.x}\"]", "[sh, -c, \"echo ${params.n > 1 ? params.x : 'b'}\"]",
    ])
  func injection(command: String) throws {
    let issues = try found(command)
    #expect(issues.map(\.code) == ["expression-in-shell"], "\(issues)")
    #expect(issues.first?.severity == .error)
    let isRemote = command.contains("ssh") || command.contains("watch")
    let way = "pass it as an argument of the script: [sh, -c, 'echo \"$1\"', sh, \"${params."
    #expect(issues.first?.suggestion?.hasPrefix(isRemote ? "give it a type" : way) == true)
  }

  @Test(
    "What cannot hold shell syntax, and what no shell parses, is right",
    arguments: [
      "[sh, -c, 'echo \"$1\"', sh, \"${params.x}\"]", "[sh, -c, \"sleep ${params.n}; ping ${params.peer}\"]",
      "[sh, -c, \"echo ${params.wait} ${params.mode} ${params.ip} ${params.n > 1}\"]",
      "[sh, -c, \"echo ${params.n > 1 ? 'a' : 'b'} ${string(params.n)}\"]", "[sh, script.sh, \"${params.x}\"]",
      "[turnserver, -c, \"${params.x}\"]", "[echo, sh, -c, \"${params.x}\"]",
      "[ssh, \"${params.peer}\", uptime]", "[docker, exec, coturn, ls, \"${params.x}\"]",
      "[timeout, \"5\", ls, \"${params.x}\"]", "[grep, -c, sh, \"${params.x}\"]",
      "[find, /etc, -name, \"*.conf\", -exec, ls, \"{}\", \";\"]", "[grep, -q, \"^realm=$\", /etc/turnserver.conf]",
      "[grep, -e, \"a|b$\", -e, \"$HOME\", /etc/x]", "[awk, \"{print $NF; }\", /etc/x]", "[test, \"!\", -e, /tmp/x]",
      "[cut, -d, \"|\", -f, \"1\", x]", "[systemctl, status, \"turn*\"]", "[\"/opt/my tools/run\", a]",
      "[psql, -c, \"select 1;\"]", "[timedatectl, show, --property=NTPSynchronized, --value]", "[\"true\"]",
      "[sh, -c, \"cd /tmp && ls *.conf | wc -l > $HOME/x\"]", "[sudo, bash, -c, \"ls ~/x\"]",
      "[ssh, a.example, \"ls ~/x; ls *.conf\"]", "[pgrep, -f, \"a|b\"]", "[tr, \"|\", \" \"]",
    ])
  func right(command: String) throws {
    #expect(try found(command).map(\.message) == [])
  }

  @Test(
    "What only a shell would expand or read is a warning, with the way out",
    arguments: [
      ("[ss -lun | grep 3478]", "let a shell run it: [sh, -c, \"ss -lun | grep 3478\"]"),
      ("[\"ls -la /tmp\"]", "write each word as an element: [ls, -la, /tmp]"),
      ("[\"/bin/ls -la\", /tmp]", "write each word as an element: [/bin/ls, -la, …]"),
      ("[\"ls ${params.x}\"]", "write each word as an element of the list: [a, b]"),
      ("[ls, ~/x]", "write the whole path, or let a shell run the whole: [sh, -c, '…']"),
      ("[ls, \"*.conf\"]", "name the files, or let a shell run the whole: [sh, -c, '…']"),
      ("[cp, -r, \"/etc/*.conf\", /tmp]", "name the files, or let a shell run the whole: [sh, -c, '…']"),
      ("[ls, $HOME]", "write ${…} with a param or an output, or let a shell run the whole: [sh, -c, '…']"),
      ("[ls, $params.x]", "an expression is written ${params}"),
      ("[ls, \"$(hostname)\"]", "write ${…} with a param or an output, or let a shell run the whole: [sh, -c, '…']"),
      ("[ls, \"`hostname`\"]", "write ${…} with a param or an output, or let a shell run the whole: [sh, -c, '…']"),
      ("[ls, a, \";\"]", "let a shell run the whole: [sh, -c, '…']"),
      ("[ss, -lun, \"|\"]", "let a shell run the whole: [sh, -c, '…']"),
      ("[ls, a, \">/dev/null\"]", "let a shell run the whole: [sh, -c, '…']"),
      ("[ls, a, \"2>&1\"]", "let a shell run the whole: [sh, -c, '…']"),
      ("[cd, /tmp]", "\"directory\" says where a program starts"),
      ("[A=b, ls]", "write env: {A: …}"), ("[source, x]", "let a shell run the whole: [bash, -c, '…']"),
    ])
  func warnings(command: String, advice: String) throws {
    let issues = try found(command)
    #expect(issues.map(\.code) == ["shell-syntax"])
    #expect(issues.map(\.severity) == [.warning])
    #expect(issues.map(\.suggestion) == [advice])
  }

  @Test(
    "What a program printed ends in a line break, and its exit code is judged already",
    arguments: [
      ("output.stdout == 'active'", "line-break", "write output.stdout.trim() == 'active'"),
      ("5 > 1 && output.stdout != \"active\"", "line-break", "write output.stdout.trim() != \"active\""),
      ("output.stdout in ['a', 'b']", "line-break", "write output.stdout.trim() in ['a', 'b']"),
      ("output.stdout.endsWith('active')", "line-break", "write output.stdout.trim().endsWith('active')"),
      ("int(output.stdout) < 4", "line-break", "write int(output.stdout.trim())"),
      ("output.stdout == 'active\\n'", nil, nil), ("output.stdout == ''", nil, nil),
      ("output.stdout.trim() == 'active'", nil, nil), ("output.stdout.contains('active')", nil, nil),
      (
        "output.exitCode == 0", "value-may-be-absent",
        "exit codes are judged already, by \"exitCodes\": leave it out, or write output.?exitCode"
      ),
      ("output.?exitCode.orValue(1) == 0", "judged-already", "leave it out"),
      ("0 == output.?exitCode.orValue(-1)", "judged-already", "leave it out"),
      ("output.?exitCode == optional.of(0)", "judged-already", "leave it out"),
      (
        "output.?exitCode.orValue(0) == 3", "judged-already",
        "write exitCodes: [3] in \"with\", and leave it out here"
      ),
      ("output.?exitCode.hasValue()", nil, nil),
    ])
  func printed(expectation: String, code: String?, advice: String?) throws {
    let steps =
      "- id: do\n  use: sample.command\n  effect: observe\n  with: {command: [x]}\n  expect:\n    - |-\n      \(expectation)"
    let project = try SampleProject(["runbooks/sample.yaml": runbook(steps: steps)])
    let issues = try project.load().validate(catalog: sampleCatalog)
    #expect(issues.map(\.code) == (code.map { [$0] } ?? []))
    #expect(issues.map(\.suggestion) == (advice.map { [$0] } ?? []))
  }

  @Test("Where the step says which exit codes are no failure, an expectation may tell them apart")
  func ownExitCodes() throws {
    let steps =
      "- {id: do, use: sample.command, effect: observe, with: {command: [x], exitCodes: [0, 3]}, expect: [output.?exitCode.orValue(1) == 0]}"
    let project = try SampleProject(["runbooks/sample.yaml": runbook(steps: steps)])
    #expect(try project.load().validate(catalog: sampleCatalog).map(\.line) == [])
  }

  @Test(
    "Keys and names of other tools are led to those of the language",
    arguments: [
      ("- {id: a, use: sample.everything, retries: 3}", ["write retry: {times: 3, backoff: 1s}"]),
      ("- {id: a, use: sample.everything, when: \"true\"}", ["write \"if\""]),
      ("- {id: a, use: sample.everything, name: x}", ["write \"title\", or \"id\""]),
      (
        "- {id: a, use: sample.look, with: {expect: [output.ready]}, expect: [output.ready]}",
        ["\"expect\" is a key of the step: it stands beside \"with\", not in it"]
      ),
      (
        "- {id: a, use: sample.relay, with: {server: \"${target}\"}}\n- {id: b, use: sample.look, expect: [steps.a.lost < 1]}",
        ["did you mean \"steps.a.output.lost\"?"]
      ),
      (
        "- {id: a, use: sample.everything, title: \"${secrets.word}\"}", ["here there are params, target"]
      ),
    ])
  func foreign(steps: String, expected: [String]) throws {
    let head = steps.contains("secrets.") ? "secrets: {word: {env: WORD}}\n" : ""
    let project = try SampleProject(["runbooks/sample.yaml": runbook(steps: steps, head: head)])
    #expect(try project.load().validate(catalog: sampleCatalog).map(\.suggestion) == expected)
  }

  @Test("A type that is none is one problem, its param's uses are none")
  func unknownType() throws {
    let steps = "- {id: a, use: sample.everything, with: {numbers: {int: \"${params.n}\"}}}"
    let project = try SampleProject([
      "runbooks/sample.yaml": runbook(steps: steps, head: "params: {n: {type: integer, default: 1}}\n")
    ])
    let issues = try project.load().validate(catalog: sampleCatalog)
    #expect(issues.map(\.code) == ["unknown-type"])
    #expect(issues.map(\.suggestion) == ["did you mean \"int\"?"])
  }
}
