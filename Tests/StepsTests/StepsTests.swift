import Journal
import Schema
import Steps
import Synchronization
import Testing

/// Adds two numbers and objects to odd sums.
private struct Add: StepModule {
  struct Input: Sendable { var a: Int, b: Int }
  struct Output: Sendable { var sum: Int }

  static let declaration = ModuleDeclaration(
    "test.add", "Adds.", effect: .observe, judges: true, deadline: .seconds(1),
    input: Record(
      Input.init, Field("a", \.a, .int.within(0...10), "One number."), Field("b", \.b, .int, default: 5, "The other.")),
    output: Record(Output.init, Field("sum", \.sum, .int, "Their sum.")),
    examples: [.init("It adds", with: "a: 1\nb: 2", expect: ["output.sum == 3"])])

  func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let output = Output(sum: input.a + input.b)
    return output.sum % 2 == 0 ? .done(output) : .failed(output, Finding("test.odd", "the sum is odd"))
  }
}

/// Says its password to everybody.
private struct Blab: StepModule {
  struct Input: Sendable { var password: Secret, throwing: Bool }
  struct Output: Sendable { var words: [String], address: String }

  static let declaration = ModuleDeclaration(
    "test.blab", "Blabs.", effect: .observe, judges: true, deadline: .seconds(1),
    input: Record(
      Input.init, Field("password", \.password, .secret, "A password."),
      Field("throwing", \.throwing, .bool, default: false, "Whether to throw.")),
    output: Record(
      Output.init, Field("words", \.words, .list(.string), "Some words."), Field("address", \.address, .ip, "Address.")),
    examples: [])

  func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let text = "it is \(input.password.revealText())"
    context.progress(text)
    let finding = Finding("test.blab", text, advice: text)
    if input.throwing { throw StepError(.failed, finding, learnt: [.init("reason", .string(text))]) }
    return .warned(Output(words: [text], address: "10.0.0.1"), finding)
  }
}

/// No run came before.
private struct NoHistory: RunHistory {
  func runs(of runbook: String?, since: Timestamp?, limit: Int) throws -> [RunSummary] { [] }
}

@Suite struct AnyStepModuleTests {
  private let module = AnyStepModule(Add.self)
  private let context = StepContext(
    run: "RUN", path: "step", attempt: 1, idempotencyKey: "key", deadline: .now + .seconds(5),
    services: Services(history: NoHistory()),
    progress: { _ in })

  @Test("A module takes members, fills in fallbacks, and gives members")
  func run() async throws {
    let result = try await module.run(.members([.init("a", .int(1))]), context)
    #expect(result.output == .members([.init("sum", .int(6))]))
    #expect(result.objection == nil)
  }

  @Test("A finding of the module comes with its output")
  func objection() async throws {
    let result = try await module.run(.members([.init("a", .int(2))]), context)
    #expect(result.output == .members([.init("sum", .int(7))]))
    #expect(result.objection?.finding.code == "test.odd")
  }

  @Test(
    "An input that does not fit is an error with the field's name, and nothing was begun",
    arguments: [
      ([Value.Member("a", .int(11))], "a: must lie from 0 to 10, found 11"),
      ([], "a: required, and not given"),
      ([.init("a", .int(1)), .init("c", .int(1))], "c: unknown field; did you mean \"a\"?"),
      ([.init("a", .string("1"))], "a: expected a whole number, found text"),
    ])
  func mismatch(members: [Value.Member], message: String) async throws {
    do {
      _ = try await module.run(.members(members), context)
      Testing.Issue.record("the input is refused")
    } catch {
      #expect(error.kind == .notStarted)
      #expect(error.finding.message == message)
    }
  }

  @Test("A module's page names the services that it needs, and the module is handed them")
  func services() async throws {
    struct Past: RunHistory {
      func runs(of runbook: String?, since: Timestamp?, limit: Int) throws -> [RunSummary] {
        [
          RunSummary(
            id: "RUN", number: 1, runbook: "a", target: nil, parent: nil, startedAt: .unixEpoch, finishedAt: nil,
            outcome: nil)
        ]
      }
    }
    struct Count: StepModule {
      struct Output: Sendable { var runs: Int }
      static let declaration = ModuleDeclaration(
        "test.count", "Counts.", effect: .observe, judges: false, services: [.history], deadline: .seconds(5),
        input: .empty, output: Record(Output.init, Field("runs", \.runs, .int, "Runs.")), examples: [])
      func run(_ input: NoFields, in context: StepContext) async throws(StepError) -> StepResult<Output> {
        do {
          return .done(Output(runs: try context.services.history.runs(of: nil, since: nil, limit: 9).count))
        } catch { throw .broken("test.past", "\(error)") }
      }
    }
    let module = AnyStepModule(Count.self)
    #expect(module.page.markdown().contains("- **needs**: history"))
    let context = StepContext(
      run: "RUN", path: "step", attempt: 1, idempotencyKey: "key", deadline: .now + .seconds(5),
      services: Services(history: Past()), progress: { _ in })
    #expect(try await module.run(.members([]), context).output == .members([.init("runs", .int(1))]))
  }

  @Test("Secrets of the input are masked in all that a module gives; what has a syntax keeps it")
  func masking() async throws {
    let said = Mutex<[String]>([])
    let context = StepContext(
      run: "RUN", path: "step", attempt: 1, idempotencyKey: "key", deadline: .now + .seconds(5),
      services: Services(history: NoHistory()),
      progress: { text in said.withLock { $0.append(text) } })
    let module = AnyStepModule(Blab.self)
    let password = Value.Member("password", .secret(Secret("10.0")))
    let masked = Finding("test.blab", "it is ‹secret›", advice: "it is ‹secret›")
    let result = try await module.run(.members([password]), context)
    #expect(result.output["words"] == .list([.string("it is ‹secret›")]))
    #expect(result.output["address"] == .string("10.0.0.1"))
    #expect(result.objection?.finding == masked)
    do {
      _ = try await module.run(.members([password, .init("throwing", .bool(true))]), context)
      Testing.Issue.record("it throws")
    } catch {
      #expect(error.finding == masked)
      #expect(error.learnt == [.init("reason", .string("it is ‹secret›"))])
    }
    #expect(said.withLock { $0 } == ["it is ‹secret›", "it is ‹secret›"])
  }

  @Test("A module that cannot reconcile says that it is not known")
  func reconcile() async throws {
    let answer = try await module.reconcile(.members([.init("a", .int(1))]), context)
    #expect(answer == .unknown("test.add cannot tell whether it took effect"))
  }

  @Test("Fields that were swapped in a declaration are found")
  func swapped() throws {
    struct Pair: Sendable { var left: Int, right: Int }
    let wrong = Record(
      { Pair(left: $1, right: $0) }, Field("left", \Pair.left, .int, "Left."),
      Field("right", \Pair.right, .int, "Right."))
    #expect(try wrong.swappedFields() == ["left", "right"])
    #expect(try module.swappedFields() == [])
  }

  @Test("The page of a module names its effect, its fields and its examples as steps")
  func page() {
    let text = module.page.terminal(width: 80)
    for part in ["test.add", "observe (reads only)", "default 5", "use: test.add", "- output.sum == 3"] {
      #expect(text.contains(part), "\(part) in\n\(text)")
    }
  }
}

@Suite struct CatalogTests {
  @Test("Modules are found by name, and nothing by another")
  func lookup() {
    let catalog = Catalog([AnyStepModule(Add.self)])
    #expect(catalog["test.add"]?.name == "test.add")
    #expect(catalog["test.sub"] == nil)
    #expect(catalog.names == ["test.add"])
  }
}

@Suite struct OutcomeTests {
  @Test("Outcomes are put together by the worst; skipped is left out, and all skipped is skipped")
  func worst() {
    #expect(Outcome.worst([.pass, .skipped, .warn]) == .warn)
    #expect(Outcome.worst([.error, .indeterminate, .fail]) == .indeterminate)
    #expect(Outcome.worst([.error, .fail]) == .error)
    #expect(Outcome.worst([.skipped, .skipped]) == .skipped)
    #expect(Outcome.worst([]) == .skipped)
  }
}
