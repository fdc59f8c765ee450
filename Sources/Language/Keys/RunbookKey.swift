internal import Journal
internal import Schema

/// The keys of a runbook.
package enum RunbookKey: String, DocumentKey {
  case runbook, title, doc, severity, owner, allow, params, secrets, timeout, steps
  case lock, period, alert, controls, ttl, confirm, rollback, hypothesis, finally

  package static let mappingName = "runbook"

  package var declaration: KeyDeclaration {
    switch self {
    case .runbook: .init(.name(.hyphenated), "Its name, that of its file.", .required, example: "failover")
    case .title:
      .init(
        .template(.string), "What it is called. `params` and `target` may be used.", example: "TURN at ${target.name}")
    case .doc: .init(.prose, "What it is for.")
    case .severity:
      .init(.plain(.enumeration(["P1", "P2", "P3", "P4"])), "How much a failure matters to those who are called.")
    case .owner: .init(.prose, "Who looks after it.", example: "operations")
    case .allow:
      .init(
        .plain(.list(.enumeration(Effect.allCases.map(\.rawValue)))), "The effects that its steps may have, see L28.",
        example: ["observe"])
    case .params:
      .init(
        .named(ParameterKey.self), "What is given to a run, see L13.",
        example: ["maxRtt": ["type": "duration", "default": "500ms", "doc": "Above this a round trip fails"]])
    case .secrets:
      .init(
        .named(SecretKey.self), "The secrets that its steps use, see L14.", example: ["token": ["env": "API_TOKEN"]])
    case .timeout:
      .init(
        .plain(.duration),
        "How long the run may take, up to the hypothesis after the steps. Undo and `finally` have 5 minutes each.",
        example: "10m")
    case .steps: .init(.list(StepKey.self), "What is done, in this order.", .required)
    case .lock:
      .init(
        .template(.string),
        "What only one run at a time may work on, see L44. `params` and `target` may be used.",
        example: "${params.container}")
    case .period:
      .init(
        .plain(.string), "How often it is due: a duration, or a cron line in UTC, see L45.", example: "30 6 * * 1 UTC")
    case .alert: .init(.mapping(AlertKey.self), "When somebody is to be told, see L46.", example: ["after": 3])
    case .controls: .unsupported
    case .ttl: .unsupported
    case .confirm:
      .init(
        .template(.string),
        "Asked before anything runs, see L41. `--yes` answers it. `params` and `target` may be used.",
        example: "Restart coturn on ${target.name}?")
    case .rollback:
      .init(
        .plain(.enumeration(RollbackPolicy.allCases.map(\.rawValue))),
        "Whether the undo of its steps is done if the run fails, see L36. Without it, `never`.", example: "onFailure")
    case .hypothesis:
      .init(
        .list(StepKey.self),
        "What is looked at before the steps, for the record, and must hold after them, see L37.")
    case .finally: .init(.list(StepKey.self), "What is done however the run ends, see L38.")
    }
  }
}
