import Journal
import Notices
import Schema
import Steps

/// The outages that people were told of, as the journals of past runs tell it.
struct PastOutages: ToldOutages {
  let history: any RunHistory
  let state: StateFolder
  let routes: ChannelRoutes
  /// How long ago the last run that failed may have ended: an outage that nobody looks at any more holds nothing back.
  private static let reach = Duration.seconds(3600)
  /// How many past runs are looked at.
  private static let depth = 1000

  func outage(on target: String, besides runbook: String) -> String? {
    let now = Moment.now().wall
    // Those of which it is known that they are no outage.
    var settled: Set<String> = [runbook]
    for run in (try? history.runs(of: nil, since: nil, limit: Self.depth)) ?? []
    where run.target == target && run.only.isEmpty && !run.goesOn && run.outcome != .skipped {
      guard !settled.contains(run.runbook) else { continue }
      let age = now.duration(since: run.finishedAt ?? run.startedAt)
      guard run.outcome?.isGood != true, max(age, .zero - age) < Self.reach else {
        settled.insert(run.runbook)
        continue
      }
      guard let recorded = try? RecordedRun.read(state.run(run.id)) else { continue }
      guard recorded.started.severity == "P1" else {
        settled.insert(run.runbook)
        continue
      }
      if wasTold(recorded, of: target) { return run.runbook }
    }
    return nil
  }

  /// Whether those who are to hear it were told that the run failed, or an earlier one of the same row: by itself, or by the run over several
  /// targets that it is part of, and which told of this target.
  private func wasTold(_ run: RecordedRun, of target: String) -> Bool {
    if let standing = run.standingAlert { return routes.reached(standing.channels, .critical) }
    guard let parent = run.started.parent,
      let standing = (try? RecordedRun.read(state.run(parent)))?.standingAlert
    else { return false }
    return standing.targets?.contains(target) == true && routes.reached(standing.channels, .critical)
  }
}
