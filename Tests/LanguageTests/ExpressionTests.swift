import Journal
import Language
import Schema
import Testing

@Suite("Expression")
struct ExpressionTests {
  /// The plan of a runbook of one or more steps of `sample.look` and others.
  private func plan(_ steps: String, head: String = "", environment: [String: String] = [:]) throws -> Plan {
    let project = try SampleProject(["runbooks/sample.yaml": runbook(steps: steps, head: head)])
    return try withExtendedLifetime(project) {
      let loaded = try project.load(environment)
      return try loaded.plan("sample", target: try loaded.targets(selectedBy: nil).first, catalog: sampleCatalog)
    }
  }

  private func looked(count: Int64 = 3, ready: Bool = true, document: Value = .null) -> Value {
    .members([
      .init("state", .string("up")), .init("count", .int(count)), .init("ratio", .double(0.5)),
      .init("document", document), .init("names", .list([.string("a"), .string("b")])), .init("ready", .bool(ready)),
    ])
  }

  private func judge(_ expectation: String, _ scope: Scope) throws -> Expression.Evaluation {
    let plan = try plan("- id: look\n  use: sample.look\n  expect:\n    - \(expectation)")
    return try plan.steps[0].expectations[0].that.judge(in: scope)
  }

  private func scope(_ output: Value) -> Scope {
    var scope = Scope()
    scope.output = output
    return scope
  }

  @Test(
    "A judgement shows what was compared and asked, and what it came to",
    arguments: [
      ("output.count < 3", ["output.count = 3"]),
      ("output.ready", ["output.ready = true"]),
      ("\"!output.ready\"", ["output.ready = true"]),
      ("output.count + 1 > 3 && output.state in ['up']", ["output.count + 1 = 4", "output.state = up"]),
      ("output.names.all(n, n.size() == 1)", ["output.names = [\"a\",\"b\"]"]),
      ("output.names.size() == 2", ["output.names.size() = 2"]),
      ("output.state.startsWith('u')", ["output.state = up"]),
      ("\"output.ready ? output.count == 3 : output.ratio > 1.0\"", ["output.ready = true", "output.count = 3"]),
      ("output.count < 1 && output.ready", ["output.count = 3"]),
    ])
  func parts(expectation: String, parts: [String]) throws {
    let judged = try judge(expectation, scope(looked()))
    #expect(judged.parts.map { "\($0.expression) = \($0.value.plainText)" } == parts)
  }

  @Test("Of parts too large to be written out none is shown; few are tried", .timeLimit(.minutes(1)))
  func largeParts() throws {
    let levels = (1...22).map { "cel.bind(a\($0), [0, 0].map(i, a\($0 - 1)), " }
    let large = (0..<2_000).map { "{'\($0)': a22} != {}" }.joined(separator: " && ")
    let expectation =
      "\"cel.bind(a0, output.state, " + levels.joined() + "output.ready && \(large) && output.count == 3"
      + String(repeating: ")", count: 23) + "\""
    let judged = try judge(expectation, scope(looked()))
    #expect(judged.value == .bool(true))
    #expect(judged.parts.map(\.expression) == ["output.state", "[0, 0]", "output.ready"])
  }

  @Test("A value too large to be written out is an error that names the limit")
  func largeValue() throws {
    let levels = (1...45).map { "cel.bind(a\($0), [a\($0 - 1), a\($0 - 1)], " }
    let large = "cel.bind(a0, run.id, " + levels.joined() + "a45" + String(repeating: ")", count: 46)
    let step = try plan("- {id: all, use: sample.everything, with: {anything: \"${\(large)}\"}}").steps[0]
    var scope = Scope()
    scope.runID = "x"
    guard case .call(let call) = step.body else {
      Testing.Issue.record("the step uses no module")
      return
    }
    let error = #expect(throws: ExpressionError.self) { try call.input.value(in: scope) }
    #expect(error?.message == "the value has more than 1000000 parts")
  }

  @Test("An error that CEL would absorb is an error of an expectation, and of nothing else")
  func strict() throws {
    let steps = """
      - id: look
        use: sample.look
        if: run.id != '' || 1 / size(run.id) > 0
        expect: [output.document.missing > 1 || output.ready, output.ready || output.document.missing > 1]
      """
    let step = try plan(steps).steps[0]
    var scope = scope(looked(document: .members([])))
    #expect(
      try step.condition?.value(
        in: {
          var scope = scope
          scope.runID = "x"
          return scope
        }()) == .bool(true))
    let error = #expect(throws: ExpressionError.self) { try step.expectations[0].that.judge(in: scope) }
    #expect(error?.parts == [ActualValue(expression: "output.ready", field: "ready", value: .bool(true), type: .bool)])
    #expect(try step.expectations[0].that.value(in: scope) == .bool(true))
    // What was never evaluated, because the first operand decided, is no error.
    #expect(try step.expectations[1].that.judge(in: scope).value == .bool(true))
    scope.output = nil
    #expect(throws: ExpressionError.self) { try step.expectations[1].that.judge(in: scope) }
  }

  @Test("An error has the place of the part that failed, also in a block")
  func place() throws {
    let steps = """
      - id: look
        use: sample.look
        expect:
          - |-
            output.ready
              && output.document.missing > 1
          - "output.ready && \\x6futput.document.miss\\x69ng > 1"
      """
    let step = try plan(steps).steps[0]
    let scope = scope(looked(document: .members([])))
    let errors = step.expectations.map { expectation in
      #expect(throws: ExpressionError.self) { try expectation.that.judge(in: scope) }?.range
    }
    #expect(errors[0].map { "\($0.line):\($0.column)-\($0.endColumn)" } == "8:14-37")
    #expect(errors[1].map { "\($0.line):\($0.column)-\($0.endColumn)" } == "9:26-55")
    #expect(errors[0]?.file == "runbooks/sample.yaml")
  }

  @Test("A value that is missing is an error, never a pass")
  func missing() throws {
    var scope = Scope()
    #expect(throws: ExpressionError.self) { try judge("output.ready", scope) }
    scope.output = .members([.init("ready", .null)])
    #expect(throws: ExpressionError.self) { try judge("output.ready", scope) }
    #expect(throws: ExpressionError.self) { try judge("output.document == 1 || true == output.ready", scope) }
  }

  private static let secretHead = """
    secrets:
      password: {env: PASSWORD}
      token: {env: TOKEN, optional: true}
    allow: [observe, notify]

    """

  @Test("A secret reaches an input that is declared secret: as it is, computed with, and inside text")
  func secrets() throws {
    let plan = try plan(
      """
      - {id: plain, use: sample.login, with: {user: a, password: "${secrets.password}"}}
      - {id: computed, use: sample.login, with: {user: a, password: "${secrets.password.upperAscii() + '!'}"}}
      - {id: text, use: sample.login, with: {user: a, password: "Bearer ${secrets.password}"}}
      - {id: chained, use: sample.login, with: {user: a, password: "${steps.plain.output.session}"}}
      - {id: tell, use: sample.tell, if: secrets.token.present, with: {text: x, token: "${secrets.token}"}}
      - {id: whole, use: sample.relay, with: {server: "${target}"}}
      """, head: Self.secretHead,
      environment: ["PASSWORD": "sesame", "TURN_SERVER": "turn:x", "TURN_USERNAME": "u", "TURN_CREDENTIAL": "word"])
    #expect(plan.secrets == ["password": Secret("sesame")])
    var scope = Scope()
    scope.secrets = plan.secrets
    scope.target = plan.target
    scope.steps["plain"] = .init(
      outcome: .pass, output: .members([.init("session", .secret(Secret("s3"))), .init("accepted", .bool(true))]),
      attempts: 1)
    func input(_ index: Int) throws -> Value {
      guard case .call(let call) = plan.steps[index].body else { return .null }
      return try call.input.value(in: scope)
    }
    #expect(try input(0)["password"] == .secret(Secret("sesame")))
    #expect(try input(1)["password"] == .secret(Secret("SESAME!")))
    #expect(try input(2)["password"] == .secret(Secret("Bearer sesame")))
    #expect(try input(3)["password"] == .secret(Secret("s3")))
    #expect(try plan.steps[4].condition?.value(in: scope) == .bool(false))
    #expect(try input(5)["server"]?["credential"] == .secret(Secret("word")))
    for index in [0, 1, 2, 3, 5] {
      let shown = try input(index).json.text()
      #expect(!shown.lowercased().contains("sesame") && !shown.contains(":\"word\""))
      #expect(shown.contains(Secret.mask))
    }
  }

  @Test(
    "What other languages lead into is reported with what to write",
    arguments: [
      ("output.count = 3", "write =="), ("output.ready and output.count > 1", "write &&"),
      ("output.ready or output.count > 1", "write ||"), ("output.ready && not output.ready", "write !(…)"),
      ("${output.count} > 1", "inside an expression names stand without ${…}"),
      (
        "duration('1s') > 5", "write a duration with its unit, such as duration('5ms') or duration('5s')"
      ),
      ("output.ready & true", "write &&"),
    ])
  func advice(expectation: String, advice: String) throws {
    let found = issues { try plan("- id: look\n  use: sample.look\n  expect:\n    - \(expectation)") }
    #expect(found.map(\.suggestion) == [advice])
  }

  @Test("What goes wrong with a secret is said without it")
  func secretFailure() throws {
    let found = issues {
      try plan(
        "- {id: a, use: sample.login, with: {user: a, password: \"${string(int(secrets.password))}\"}}",
        head: "secrets: {password: {env: PASSWORD}}\n", environment: ["PASSWORD": "sesame"])
    }
    #expect(
      found.map(\.message) == ["the step \"a\": a value that is computed from a secret failed: invalidArgument"])
    let mismatch = #expect(throws: Mismatch.self) {
      try ValueType.secret(.duration).admit(.secret(Secret("sesame")))
    }
    #expect(mismatch?.message.contains("sesame") == false)
    #expect(throws: Mismatch.self) { try ValueType.secret(.int).parse("sesame") }
  }

  @Test(
    "No way around leads from a secret to a plain value",
    arguments: [
      "dyn(steps.login.output).session", "[steps.login.output][0].session", "steps.login.?output.?session.orValue('')",
      "cel.bind(s, secrets.password, s + 'x')", "{'a': secrets.password}.a", "string(dyn(secrets.password))",
      "type(secrets.password) == string ? 'a' : 'b'", "target.?credential.orValue('')", "[target][0].name",
      "steps.login.output['session']", "[secrets.password].map(s, s)[0]", "secrets.password == 'x' ? 'a' : 'b'",
      "optional.of(secrets.password).value()", ".secrets.password", "size(secrets.password) > 3 ? 'a' : 'b'",
      "target.credential", "has(target.credential) ? target.credential : ''",
    ])
  func leaks(source: String) throws {
    let steps = "- {id: login, use: sample.login, with: {user: a, password: \"${secrets.password}\"}}\n"
    let found = issues {
      try plan(
        steps + "- id: all\n  use: sample.everything\n  with: {text: \"${\(source)}\"}\n",
        head: "secrets: {password: {env: PASSWORD}}\n",
        environment: ["PASSWORD": "sesame", "TURN_SERVER": "turn:x", "TURN_USERNAME": "u", "TURN_CREDENTIAL": "w"])
    }
    #expect(found.contains { $0.severity == .error && $0.range.line == 7 }, "\(found.map(\.short))")
  }

  @Test("A secret that is declared and missing stops everything, unless it is optional")
  func missingSecret() throws {
    let found = issues {
      try plan(
        "- {id: plain, use: sample.login, with: {user: a, password: \"${secrets.password}\"}}", head: Self.secretHead)
    }
    #expect(found.map(\.code) == ["missing-secret", "unused-secret"])
    #expect(found.first?.range.line == 3)
  }

  @Test("A value that is one expression keeps its type, and is held against the declared one")
  func types() throws {
    let plan = try plan(
      """
      - id: all
        use: sample.everything
        with:
          time: "${duration('90s')}"
          numbers: {int: "${size(run.id)}", double: "${size(run.id)}", size: "${bytesize('1KiB') * 2}", port: "${size(run.id)}"}
          list: "${[duration('1s')]}"
          map: "${{run.id: 1}}"
          ip: "${ip('::1')}"
          text: "${run.id}/${run.startedAt}/${1 + 1}/${[1, 2]}"
          host: "${run.id}"
      """)
    guard case .call(let call) = plan.steps[0].body else { return }
    var scope = Scope()
    scope.runID = "abc"
    scope.runStartedAt = Timestamp("2026-01-31T08:00:00Z")
    let value = try call.input.value(in: scope)
    #expect(value["time"] == .duration(.seconds(90)))
    #expect(value["numbers"]?["double"] == .double(3))
    #expect(value["numbers"]?["size"] == .int(2048))
    #expect(value["list"] == .list([.duration(.seconds(1))]))
    #expect(value["map"] == .members([.init("abc", .int(1))]))
    #expect(value["ip"] == .string("::1"))
    #expect(value["text"] == .string("abc/2026-01-31T08:00:00Z/2/[1,2]"))
    #expect(value["flag"] == .null)
    scope.runID = ""
    #expect(throws: ExpressionError.self) { try call.input.value(in: scope) }
    scope.runID = "-x"
    let error = #expect(throws: ExpressionError.self) { try call.input.value(in: scope) }
    #expect(error?.message.contains("host") == true)
  }

  @Test("What an expression gives is never evaluated again")
  func onceOnly() throws {
    let plan = try plan("- {id: all, use: sample.everything, with: {text: \"${run.id} $${run.id}\"}}")
    guard case .call(let call) = plan.steps[0].body else { return }
    var scope = Scope()
    scope.runID = "${secrets.x}"
    #expect(try call.input.value(in: scope)["text"] == .string("${secrets.x} ${run.id}"))
  }

  @Test("Earlier steps are seen with their outcome, their attempts and, where it is there, their output")
  func steps() throws {
    let plan = try plan(
      """
      - {id: first, use: sample.look, onFailure: continue}
      - id: second
        use: sample.look
        with: {name: "${steps.first.?output.?count.orValue(-1)} ${steps.first.outcome} ${steps.first.attempts}"}
        expect: [has(steps.first.output) && steps.first.output.count == output.count]
      """)
    guard case .call(let call) = plan.steps[1].body else { return }
    var scope = scope(looked())
    scope.steps["first"] = .init(outcome: .fail, output: nil, attempts: 2)
    #expect(try call.input.value(in: scope)["name"] == .string("-1 fail 2"))
    #expect(try plan.steps[1].expectations[0].that.judge(in: scope).value == .bool(false))
    scope.steps["first"] = .init(outcome: .pass, output: looked(), attempts: 1)
    #expect(try call.input.value(in: scope)["name"] == .string("3 pass 1"))
    #expect(try plan.steps[1].expectations[0].that.judge(in: scope).value == .bool(true))
    scope.steps = [:]
    #expect(throws: ExpressionError.self) { try call.input.value(in: scope) }
  }
}
