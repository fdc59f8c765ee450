import Language
import Schema
import Testing

/// Values that are written as other tools take them, and what is said of each.
@Suite("Advice on values")
struct ValueAdviceTests {
  private func found(_ input: String, head: String = "") throws -> [Schema.Issue] {
    let steps = "- {id: all, use: sample.everything, with: {\(input)}}"
    let project = try SampleProject(["runbooks/sample.yaml": runbook(steps: steps, head: head)])
    return try project.issues()
  }

  /// One error at the value, with this advice.
  private func expect(_ input: String, _ advice: String?, head: String = "") throws {
    let issues = try found(input, head: head)
    #expect(issues.map(\.code) == ["type-mismatch"])
    #expect(issues.map(\.suggestion) == [advice])
    let value = input.prefix { $0 != "}" }.split(separator: ": ", maxSplits: 1).last ?? ""
    let isNested = input.contains(": {")
    if !isNested, let range = issues.first?.range {
      #expect(range.endColumn - range.column == value.unicodeScalars.count)
    }
  }

  @Test(
    "A duration with the unit of another tool, with a blank, or without a unit",
    arguments: [
      ("5 s", "write 5s"), ("5min", "write 5m"), ("5 minutes", "write 5m"), ("1.5hours", "write 1.5h"),
      ("10sec", "write 10s"),
      ("5S", "write 5s"), ("1h 30min", "write 1h30m"), ("PT5M", "write 5m"), ("P7D", "write 7d"),
      ("2 weeks", "write 2w"),
      ("300 msecs", "write 300ms"), ("5\u{A0}s", "write 5s"), ("5", "write the unit: 5ms, 5s, 5m or 5h"),
      // Months and minutes are both written so; which was meant is not known.
      ("5M", nil), ("P1M", nil), ("5 parsecs", nil), ("5:00", nil), ("s", nil),
    ])
  func duration(text: String, advice: String?) throws { try expect("time: \(text)", advice) }

  @Test(
    "A size",
    arguments: [
      ("10 gb", "write 10GB or 10GiB"), ("10mb", "write 10MB or 10MiB"), ("10 MB", "write 10MB"),
      ("10M", "write 10MB or 10MiB"),
      ("10Mi", "write 10MiB"), ("64 kib", "write 64KiB"), ("160", "write the unit: 160B, 160KiB or 160MiB"),
      ("160 bytes", "write 160B"), ("1.5", "write the unit: 1.5KiB or 1.5MiB"), ("10Mbps", nil), ("ten", nil),
    ])
  func size(text: String, advice: String?) throws { try expect("numbers: {size: \(text)}", advice) }

  @Test(
    "A bandwidth, and a percentage",
    arguments: [
      ("rate: 1 Gbps", "write 1Gbps"), ("rate: 800mbps", "write 800Mbps"), ("rate: 800 Mbit/s", "write 800Mbps"),
      ("rate: 800", "write the unit: 800bps, 800kbps or 800Mbps"),
      ("rate: 100MB/s", "a bandwidth counts bits: 100MB/s is 800Mbps"), ("rate: 800M", nil), ("part: 95", "write 95%"),
      ("part: 95 %", "write 95%"), ("part: 95 percent", "write 95%"),
      ("part: 0.95", "write 0.95%, or 95% if it is a share of 1"),
      ("part: 0.07", "write 0.07%, or 7% if it is a share of 1"),
      ("part: half", nil), ("rate: 9000000000GB/s", nil),
    ])
  func rates(input: String, advice: String?) throws { try expect("numbers: {\(input)}", advice) }

  @Test(
    "What YAML 1.1 took for a truth value",
    arguments: [
      ("yes", "write true"), ("on", "write true"), ("y", "write true"), ("True", "write true"), ("1", "write true"),
      ("no", "write false"), ("off", "write false"), ("N", "write false"), ("FALSE", "write false"),
      ("0", "write false"),
      ("maybe", nil),
    ])
  func truth(text: String, advice: String?) throws {
    try expect("flag: \(text)", advice)
    let steps = "- {id: a, use: sample.look, diagnostic: \(text)}\n- {id: b, use: sample.look, expect: [output.ready]}"
    let project = try SampleProject(["runbooks/sample.yaml": runbook(steps: steps)])
    // Whether the step counts is not known then: nothing is said of that.
    let found = try project.issues()
    #expect(found.map(\.suggestion) == [advice])
    #expect(found.map(\.message) == ["expected true or false, found \"\(text)\""])
  }

  @Test(
    "An address or a URI in a field that takes a part of it",
    arguments: [
      ("host: turn:a.example:3478", "write the host alone: a.example"),
      ("host: a.example:3478", "write the host alone: a.example"),
      ("host: https://a.example/health", "write the host alone: a.example"),
      ("host: \"[2001:db8::1]:3478\"", "write the host alone: 2001:db8::1"), ("host: not a host", nil),
      ("ip: turn:192.0.2.1", "write the host alone: 192.0.2.1"),
      ("ip: 192.0.2.1:3478", "write the host alone: 192.0.2.1"),
      ("ip: a.example:3478", nil), ("cidr: 192.0.2.1", "write 192.0.2.1/32 for this address alone"),
      ("cidr: \"2001:db8::1\"", "write 2001:db8::1/128 for this address alone"),
      ("url: turn:a.example", nil), ("server: a.example", "write turn:a.example"),
    ])
  func part(input: String, advice: String?) throws { try expect(input, advice) }

  @Test(
    "The port of an address",
    arguments: [
      ("turn:a.example:5349", "write the port alone: 5349"), ("a.example:5349", "write the port alone: 5349"),
      ("a.example", nil),
    ])
  func port(text: String, advice: String?) throws { try expect("numbers: {port: \(text)}", advice) }

  @Test("A URI where a server is due is led to the target, and in a check to an input")
  func server() throws {
    let step = "- {id: relay, use: sample.relay, with: {server: \"turn:a.example\"}}"
    let project = try SampleProject([
      "runbooks/sample.yaml": runbook(steps: step),
      "checks/sample.yaml": runbook(steps: step).replacing("runbook:", with: "check:"),
    ])
    let issues = try project.issues()
    #expect(
      issues.map(\.suggestion) == [
        "a server is a target of runbook.yaml (or TURN_SERVER), chosen with --target: write \"${target}\"",
        "declare an input of the type turn-server, and write \"${inputs.NAME}\"",
      ])
    #expect(issues.map(\.short) == ["3:51-67 type-mismatch", "3:51-67 type-mismatch"])
  }

  @Test(
    "An expression as other languages write it",
    arguments: [
      ("numbers: {int: $params.n}", "an expression is written \"${params.n}\""),
      ("numbers: {int: \"{{ params.n }}\"}", "an expression is written \"${params.n}\""),
      ("numbers: {int: \"$n\"}", nil), ("numbers: {int: $HOME}", nil), ("numbers: {int: \"{{n}}\"}", nil),
    ])
  func foreign(input: String, advice: String?) throws {
    let issues = try found("text: \"${params.n}\", \(input)", head: "params: {n: {type: string, default: a}}\n")
    #expect(issues.map(\.code) == ["type-mismatch"])
    #expect(issues.map(\.suggestion) == [advice])
  }

  @Test(
    "In a text it is a warning, at its place",
    arguments: [
      ("$params.n", "4:52-61", "${params.n}"), ("a $params.n b", "4:54-63", "${params.n}"),
      ("\"{{ params.n }}\"", "4:53-67", "${params.n}"), ("$target", "4:52-59", "${target}"),
      ("$target.host", "4:52-64", "${target.host}"),
      ("\"$steps.a.outcome ${params.n}\"", "4:53-69", "${steps.a.outcome}"),
    ])
  func foreignText(text: String, place: String, meant: String) throws {
    let project = try SampleProject([
      "runbooks/sample.yaml": runbook(
        steps:
          "- {id: all, use: sample.everything, with: {text: \(text)}}\n- {id: n, use: sample.everything, with: {text: \"${params.n}\"}}",
        head: "params: {n: {type: string, default: a}}\n")
    ])
    let issues = try project.issues()
    #expect(issues.map(\.short) == ["\(place) foreign-expression"])
    #expect(issues.map(\.severity) == [.warning])
    #expect(issues.map(\.suggestion) == ["an expression is written \(meant)"])
  }

  @Test(
    "What only looks like one is right",
    arguments: [
      "$HOME/x", "$params", "$$params.n", "$run", "a$", "$5", "$other.n", "\"{{ .State.Running }}\"",
      "\"{{ other.n }}\"",
      "\"{{}}\"", "\"$${params.n}\"",
    ])
  func notForeign(text: String) throws { #expect(try found("text: \(text)").map(\.line) == []) }

  @Test("In a title, an expectation's message and a program's arguments too")
  func places() throws {
    let steps = """
      - id: do
        use: sample.command
        effect: observe
        with: {command: [ls, "{{ params.n }}", $params.n, "${params.n}"]}
        expect: [{that: output.stdout != '', message: at $target.name}]
      """
    let project = try SampleProject([
      "runbooks/sample.yaml": runbook(
        steps: steps, head: "title: n is $params.n\nparams: {n: {type: string, default: a}}\n")
    ])
    let issues = try project.issues()
    #expect(
      issues.map(\.short) == [
        "2:13-22 foreign-expression", "8:27-41 foreign-expression", "8:44-53 shell-syntax",
        "9:54-66 foreign-expression",
      ])
  }
}
