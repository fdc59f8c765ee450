import Engine
import Files
package import Journal
import Language
import Schema
import Steps

/// A run over several targets that died, or that failed, and can be gone on with: what is left to be done of each target.
package struct FleetResumption: Sendable {
  package let run: RecordedRun
  /// Paths of the project's files that differ now from those that run.
  package let drift: [String]
  let planned: RunPlanned
  let retry: RunRetry?
  let work: [TargetWork]
  /// The targets whose ends count.
  let ended: [EndedChild]

  /// - Parameters:
  ///   - kept: reads the project, with the documents that a run keeps in this folder.
  ///   - others: as for ``RunResumption/init(_:called:retryingFailed:isPart:catalog:warn:kept:)``.
  init(
    _ run: RecordedRun, called name: String, retryingFailed: Bool, catalog: Catalog, warn: (Issue) -> Void,
    kept: (RunFolder) throws -> Project
  ) throws {
    self.run = run
    let look = DeadRunLook(run, called: name)
    if retryingFailed { try look.checkRetriable() } else { try look.checkDied() }
    try RunResumption.checkWhole(run, called: name)
    try RunResumption.checkHost(of: run, called: name)
    try RunResumption.checkOwners(of: run, called: name)
    let project = try kept(run.folder)
    drift = RunResumption.drift(of: run, in: project)
    guard let planned = run.events.lazy.compactMap(\.event.planned).first else {
      throw ResumeRefusal(
        "run \(name) died before it was recorded which targets it is for",
        advice: "runbook cancel \(name), then run it again")
    }
    self.planned = planned
    let children = run.childRuns()
    guard children.doubts.isEmpty else {
      throw ResumeRefusal(
        "run \(name) is not whole: \(children.doubts.joined(separator: "; "))",
        advice: "restore what is missing from a copy; or record that the run is over: runbook cancel \(name)")
    }
    retry = retryingFailed ? Self.retry(of: run, planned, children.runs) : nil
    let standing = retry.map { run.standing.without($0) } ?? run.standing
    var work: [TargetWork] = []
    var ended: [EndedChild] = []
    for target in planned.targets {
      if let end = standing.lazy.compactMap(\.event.childEnd).last(where: { $0.target == target }) {
        let child = children.runs.first { $0.id == end.run }
        ended.append(
          EndedChild(event: end, wasLockedOut: child?.finished?.finding?.code == RunFinished.lockedOut))
        continue
      }
      let server = try RunResumption.server(target, of: run, called: name, in: project, warn)
      let plan = try RunResumption.plan(run, called: name, for: server, project, catalog, warn)
      let begun = BegunChild(of: target, in: run, children.runs, retriedNow: retry?.targets.contains(target) == true)
      let start = try begun.start { (child, isRetried) in
        try RunResumption(
          child, called: child.started.number > 0 ? "\(child.started.number)" : child.id, retryingFailed: isRetried,
          isPart: true, catalog: catalog, warn: warn, kept: { try kept(child.folder) })
      }
      if case .goOn(let resumption) = start {
        work.append(TargetWork(plan: resumption.plan, start: start))
      } else {
        work.append(TargetWork(plan: plan, start: start))
      }
    }
    self.work = work
    self.ended = ended
  }

  /// The targets that did not pass: what a signal ended did not, even if all that it came to passed.
  private static func retry(of run: RecordedRun, _ planned: RunPlanned, _ children: [RecordedRun]) -> RunRetry {
    let failed = Set(run.failedParts.targets)
    let cut = Set(children.filter { $0.finished?.verdict.isGood == false }.compactMap { $0.started.target?.name })
    return RunRetry(targets: planned.targets.filter { failed.contains($0) || cut.contains($0) })
  }
}

/// What the journals tell of the child run of a target that has no end that counts.
private struct BegunChild {
  /// Its id, as its parent announced it; nil if it was not begun.
  private var id: String?
  /// Nil if its folder was never put in place.
  private var run: RecordedRun?
  /// Whether it ended before it was to be tried anew.
  private var isRetried = false

  init(of target: String, in parent: RecordedRun, _ children: [RecordedRun], retriedNow: Bool) {
    var retriedAt: Moment?
    for recorded in parent.events {
      if case .childStarted(let child) = recorded.event, child.target == target {
        id = child.run
        retriedAt = nil
      }
      if recorded.event.retry?.targets.contains(target) == true { retriedAt = recorded.moment }
    }
    run = children.first { $0.id == id }
    let since = run?.events.last { $0.event.retry != nil }?.moment
    isRetried = retriedNow || retriedAt.map { retried in !(since?.isLater(than: retried) ?? false) } ?? false
  }

  func start(_ goOn: (RecordedRun, Bool) throws -> RunResumption) throws -> TargetWork.Start {
    guard let run else { return .begin(id: isRetried ? nil : id) }
    guard run.isFinished, !run.isBeingWritten else { return .goOn(try goOn(run, false)) }
    guard isRetried else { return .ended(run) }
    // What did nothing, or took everything back, is done from its beginning.
    let didNothing = run.finished?.outcome == .skipped && run.finished?.signal == nil
    let isLeft = run.finished?.finding?.code == RunFinished.lockUnusable
    let wasTakenBack = run.standing.contains { $0.event.path?.stage == .undo }
    return didNothing || isLeft || wasTakenBack ? .begin(id: nil) : .goOn(try goOn(run, true))
  }
}

extension Moment {
  fileprivate func isLater(than other: Moment) -> Bool {
    boot == other.boot ? monotonic > other.monotonic : wall > other.wall
  }
}

extension Event {
  fileprivate var planned: RunPlanned? { if case .runPlanned(let planned) = self { planned } else { nil } }
  fileprivate var childEnd: ChildFinished? { if case .childFinished(let end) = self { end } else { nil } }
}
