import Journal
import Schema
import Steps

@testable import Modules

/// Runs a module once, as the engine does: by name, with members for its input.
func run(
  _ name: String, _ members: [Value.Member] = [], deadline: Duration = .seconds(20),
  progress: @escaping @Sendable (String) -> Void = { _ in }
) async throws -> StepResult<Value> {
  guard let module = Catalog.standard[name] else { throw UnknownModule(name: name) }
  return try await module.run(.members(members), context(name, deadline: deadline, progress: progress))
}

struct UnknownModule: Error {
  let name: String
}

func context(
  _ path: String = "step", deadline: Duration = .seconds(20),
  progress: @escaping @Sendable (String) -> Void = { _ in }
) -> StepContext {
  StepContext(
    run: "RUN", path: path, attempt: 1, idempotencyKey: "key", deadline: .now + deadline,
    services: Services(history: NoHistory()),
    progress: progress)
}

private struct NoHistory: RunHistory {
  func runs(of runbook: String?, since: Timestamp?, limit: Int) throws -> [RunSummary] { [] }
}

/// The error that `body` throws.
func stepError(_ body: () async throws -> Void) async throws -> StepError {
  do { try await body() } catch let error as StepError { return error }
  throw NothingThrown()
}

struct NothingThrown: Error {}

func text(_ texts: String...) -> Value { .list(texts.map(Value.string)) }
