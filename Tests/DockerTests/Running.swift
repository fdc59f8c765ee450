import Journal
import Modules
import Schema
import Steps
import TestSupport

/// A step of a module, run once as the engine does, against the test's own Docker engine.
struct DockerStep {
  let module: String
  var input: [Value.Member]
  var timeout = Duration.seconds(40)
  /// The id of the run to which it belongs.
  var run = ULID.next()

  init(_ module: String, _ lab: DockerLab, container: String? = nil, _ members: (String, Value)...) {
    self.module = module
    input = [.init("engine", .string(lab.engine))]
    if let container { input.append(.init("container", .string(container))) }
    input += members.map { .init($0.0, $0.1) }
  }

  init(_ module: String, engine: String, container: String, timeout: Duration = .seconds(40)) {
    self.module = module
    self.timeout = timeout
    input = [.init("engine", .string(engine)), .init("container", .string(container))]
  }

  private var context: StepContext {
    StepContext(
      run: run, path: "step", attempt: 1, idempotencyKey: "key", deadline: .now + timeout,
      services: Services(history: NoHistory()), progress: { _ in })
  }

  private func found() throws -> AnyStepModule {
    guard let module = Catalog.standard[module] else { throw NoSuchModule(name: module) }
    return module
  }

  func callAsFunction() async throws -> StepResult<Value> {
    try await found().run(.members(input), context)
  }

  /// The error with which it ends.
  func error() async throws -> StepError {
    do { _ = try await self() } catch let error as StepError { return error }
    throw NothingThrown()
  }

  func reconciled() async throws -> Reconciliation { try await found().reconcile(.members(input), context) }
}

struct NothingThrown: Error {}

private struct NoSuchModule: Error {
  let name: String
}

private struct NoHistory: RunHistory {
  func runs(of runbook: String?, since: Timestamp?, limit: Int) throws -> [RunSummary] { [] }
}
