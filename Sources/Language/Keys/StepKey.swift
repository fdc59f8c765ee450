internal import Journal
internal import Schema

/// The keys of a step.
package enum StepKey: String, DocumentKey {
  case id, title, doc, use, effect, with, `if`, expect, until, retry, timeout, onFailure, diagnostic
  case undo, parallel, forEach, phase, steps

  package static let mappingName = "step"

  package static let foreign = [
    "retries": "retry: {times: 3, backoff: 1s}", "when": "\"if\"", "condition": "\"if\"",
    "name": "\"title\", or \"id\"",
    "description": "\"doc\"", "module": "\"use\"", "uses": "\"use\"", "args": "\"with\"", "params": "\"with\"",
    "inputs": "\"with\"", "assert": "\"expect\"", "run": "use: command.run, with: {command: [PROGRAM, ARGUMENT]}",
    "command": "use: command.run, with: {command: [PROGRAM, ARGUMENT]}",
    "shell": "use: command.run, with: {command: [PROGRAM, ARGUMENT]}", "ignore_errors": "onFailure: continue",
    "continue-on-error": "onFailure: continue",
  ]

  package var declaration: KeyDeclaration {
    switch self {
    case .id:
      .init(.name(.identifier), "Its name in expressions and reports, unique in the file.", .required, example: "relay")
    case .title:
      .init(
        .template(.string), "What it is called. In a runbook `params` and `target` may be used.",
        example: "The server relays")
    case .doc: .init(.prose, "What it is for.")
    case .use:
      .init(
        .moduleOrCheck, "A module, `checks/NAME`, see L26, or a question to people, see L41.", .alternative,
        example: "checks/answers")
    case .effect:
      .init(
        .plain(.enumeration([Effect.observe.rawValue])),
        "Says that the module, which could do anything, only reads here, see L28.")
    case .with: .init(.inputs, "The inputs of the module or check.", example: ["server": "${target}"])
    case .if:
      .init(.expression(.bool), "If false, the step is `skipped`.", example: "steps.answers.outcome == 'pass'")
    case .expect:
      .init(
        .conditions(ExpectationKey.self), "What must hold, judged once, after the last try.",
        example: ["output.loss <= 1.0"])
    case .until:
      .init(
        .expression(.bool), "A try is repeated until it is true, see L27.", with: ["retry"],
        example: "output.exitCode == 0")
    case .retry:
      .init(
        .record(RetryPolicy.record.type), "How often, and after which waits, a try is repeated, see L27.",
        example: ["times": 3, "backoff": "5s"])
    case .timeout:
      .init(
        .plain(.duration),
        """
        How long one try may take. Without it the module's own deadline holds; the steps of a check or group have theirs. A question \
        must have one.
        """,
        example: "10s")
    case .onFailure:
      .init(
        .plain(.enumeration(PlannedStep.OnFailure.allCases.map(\.rawValue))),
        "Whether the run stops or continues if the step does not pass. Without it, `stop`.")
    case .diagnostic: .init(.plain(.bool), "If `true`, the step is recorded and never counts.")
    case .undo:
      .init(
        .list(StepKey.self), "What takes the step's effect back under `rollback: onFailure`, see L36.")
    case .parallel:
      .init(
        .mapping(ParallelKey.self), "Steps that go on at the same time, see L32.", .alternative,
        example: ["steps": [["id": "answers", "use": "checks/answers"]]])
    case .forEach:
      .init(
        .mapping(ForEachKey.self), "`steps` are done once for each element of a list, see L33.", .alternative,
        with: ["steps"], example: ["in": "params.servers", "as": "server"])
    case .phase:
      .init(
        .mapping(PhaseKey.self), "Steps that are to have ended at a time, see L34.", .alternative,
        example: ["deadline": "15m", "steps": [["id": "answers", "use": "checks/answers"]]])
    case .steps: .init(.list(StepKey.self), "The steps of `forEach`.", with: ["forEach"])
    }
  }
}

/// The keys of an expectation that is more than an expression.
package enum ExpectationKey: String, DocumentKey {
  case that, severity, message

  package static let mappingName = "expectation"

  package var declaration: KeyDeclaration {
    switch self {
    case .that: .init(.expression(.bool), "What must hold.", .required, example: "output.rtt.p95 <= duration('200ms')")
    case .severity:
      .init(
        .plain(.enumeration(JudgedExpectation.Severity.allCases.map(\.rawValue))),
        "How the step ends if it does not hold. Without it, `fail`.")
    case .message:
      .init(
        .template(.string), "What the report says then. An expression in it may use the names of `expect`.",
        example: "${output.rtt.p95} is too slow")
    }
  }
}
