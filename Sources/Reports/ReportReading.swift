package import Journal
import Schema

extension RunReport {
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
    var listed = UndoListed(remaining: [])
    var alert: AlertDue?
    var standing: AlertStanding?
    var told: [String] = []
    var notTold: [NotTold] = []
    var suppressed: [NotifySuppressed] = []
    var resumptions: [Continuation] = []
    for recorded in run.standing {
      steps.take(recorded)
      children.take(recorded.event)
      switch recorded.event {
      case .hypothesisJudged(let look): hypothesis.append(look)
      case .undoListed(let event): listed = event
      case .alertDue(let due): alert = due
      case .alertStanding(let event): standing = event
      case .runResumed(let resumed):
        resumptions.append(Continuation(at: recorded.moment.wall, user: resumed.user, retry: resumed.retry))
      case .notifyDelivered(let delivered) where delivered.path == nil: told.append(delivered.channel)
      case .notifyFailed(let failed) where failed.path == nil:
        notTold.append(NotTold(channel: failed.channel, finding: failed.finding))
      case .notifySuppressed(let event) where event.path == nil: suppressed.append(event)
      default: break
      }
      if let warning = Self.warning(of: recorded.event) { warnings.append(warning) }
    }
    if resumptions.contains(where: { $0.retry != nil }) {
      steps.order(as: run.events)
      // It was due before what had failed passed.
      if run.finished?.verdict.isGood == true { (alert, standing) = (nil, nil) }
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
        children[index].report = RunReport(child, state: state)
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
      }, hypothesis: hypothesis, stillInPlace: listed.remaining, withoutUndo: listed.withoutUndo,
      resumptions: resumptions, alert: alert, standing: standing, told: told, notTold: notTold, suppressed: suppressed,
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

extension [RunReport.Child] {
  fileprivate mutating func take(_ event: Event) {
    switch event {
    case .childStarted(let child):
      let begun = RunReport.Child(run: child.run, target: child.target, outcome: .indeterminate, steps: [])
      // Of a target that was begun anew the last run counts.
      if let index = firstIndex(where: { $0.target == child.target }) { self[index] = begun } else { append(begun) }
    case .childFinished(let child):
      let finished = RunReport.Child(run: child.run, target: child.target, outcome: child.outcome, steps: child.steps)
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
        RunReport.Child(run: "", target: target, outcome: .skipped, steps: [], isDue: true)
      }
    }
  }
}

/// The steps of a run by path, in the order in which they first occur.
private struct StepCollection {
  let goesOn: Bool
  let start: Moment
  private var paths: [String] = []
  private var steps: [String: RunReport.Step] = [:]
  /// By what `use` names.
  private var outputTypes: [String: ValueType] = [:]
  private var planned: [PlannedStepFacts] = []
  /// Of each step the one that it lies in.
  private var owners: [String: String] = [:]

  init(goesOn: Bool, start: Moment) {
    self.goesOn = goesOn
    self.start = start
  }

  mutating func take(_ recorded: RecordedEvent) {
    switch recorded.event {
    case .typesDeclared(let types): outputTypes[types.use] = types.output
    case .runPlanned(let plan): if plan.targets.isEmpty { planned = plan.steps }
    case .stepStarted(let event) where event.path.tried != nil: beginAgain(event.path)
    case .stepStarted(let event):
      add(
        key(event.path), in: event.path.owner,
        RunReport.Step(
          id: id(event.path), path: key(event.path), title: event.title, use: event.use, effect: event.effect,
          outcome: .indeterminate, reason: goesOn ? RunReport.Step.stillRunning : "no end of it is recorded",
          attempts: 0,
          startedAt: recorded.moment.wall, begunAfter: recorded.moment.time(since: start), duration: nil, output: .null,
          outputType: outputTypes[event.use] ?? .any,
          finding: nil,
          expectations: [], isDiagnostic: event.diagnostic, steps: [], stage: event.path.stage))
    case .stepSkipped(let event):
      add(
        key(event.path), in: event.path.owner,
        RunReport.Step(
          id: id(event.path), path: key(event.path), title: event.title, use: event.use, effect: event.effect,
          outcome: .skipped, reason: event.reason, attempts: 0, startedAt: nil, begunAfter: nil,
          duration: nil, output: .null,
          outputType: .any, finding: nil, expectations: [], isDiagnostic: false, steps: [], stage: event.path.stage))
    case .stepIntent(let event): steps[key(event.path)]?.attempts = event.attempt
    case .stepResult(let event):
      steps[key(event.path)]?.output = event.output
      steps[key(event.path)]?.finding = event.finding
    case .stepFinished(let event):
      steps[key(event.path)]?.finish(event)
    case .stepResolved(let event): steps[key(event.path)]?.resolution = event
    case .elementsListed(let event): steps[key(event.path)]?.elements = event.items.count
    case .phaseMissed(let event):
      steps[key(event.path)]?.finding = Finding(
        "phase.missed", "the phase did not end within \(durationLiteral(event.deadline)) of the run's start",
        advice: "Look at the step inside it that took longest, or give the phase a later deadline.")
    case .personAsked, .personAnswered, .answerRefused:
      if let path = recorded.event.path { steps[key(path)]?.take(recorded.event, at: recorded.moment.wall) }
    default: break
    }
  }

  /// A step is known by its place, whichever try of a check or group around it this is.
  private func key(_ path: StepPath) -> String { path.withoutTries.description }

  /// The last part of the path: of an element with its number.
  private func id(_ path: StepPath) -> String {
    path.parts.last.map { part in part.id + (part.element.map { "[\($0)]" } ?? "") } ?? path.id
  }

  /// Leaves out what an earlier try of a check or group came to: as of a module's step, the last try is told.
  private mutating func beginAgain(_ path: StepPath) {
    guard let tried = path.tried?.withoutTries else { return }
    steps[tried.description]?.attempts = path.parts.last?.attempt ?? 1
    let earlier = paths.filter { owners[$0].map { isInside($0, tried.description) } ?? false }
    for path in earlier { steps[path] = nil }
    paths.removeAll { steps[$0] == nil }
  }

  /// True for a step and what lies inside it.
  private func isInside(_ owner: String, _ step: String) -> Bool {
    var owner: String? = owner
    while let found = owner {
      if found == step { return true }
      owner = owners[found]
    }
    return false
  }

  /// Puts the steps into the order in which they first came: what was done anew stands where it stood.
  mutating func order(as events: [RecordedEvent]) {
    var places: [String: Int] = [:]
    for (place, recorded) in events.enumerated() {
      switch recorded.event {
      case .stepStarted(let event) where event.path.tried == nil:
        if places[key(event.path)] == nil { places[key(event.path)] = place }
      case .stepSkipped(let event): if places[key(event.path)] == nil { places[key(event.path)] = place }
      default: break
      }
    }
    paths.sort { places[$0] ?? .max < places[$1] ?? .max }
  }

  /// A step that a resumed run began once more stands where it first stood, as it last was.
  private mutating func add(_ path: String, in owner: StepPath?, _ step: RunReport.Step) {
    owners[path] = owner.map(key)
    if steps.updateValue(step, forKey: path) == nil { paths.append(path) }
  }

  /// Adds the steps of the plan that were neither begun nor skipped; of a check that was skipped, none.
  mutating func addDue() {
    var skipped: Set<String> = []
    // A rollback, and the look after it, come only if something fails.
    for step in planned where step.path.stage != .undo && step.path.stage != .again {
      let path = step.path.description
      // The elements of a loop are known only once it began.
      if let owner = step.path.owner?.description, skipped.contains(owner) || steps[owner]?.use == "forEach" {
        skipped.insert(path)
      } else if let known = steps[path] {
        if known.outcome == .skipped { skipped.insert(path) }
      } else {
        add(
          path, in: step.path.owner,
          RunReport.Step(
            id: step.path.id, path: path, title: step.title, use: step.use, effect: step.effect, outcome: .skipped,
            reason: goesOn ? "it has not begun yet" : "the run died before it began", attempts: 0, startedAt: nil,
            begunAfter: nil, duration: nil, output: .null, outputType: .any, finding: nil, expectations: [],
            isDiagnostic: step.diagnostic, steps: [], isDue: true, stage: step.path.stage))
      }
    }
  }

  /// The steps inside their checks. A step whose check is not recorded stands on its own.
  func tree() -> [RunReport.Step] {
    var inside: [String: [String]] = [:]
    for path in paths { inside[owners[path].flatMap { steps[$0] == nil ? nil : $0 } ?? "", default: []].append(path) }
    return (inside[""] ?? []).compactMap { build($0, inside) }
  }

  private func build(_ path: String, _ inside: [String: [String]]) -> RunReport.Step? {
    var step = steps[path]
    step?.steps = (inside[path] ?? []).compactMap { build($0, inside) }
    return step
  }
}

extension RunReport.Step {
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
