import Language
import Schema
import Testing

@Suite("Given parameters")
struct GivenParameterTests {
  private func project() throws -> SampleProject {
    try SampleProject([
      "runbooks/a.yaml": """
      runbook: a
      params:
        count: {type: int}
        text: {type: string, default: none}
        times: {type: list<duration>, default: [1s]}
        place: {type: "record{host: host, port: optional<port>}", default: {host: a.example}}
        home: {type: string, default: "${env.HOME}"}
        user: {type: string, default: "${env.?USER.orValue('nobody')}"}
        file: {type: optional<path>}
      steps:
        - id: all
          use: sample.everything
          with:
            anything: "${[dyn(params.count), params.text, params.times, params.place, params.home, params.user, params.?file.orValue('')]}"
      """
    ])
  }

  private func params(_ given: GivenParameters, _ environment: [String: String] = ["HOME": "/root"]) throws -> Value {
    let project = try project()
    return try withExtendedLifetime(project) {
      .members(try project.load(environment).plan("a", given: given, catalog: sampleCatalog).params)
    }
  }

  @Test("Texts are read by the declared types, and nothing in them is an expression")
  func texts() throws {
    let params = try params(
      .init(texts: [
        ("count", "1"), ("count", "7"), ("text", "; rm -rf / $(id) ${secrets.x}"), ("times", "[1s, 2ms]"),
        ("place", "{host: -b, port: 1}".replacing("-b", with: "b.example")),
      ]))
    #expect(params["count"] == .int(7))
    #expect(params["text"] == .string("; rm -rf / $(id) ${secrets.x}"))
    #expect(params["times"] == .list([.duration(.seconds(1)), .duration(.milliseconds(2))]))
    #expect(params["place"] == .members([.init("host", .string("b.example")), .init("port", .int(1))]))
    #expect(params["home"] == .string("/root"))
    #expect(params["user"] == .string("nobody"))
  }

  @Test("A file of values is read by the same types; what is given as text goes before it")
  func file() throws {
    let file = "{\"count\": 3, \"text\": \"${x}\", \"times\": [\"1h\"]}"
    let params = try params(.init(texts: [("count", "4")], file: ("p.json", Array(file.utf8))))
    #expect(params["count"] == .int(4))
    #expect(params["text"] == .string("${x}"))
    #expect(params["times"] == .list([.duration(.seconds(3600))]))
  }

  @Test("null in a file leaves an optional param out, as the file of a run has it; in quotes it is a text")
  func null() throws {
    func file(_ text: String) throws -> Value? {
      try params(.init(file: ("p.json", Array("{\"count\": 1, \"file\": \(text)}".utf8))))["file"]
    }
    #expect(try file("null") == .null)
    #expect(try file("\"null\"") == .string("null"))
    let place = "{\"count\": 1, \"place\": {\"host\": \"b.example\", \"port\": null}}"
    #expect(try params(.init(file: ("p.json", Array(place.utf8))))["place"]?["port"] == .null)
    #expect(try params(.init(texts: [("count", "1")]))["file"] == .null)
  }

  @Test("All that is wrong with what was given is said at once")
  func wrong() throws {
    let given = GivenParameters(
      texts: [("cuont", "1"), ("times", "[1, 2s"), ("text", "a\0b"), ("place", "{host: -x}")],
      file: ("p.yaml", Array("txt: a\nhome: [x]\n".utf8)))
    let found = issues { try params(given) }
    #expect(
      found.map { "\($0.range.file) \($0.code)" } == [
        "p.yaml unknown-param", "p.yaml type-mismatch", "-p cuont unknown-param", "-p times yaml",
        "-p text type-mismatch",
        "-p place type-mismatch", "runbooks/a.yaml missing-param",
      ])
    #expect(found[2].suggestion == "did you mean \"count\"?")
  }

  @Test("A default that the environment cannot give is an error before anything runs; a value given makes it unneeded")
  func environmentDefault() throws {
    #expect(issues { try params(.init(texts: [("count", "1")]), [:]) }.map(\.code) == ["no-value"])
    #expect(try params(.init(texts: [("count", "1"), ("home", "x")]), [:])["home"] == .string("x"))
  }

  @Test("A default that is text is read by the param's type, as all of the environment is text")
  func environmentTypes() throws {
    let project = try SampleProject([
      "runbooks/a.yaml": """
      runbook: a
      params:
        limit: {type: percent, default: "${env.?LIMIT.orValue('95%')}"}
        wait: {type: duration, default: "${env.WAIT}s"}
        count: {type: int, default: "${int(env.COUNT) + 1}"}
        maybe: {type: optional<bytesize>, default: "${env.?SIZE}"}
        fixed: {type: port, default: "${'3478'}"}
      steps:
        - id: all
          use: sample.everything
          with:
            anything: "${[dyn(params.limit), params.wait, params.count, params.fixed, params.?maybe.orValue(0)]}"
      """
    ])
    func params(_ environment: [String: String]) throws -> [Value] {
      try project.load(environment).plan("a", catalog: sampleCatalog).params.map(\.value)
    }
    #expect(
      try params(["WAIT": "3", "COUNT": "4"]) == [
        .double(95), .duration(.seconds(3)), .int(5), .null, .int(3478),
      ])
    #expect(
      try params(["WAIT": "3", "COUNT": "4", "LIMIT": "80%", "SIZE": "1KiB"]) == [
        .double(80), .duration(.seconds(3)), .int(5), .int(1024), .int(3478),
      ])
    let found = issues { try params(["WAIT": "x", "COUNT": "4", "LIMIT": "80"]) }
    #expect(found.map(\.code) == ["no-value", "no-value"])
    #expect(found.map(\.range.line) == [3, 4])
  }

  private static let bounded = [
    "runbooks/a.yaml": """
    runbook: a
    allow: [change]
    params:
      packets: {type: int, default: 5}
      guarded: {type: int, default: 5}
      divisor: {type: int, default: 1}
      program: {type: list<string>, default: [look]}
    steps:
      - {id: relay, use: checks/relay, with: {server: "${target}", packets: "${params.packets}"}}
      - id: never
        use: sample.relay
        if: params.guarded > 0
        with: {server: "${target}", packets: "${params.guarded}"}
      - id: guarded
        use: sample.relay
        if: steps.relay.outcome == 'fail' && params.guarded > 0
        with: {server: "${target}", packets: "${params.guarded}"}
      - id: text
        use: sample.look
        if: steps.relay.outcome == 'pass'
        with: {name: "one ${100 / params.divisor}"}
        expect: [output.ready]
      - {id: command, use: sample.command, with: {command: "${params.program}"}}
    """,
    "checks/relay.yaml": """
    check: relay
    inputs: {server: {type: turn-server}, packets: {type: int, default: 1}, more: {type: int, default: 2}}
    steps:
      - id: relay
        use: sample.relay
        with: {server: "${inputs.server}", packets: "${inputs.packets + inputs.more}"}
    """,
  ]

  private func boundedIssues(_ texts: [(name: String, value: String)]) throws -> [Schema.Issue] {
    let project = try SampleProject(Self.bounded)
    let loaded = try project.load(["TURN_SERVER": "turn:127.0.0.1"])
    let target = try loaded.targets(selectedBy: nil).first
    do {
      _ = try loaded.plan("a", given: .init(texts: texts), target: target, catalog: sampleCatalog)
      return []
    } catch { return error.all }
  }

  @Test("A value that a step could not take is found before anything runs, also through a check, all of them at once")
  func bounds() throws {
    #expect(try boundedIssues([]).map(\.message) == [])
    let found = try boundedIssues([("packets", "-5"), ("divisor", "0"), ("program", "[]")])
    #expect(
      found.map { "\($0.range.file):\($0.range.line) \($0.code)" } == [
        "checks/relay.yaml:6 out-of-bounds", "runbooks/a.yaml:21 no-value", "runbooks/a.yaml:23 out-of-bounds",
      ])
    #expect(found.first?.message == "the step \"relay/relay\": \"packets\" must lie from 1 to 10000, found -3")
  }

  @Test("What a step's condition keeps from it is no problem")
  func guardedBounds() throws {
    #expect(try boundedIssues([("guarded", "-5")]).map(\.message) == [])
    #expect(try boundedIssues([("guarded", "50000")]).map(\.range.line) == [13])
  }

  @Test("An unknown runbook or check is named with the nearest one")
  func unknown() throws {
    let project = try SampleProject(["runbooks/daily-health.yaml": "", "checks/turn-relay.yaml": ""])
    let loaded = try project.load()
    #expect(
      issues { try loaded.plan("daily-heath", catalog: sampleCatalog) }.map(\.suggestion) == [
        "did you mean \"daily-health\"?"
      ])
    #expect(
      issues { try loaded.plan("checks/turn-rely", catalog: sampleCatalog) }.map(\.suggestion) == [
        "did you mean \"checks/turn-relay\"?"
      ])
    #expect(
      issues { try loaded.plan("runbooks/daily-health.yaml", catalog: sampleCatalog) }.map(\.suggestion) == [
        "did you mean \"daily-health\"?"
      ])
    #expect(
      issues { try loaded.plan("turn-relay", catalog: sampleCatalog) }.map(\.suggestion) == [
        "did you mean \"checks/turn-relay\"?"
      ])
    #expect(issues { try loaded.plan("../../etc/passwd", catalog: sampleCatalog) }.map(\.code) == ["unknown-runbook"])
  }

  @Test("A check runs by itself: its inputs are params, and the target serves where a server is due")
  func check() throws {
    let project = try SampleProject([
      "checks/turn-relay.yaml": """
      check: turn-relay
      inputs:
        server: {type: turn-server}
        packets: {type: int, default: 5}
        password: {type: optional<secret<string>>}
      steps:
        - {id: relay, use: sample.relay, with: {server: "${inputs.server}", packets: "${inputs.packets}"}}
        - {id: login, use: sample.login, with: {user: a, password: "${inputs.?password.orValue('x')}"}}
      """
    ])
    let loaded = try project.load(["TURN_SERVER": "turn:127.0.0.1"])
    let target = try #require(try loaded.targets(selectedBy: nil).first)
    let plan = try loaded.plan(
      "checks/turn-relay", given: .init(texts: [("packets", "9")]), target: target, catalog: sampleCatalog)
    #expect(plan.steps.map(\.id) == ["turnRelay"])
    guard case .check(let check) = plan.steps[0].body else { return }
    let inputs = try check.input.value(in: Scope())
    #expect(inputs["packets"] == .int(9))
    #expect(inputs["server"]?["host"] == .string("127.0.0.1"))
    #expect(issues { try loaded.plan("checks/turn-relay", catalog: sampleCatalog) }.map(\.code) == ["missing-target"])
    let given = GivenParameters(texts: [("password", "x")])
    #expect(
      issues { try loaded.plan("checks/turn-relay", given: given, target: target, catalog: sampleCatalog) }.map(\.code)
        == ["unknown-param"])
  }
}
