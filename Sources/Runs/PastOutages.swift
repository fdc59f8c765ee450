import Journal
import Schema
import Steps

/// The outages that people were told of, as the journals of past runs tell it.
struct PastOutages: ToldOutages {
  let history: any RunHistory
  let state: StateFolder
  /// How long the last run that failed may have ended ago: an outage that nobody looks at any more hides nothing.
  private static let reach = Duration.seconds(3600)
  /// How many past runs are looked at.
  private static let depth = 1000

  func outage(on target: String, besides runbook: String) -> String? {
    let now = Moment.now().wall
    var passed: Set<String> = [runbook]
    for run in (try? history.runs(of: nil, since: nil, limit: Self.depth)) ?? []
    where run.target == target && run.only.isEmpty && !run.goesOn && run.outcome != .skipped {
      guard !passed.contains(run.runbook) else { continue }
      let age = now.duration(since: run.finishedAt ?? run.startedAt)
      guard run.outcome?.isGood != true, max(age, .zero - age) < Self.reach else {
        passed.insert(run.runbook)
        continue
      }
      guard let recorded = try? RecordedRun.read(state.run(run.id)) else { continue }
      guard recorded.started.severity == "P1" else {
        passed.insert(run.runbook)
        continue
      }
      if wasTold(recorded) { return run.runbook }
    }
    return nil
  }

  /// Whether people were told that the run failed, or an earlier one of the same row: by itself, or by the run over several targets that it is part of.
  private func wasTold(_ run: RecordedRun) -> Bool {
    if run.standingAlert != nil { return true }
    guard let parent = run.started.parent else { return false }
    return (try? RecordedRun.read(state.run(parent)))?.standingAlert != nil
  }
}
