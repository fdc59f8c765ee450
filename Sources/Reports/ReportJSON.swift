import Journal
package import Schema

extension RunReport {
  /// `runbook.report/1`, as `docs/reports.md` describes it. Members are only ever added to it.
  package var json: JSON {
    [
      "schema": "runbook.report/1", "run": .string(run), "parent": .optional(parent), "runbook": .string(runbook),
      "target": .optional(target), "outcome": .string(outcome.rawValue), "startedAt": .string(startedAt.description),
      "finishedAt": .optional(finishedAt?.description), "durationMs": milliseconds(duration), "params": params.json,
      "steps": .array(steps.map(\.json)), "journal": .string(journal),
      "number": number.map { .int(Int64($0)) } ?? .null,
      "title": .string(title), "severity": .optional(severity), "host": .string(host), "user": .string(user),
      "tool": .string(tool), "error": finding?.json ?? .null, "children": .array(children.map(\.json)),
      "warnings": .array(warnings.map(JSON.string)), "only": .array(only.map(JSON.string)),
      "processes": .array(processes.map(\.json)), "hypothesis": .array(hypothesis.map(\.json)),
      "stillInPlace": .array(stillInPlace.map(JSON.string)), "withoutUndo": .array(withoutUndo.map(JSON.string)),
      "alert": alert.map { alert in
        [
          "failures": .int(Int64(alert.failures)), "after": .int(Int64(alert.after)),
          "told": .array(told.map(JSON.string)),
          "notTold": .array(notTold.map { ["channel": .string($0.channel), "reason": .string($0.finding.message)] }),
          "suppressed": .array(
            suppressed.map {
              [
                "channels": .array($0.channels.map(JSON.string)), "code": .string($0.finding.code),
                "reason": .string($0.finding.message),
              ]
            }),
        ]
      } ?? .null,
      "standing": standing.map {
        ["firingRun": .string($0.firingRun), "told": .array($0.channels.map(JSON.string))]
      } ?? .null,
      "resumed": .array(resumptions.map(\.json)), "incident": incident?.json ?? .null,
    ]
  }
}

extension RunReport.Step {
  fileprivate var json: JSON {
    [
      "id": .string(id), "path": .string(path), "title": .string(title), "use": .string(use),
      "effect": .string(effect.rawValue), "outcome": .string(outcome.rawValue), "reason": .optional(reason),
      "attempts": .int(Int64(attempts)), "startedAt": .optional(startedAt?.description),
      "durationMs": milliseconds(duration), "output": output.json, "error": finding?.json ?? .null,
      "expectations": .array(expectations.map(\.json)), "steps": .array(steps.map(\.json)),
      "diagnostic": .bool(isDiagnostic), "stage": .string(stage.rawValue), "question": question?.json ?? .null,
      "resolved": resolution.map {
        ["as": .string($0.resolution.rawValue), "reason": .string($0.reason), "user": .string($0.user)]
      } ?? .null,
    ]
  }
}

extension RunReport.Continuation {
  /// `retried` is null for a run that had died.
  fileprivate var json: JSON {
    [
      "at": .string(at.description), "user": .optional(user),
      "retried": retry.map { .array($0.parts.map(JSON.string)) } ?? .null,
    ]
  }
}

extension HypothesisJudged {
  fileprivate var json: JSON {
    ["stage": .string(stage.rawValue), "outcome": .string(outcome.rawValue), "verdict": .string(verdict.rawValue)]
  }
}

extension RunReport.Child {
  fileprivate var json: JSON {
    [
      "run": .string(run), "target": .string(target), "outcome": .string(outcome.rawValue),
      "steps": .array(
        steps.map {
          [
            "path": .string($0.path.description), "title": .string($0.title), "outcome": .string($0.outcome.rawValue),
            "found": .optional($0.found),
          ]
        }),
    ]
  }
}

extension RunReport.Process {
  /// `running` is null if it cannot be told.
  package var json: JSON {
    let running: JSON =
      switch state {
      case .running: true
      case .ended: false
      case .unknown: .null
      }
    return [
      "step": .string(step), "program": .string(program), "pid": .int(Int64(pid)), "running": running,
      "pids": .array(runningNumbers.map { .int(Int64($0)) }),
    ]
  }
}

extension JudgedExpectation {
  fileprivate var json: JSON {
    let holds: JSON =
      switch verdict {
      case .holds: true
      case .broken: false
      case .error: .null
      }
    return [
      "that": .string(that), "holds": holds, "severity": .string(severity.rawValue), "message": .optional(message),
      "actual": .array(actual.map { ["expression": .string($0.expression), "value": $0.value.json] }),
      "error": .optional(error),
    ]
  }
}

extension Finding {
  fileprivate var json: JSON { ["code": .string(code), "message": .string(message), "advice": .optional(advice)] }
}

extension JSON {
  fileprivate static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
}

/// Milliseconds to the microsecond: whole ones as an integer.
func milliseconds(_ duration: Duration?) -> JSON {
  guard let duration else { return .null }
  let (seconds, attoseconds) = duration.components
  let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  return microseconds % 1000 == 0 ? .int(microseconds / 1000) : .double(Double(microseconds) / 1000)
}
