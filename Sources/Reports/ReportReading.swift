package import Journal
import Schema

extension Report {
  /// Puts together what a journal tells. Events of kinds that are not known change nothing.
  ///
  /// - Parameters:
  ///   - details: of the child runs, where this is their parent and their journals are at hand.
  ///   - state: what has become of a process that a run had at work when it died; the journal does not tell.
  package init(
    _ run: RecordedRun, details: ChildRuns = ChildRuns(), state: (LeftProcess) -> LeftProcess.State = { _ in .unknown }
  ) {
    let started = run.started
    let start = run.events.first?.moment ?? Moment(wall: .unixEpoch, monotonic: 0, boot: "")
    let first = start.wall
    let last = run.events.last?.moment.wall ?? first
    let end: End =
      if let finished = run.finished { .finished(finished, at: last) } else if run.isBeingWritten { .goesOn } else {
        .died(at: last)
      }
    var steps = StepCollection(goesOn: end == .goesOn, start: start)
    var children: [Child] = []
    var warnings: [String] = []
    var hypothesis: [HypothesisJudged] = []
    var stillInPlace: [String] = []
    for recorded in run.events {
      steps.take(recorded)
      children.take(recorded.event)
      switch recorded.event {
      case .hypothesisJudged(let look): hypothesis.append(look)
      case .undoListed(let listed): stillInPlace = listed.remaining
      default: break
      }
      if let warning = Self.warning(of: recorded.event) { warnings.append(warning) }
    }
    if case .finished = end {
    } else {
      steps.addDue()
      children.addDue(of: run)
    }
    if run.tornBytes > 0 {
      warnings.append("the journal's last line was cut off by a crash: \(run.tornBytes) bytes are left out")
    }
    warnings += run.doubts + details.doubts
    for child in details.runs {
      for index in children.indices where children[index].run == child.id {
        children[index].report = Report(child, state: state)
      }
    }
    if started.volatile { warnings.append("the journal lies in memory: copy it before the host restarts") }

    self.init(
      run: run.id, number: started.number > 0 ? started.number : nil, parent: started.parent,
      runbook: started.runbook, title: started.title, severity: started.severity, target: started.target?.name,
      only: started.only,
      host: started.host, user: started.user, tool: started.tool.version, end: end, startedAt: first,
      params: started.params,
      steps: steps.tree(), children: children,
      processes: run.leftProcesses.map { left in
        Process(
          step: left.process.path.description, program: left.process.program, pid: left.process.pid,
          state: state(left))
      }, hypothesis: hypothesis, stillInPlace: stillInPlace,
      warnings: warnings, journal: run.folder.journal)
  }

  private static func warning(of event: Event) -> String? {
    switch event {
    case .clockStepped(let step):
      "the wall clock went back by \(shortDuration(step.back)): durations are right, times of day may not be"
    case .journalRecovered(let recovered):
      "the run was gone on with after a crash: \(recovered.bytes) bytes of a torn line are kept in \(recovered.file)"
    default: nil
    }
  }
}

extension [Report.Child] {
  fileprivate mutating func take(_ event: Event) {
    switch event {
    case .childStarted(let child):
      append(Report.Child(run: child.run, target: child.target, outcome: .indeterminate, steps: []))
    case .childFinished(let child):
      let finished = Report.Child(run: child.run, target: child.target, outcome: child.outcome, steps: child.steps)
      if let index = firstIndex(where: { $0.run == child.run && $0.target == child.target }) {
        self[index] = finished
      } else {
        append(finished)
      }
    default: break
    }
  }

  /// The targets that a run over several was to come to.
  fileprivate mutating func addDue(of run: RecordedRun) {
    let known = Set(map(\.target))
    for case .runPlanned(let plan) in run.events.lazy.map(\.event) {
      self += plan.targets.filter { !known.contains($0) }.map { target in
        Report.Child(run: "", target: target, outcome: .skipped, steps: [], isDue: true)
      }
    }
  }
}

/// The steps of a run by path, in the order in which they first occur.
private struct StepCollection {
  let goesOn: Bool
  let start: Moment
  private var paths: [String] = []
  private var steps: [String: Report.Step] = [:]
  /// By what `use` names.
  private var outputTypes: [String: ValueType] = [:]
  private var planned: [PlannedStepFacts] = []

  init(goesOn: Bool, start: Moment) {
    self.goesOn = goesOn
    self.start = start
  }

  mutating func take(_ recorded: RecordedEvent) {
    switch recorded.event {
    case .typesDeclared(let types): outputTypes[types.use] = types.output
    case .runPlanned(let plan): if plan.targets.isEmpty { planned = plan.steps }
    case .stepStarted(let event):
      add(
        event.path.description,
        Report.Step(
          id: event.path.id, path: event.path.description, title: event.title, use: event.use, effect: event.effect,
          outcome: .indeterminate, reason: goesOn ? "still running" : "no end of it is recorded", attempts: 0,
          startedAt: recorded.moment.wall, begunAfter: recorded.moment.time(since: start), duration: nil, output: .null,
          outputType: outputTypes[event.use] ?? .any,
          finding: nil,
          expectations: [], isDiagnostic: event.diagnostic, steps: [], stage: event.path.stage))
    case .stepSkipped(let event):
      add(
        event.path.description,
        Report.Step(
          id: event.path.id, path: event.path.description, title: event.title, use: event.use, effect: event.effect,
          outcome: .skipped, reason: event.reason, attempts: 0, startedAt: nil, begunAfter: nil,
          duration: nil, output: .null,
          outputType: .any, finding: nil, expectations: [], isDiagnostic: false, steps: [], stage: event.path.stage))
    case .stepIntent(let event): steps[event.path.description]?.attempts = event.attempt
    case .stepResult(let event):
      steps[event.path.description]?.output = event.output
      steps[event.path.description]?.finding = event.finding
    case .stepFinished(let event):
      steps[event.path.description]?.finish(event)
    default: break
    }
  }

  /// A step that a resumed run began once more stands where it first stood, as it last was.
  private mutating func add(_ path: String, _ step: Report.Step) {
    if steps.updateValue(step, forKey: path) == nil { paths.append(path) }
  }

  /// Adds the steps of the plan that were neither begun nor skipped; of a check that was skipped, none.
  mutating func addDue() {
    var skipped: Set<String> = []
    // A rollback, and the look after it, come only if something fails.
    for step in planned where step.path.stage != .undo && step.path.stage != .again {
      let path = step.path.description
      if let owner = step.path.owner?.description, skipped.contains(owner) {
        skipped.insert(path)
      } else if let known = steps[path] {
        if known.outcome == .skipped { skipped.insert(path) }
      } else {
        add(
          path,
          Report.Step(
            id: step.path.id, path: path, title: step.title, use: step.use, effect: step.effect, outcome: .skipped,
            reason: goesOn ? "it has not begun yet" : "the run died before it began", attempts: 0, startedAt: nil,
            begunAfter: nil, duration: nil, output: .null, outputType: .any, finding: nil, expectations: [],
            isDiagnostic: step.diagnostic, steps: [], isDue: true, stage: step.path.stage))
      }
    }
  }

  /// The steps inside their checks. A step whose check is not recorded stands on its own.
  func tree() -> [Report.Step] {
    var inside: [String: [String]] = [:]
    for path in paths { inside[owner(of: path) ?? "", default: []].append(path) }
    return (inside[""] ?? []).compactMap { build($0, inside) }
  }

  private func owner(of path: String) -> String? {
    guard let slash = path.lastIndex(of: "/") else { return nil }
    let owner = String(path[..<slash])
    return steps[owner] == nil ? nil : owner
  }

  private func build(_ path: String, _ inside: [String: [String]]) -> Report.Step? {
    var step = steps[path]
    step?.steps = (inside[path] ?? []).compactMap { build($0, inside) }
    return step
  }
}

extension Report.Step {
  fileprivate mutating func finish(_ event: StepFinished) {
    outcome = event.outcome
    reason = nil
    attempts = event.attempts
    duration = event.duration
    finding = event.finding
    expectations = event.expectations
    if event.output != .null { output = event.output }
  }
}

extension Moment {
  /// By the boot-time clock; across boots by the wall clock, which is all there is. Never negative.
  fileprivate func time(since earlier: Moment) -> Duration {
    let time =
      boot == earlier.boot ? .nanoseconds(monotonic - earlier.monotonic) : wall.duration(since: earlier.wall)
    return max(.zero, time)
  }
}
