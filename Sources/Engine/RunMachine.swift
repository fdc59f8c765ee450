package import Journal
package import Language
package import Schema

/// Scheduling as a pure function: the plan and the events so far determine what is due.
///
/// `run`, `resume`, `plan` and rehearsal drive the same machine; resuming is replaying a journal into a new one. It
/// does no I/O and reads no clock: times come with the calls, counted from the run's start.
///
/// It holds the steps whose turn has come and that have not ended, and an agenda of those of which something is due. An
/// event costs what it changes, and ``next(at:)`` looks at the first entry, however many steps sleep.
package struct RunMachine: Sendable {
  private let plan: Plan
  private let run: String
  private var stages: StageWalk
  /// The steps of the stage.
  private var root: StepGroup
  private var open: [StepPath: OpenStep] = [:]
  private var agenda = Agenda<StepPath>()
  private var rollback: Rollback
  /// The modules and checks of the plan whose types no event has declared yet, by what `use` names.
  private var undeclared: [String: TypesDeclared] = [:]
  /// The steps with a try that was going on when a process died.
  private var interrupted: [StepPath] = []
  /// The channels that took the notices of a step.
  private(set) var delivered: [StepPath: Set<String>] = [:]
  /// When the run last did something.
  private var lastAt = Duration.zero
  /// Of a run that is retried: what counts of the steps whose turn has not come again, in the order in which it was recorded.
  private var kept: [StepPath: [RecordedEvent]] = [:]
  /// Of those the steps whose turn has come, and of which nothing was taken in yet.
  private var arrived: [StepPath] = []
  /// How many entries of the agenda were looked at so far: what scheduling costs.
  private(set) var visits = 0

  /// - Parameter run: the run's id, from which idempotency keys are made.
  package init(plan: Plan, run: String) {
    self.plan = plan
    self.run = run
    var scope = Scope()
    scope.params = .members(plan.params)
    scope.target = plan.target
    scope.secrets = plan.secrets
    scope.runID = run
    stages = StageWalk(plan, scope: scope)
    rollback = Rollback(plan)
    root = StepGroup(.sequence(plan.steps(of: .before)), scope: scope)
    for stage in Stage.allCases { declare(plan.steps(of: stage)) }
    beginSteps(of: nil, at: .zero)
  }

  private mutating func declare(_ steps: [PlannedStep]) {
    for step in steps where undeclared[step.use] == nil {
      undeclared[step.use] = step.types
      declare(step.body.steps)
    }
  }

  /// True if nothing more of the stage begins, and what runs is to be cancelled: a signal or a timeout cut it.
  package var isCut: Bool { stages.cut != nil }

  /// True once a second signal came: nothing is waited for.
  package var isKilled: Bool { stages.isKilled }

  /// The questions that wait for an answer, in the order of their paths.
  var waitingQuestions: [PendingQuestion] {
    open.values.compactMap(\.waitingQuestion).sorted { $0.asked.path.text < $1.asked.path.text }
  }

  // MARK: What happened

  /// Takes an event into account that the journal holds. What cannot happen now changes nothing: an event of a step whose turn
  /// has not come or that has ended, or one that was there before.
  ///
  /// - Parameters:
  ///   - wall: when the event was recorded; the run's start is taken from `run.started`.
  ///   - now: the event's time since the run's start.
  package mutating func apply(_ event: Event, wall: Timestamp?, at now: Duration) {
    take(event, wall: wall, at: now)
    takeKept(at: now)
  }

  /// Takes in what counts of a run that had ended, and some of whose steps are done anew: before them may stand steps whose ends
  /// count. Time limits begin anew.
  ///
  /// - Parameter events: without those of what is done anew.
  package mutating func keep(_ events: [RecordedEvent], at now: Duration) {
    stages.goOn(after: now)
    for recorded in events {
      // What had died meanwhile, and what became of that, is in the events behind it.
      if case .runResumed = recorded.event { continue }
      if let path = recorded.event.path.map({ $0.tried ?? $0 }), open[path] == nil {
        kept[path, default: []].append(recorded)
      } else {
        apply(recorded.event, wall: recorded.moment.wall, at: now)
      }
    }
  }

  /// Takes in what is known of the steps whose turn has come. What lies inside a step comes before the step's own end.
  private mutating func takeKept(at now: Duration) {
    guard !arrived.isEmpty else { return }
    var taken: [(path: StepPath, events: ArraySlice<RecordedEvent>)] = []
    while true {
      for path in arrived.reversed() {
        if let events = kept.removeValue(forKey: path) { taken.append((path, events[...])) }
      }
      arrived = []
      while let last = taken.last, last.events.isEmpty {
        taken.removeLast()
        // A try whose end is to be found out.
        if change(last.path, due: now, { $0.interrupt() }) { interrupted.append(last.path) }
      }
      guard let recorded = taken.last?.events.first else { return }
      taken[taken.count - 1].events.removeFirst()
      take(recorded.event, wall: recorded.moment.wall, at: now)
    }
  }

  private mutating func take(_ event: Event, wall: Timestamp?, at now: Duration) {
    switch event {
    case .runResumed: goOn(at: now)
    // Written while nobody drives the run.
    case .journalRecovered, .clockStepped, .stepResolved: break
    default: lastAt = now
    }
    switch event {
    case .runStarted:
      root.scope.runStartedAt = wall
      stages.setStart(wall)
    case .stepStarted(let event): start(event, at: now)
    case .elementsListed(let event): if open[event.path]?.list(event) == true { beginInside(event.path, at: now) }
    case .stepIntent(let event):
      guard change(event.path, due: nil, { $0.begin(event) }), rollback.isConcerned(by: event.path) else { break }
      if let attempt = open[event.path]?.goingTry(of: run) { rollback.begin(attempt) }
    case .stepResult(let event): if change(event.path, due: now, { $0.end(event) }) { rollback.end(event) }
    case .stepWaiting(let event):
      change(event.path, due: now + event.delay) { $0.wait(event) }
      if open[event.path]?.changeGroup({ $0.wait(event) }) == true { schedule(event.path, at: now + event.delay) }
    case .phaseMissed(let event):
      guard open[event.path]?.changeGroup({ $0.miss() }) == true else { return }
      schedule(event.path, at: group(event.path).hasEnded ? now : nil)
    case .stepFinished(let event) where open[event.path]?.canFinish == true:
      end(event.path, event.outcome, output: event.output, attempts: event.attempts, at: now)
    case .stepSkipped(let event) where open[event.path]?.hasBegun == false:
      end(event.path, .skipped, output: .null, attempts: 0, at: now)
    case .personAsked(let event): ask(event, at: now)
    case .personAnswered(let event):
      if open[event.path]?.changeAsk({ $0.answer(event) }) == true { schedule(event.path, at: now) }
    case .stepReconciled(let event):
      if change(event.path, due: now, { $0.reconcile(event) }) {
        if event.verdict == .notDone { rollback.takeBack(event.path, event.attempt) }
      } else if stages.isReconciling {
        rollback.take(event)
        beginUndo(at: now)
      }
    case .stepResolved(let event):
      if change(event.path, due: now, { $0.resolve(event) }), event.resolution == .notDone {
        rollback.takeBack(event.path, event.attempt)
      }
    case .runSignalled(let event):
      stages.take(event)
      beginUndo(at: now)
    case .runTimedOut(let event):
      stages.take(event)
      beginUndo(at: now)
    case .hypothesisJudged, .undoListed: if event == conclusion { endStage(at: now) }
    case .typesDeclared(let event): undeclared[event.use] = nil
    case .notifyDelivered(let event):
      if let path = event.path { delivered[path, default: []].insert(event.channel) }
    default: break
    }
  }

  /// Takes in that another process goes on with the run. Waits and the deadlines of phases have gone on meanwhile; time limits
  /// have not.
  private mutating func goOn(at now: Duration) {
    let pause = now - lastAt
    lastAt = now
    stages.goOn(after: pause)
    for path in open.keys.sorted(by: { $0.text < $1.text }) {
      open[path]?.changeGroup {
        $0.goOn(after: pause)
        return true
      }
      if change(path, due: now, { $0.interrupt() }), !interrupted.contains(path) { interrupted.append(path) }
    }
    for question in waitingQuestions { schedule(question) }
  }

  private mutating func start(_ event: StepStarted, at now: Duration) {
    guard var step = open[event.path] else { return startAgain(event.path, at: now) }
    guard !step.hasBegun else { return }
    step.start(event, in: surroundings(of: step), at: now)
    open[event.path] = step
    if step.group == nil { schedule(event.path, at: now) } else { beginInside(event.path, at: now) }
  }

  /// Takes in that a later try of a check or group begins.
  private mutating func startAgain(_ path: StepPath, at now: Duration) {
    guard let step = path.tried, open[step]?.changeGroup({ $0.beginTry(path, at: now) }) == true else { return }
    beginInside(step, at: now)
  }

  private mutating func beginInside(_ path: StepPath, at now: Duration) {
    var due: Duration?
    open[path]?.changeGroup {
      due = $0.firstDue
      return false
    }
    schedule(path, at: due)
    beginSteps(of: path, at: now)
  }

  private func surroundings(of step: OpenStep) -> OpenStep.Surroundings {
    let group = group(step.owner)
    return OpenStep.Surroundings(scope: group.scope(at: step.position), limit: group.limit)
  }

  /// Takes in that a question waits: for as long as it says, and no longer than the time limits around it.
  private mutating func ask(_ event: PersonAsked, at now: Duration) {
    guard open[event.path]?.changeAsk({ $0.ask(event, at: now) }) == true,
      let question = open[event.path]?.waitingQuestion
    else { return }
    schedule(question)
  }

  private mutating func schedule(_ question: PendingQuestion) {
    guard let step = open[question.asked.path] else { return }
    schedule(step.path, at: surroundings(of: step).limit.map { min(question.until, $0.end) } ?? question.until)
  }

  /// False if nothing changed.
  @discardableResult
  private mutating func change(_ path: StepPath, due: Duration?, _ change: (inout CallState) -> Bool) -> Bool {
    guard open[path]?.changeCall(change) == true else { return false }
    schedule(path, at: due)
    return true
  }

  private mutating func end(
    _ path: StepPath, _ outcome: Outcome, output: Value, attempts: Int, at now: Duration
  ) {
    if stages.stage == .undo, let entry = open[path], entry.owner == nil { endUndo(of: entry) }
    // It is taken out with all that it holds: a scope that somebody else holds would be copied when it changes.
    guard let open = open.removeValue(forKey: path) else { return }
    let result = Scope.EndedStep(outcome: outcome, output: open.output(recorded: output), attempts: attempts)
    let (step, position, owner, visible) = (open.step, open.position, open.owner, open.visible)
    changeGroup(owner) { $0.end(step, at: position, path, result, inside: visible, now: now) }
    beginSteps(of: owner, at: now)
  }

  /// Takes in that the undo of a step ended, or was passed over. If it failed, older steps stay as they are, unless the undo
  /// says otherwise.
  private mutating func endUndo(of entry: OpenStep) {
    if let group = entry.group?.steps, group.hasEnded {
      if !group.hasFailed, !isCut { rollback.markUndone(entry.step.id) }
      if let reason = group.stopReason { root.stop(reason) }
    } else if let obstacle = rollback.obstacle(to: entry.step.id), !rollback.mayPass(over: entry.step.id) {
      root.stop(obstacle)
    }
  }

  /// Gives their turn to the steps of a group that it now has room for; a group whose steps have ended is due itself.
  private mutating func beginSteps(of owner: StepPath?, at now: Duration) {
    var next = 0..<0
    changeGroup(owner) { next = $0.begin() }
    for position in next {
      let (step, path) = member(position, of: owner)
      open[path] = OpenStep(step, at: path, in: owner, position: position)
      schedule(path, at: now)
      if kept[path] != nil { arrived.append(path) }
    }
    guard group(owner).hasEnded else { return }
    if let owner { schedule(owner, at: now) } else if conclusion == nil { endStage(at: now) }
  }

  private func member(_ position: Int, of owner: StepPath?) -> (PlannedStep, StepPath) {
    guard let owner, let (group, attempt) = open[owner]?.group else {
      let step = root.step(at: position)
      return (step, StepPath(step.id, in: stages.stage))
    }
    let step = group.step(at: position)
    return (step, group.path(of: step, at: position, in: owner, attempt: attempt))
  }

  /// What the journal is to hold of the stage before the next begins; nil as long as steps of it go on, and if there is
  /// nothing to say.
  private var conclusion: Event? {
    guard root.hasEnded, !stages.isReconciling else { return nil }
    switch stages.stage {
    case .before, .after, .again:
      return root.outcome == .skipped
        ? nil : .hypothesisJudged(HypothesisJudged(stage: stages.stage, outcome: root.outcome))
    case .undo:
      let listed = UndoListed(remaining: rollback.remaining, withoutUndo: rollback.withoutUndo)
      return !stages.rollsBack || listed.remaining.isEmpty && listed.withoutUndo.isEmpty ? nil : .undoListed(listed)
    case .steps, .finally: return nil
    }
  }

  private mutating func endStage(at now: Duration) {
    guard let next = stages.end(root, rollback, at: now) else { return }
    root = StepGroup(.sequence([]), scope: root.scope)
    guard stages.stage == .undo else { return begin(next, at: now) }
    stages.isReconciling = true
    beginUndo(at: now)
  }

  private mutating func begin(_ group: StepGroup, at now: Duration) {
    root = group
    beginSteps(of: nil, at: now)
  }

  /// Begins to take steps back, once it is known what they did, or nobody waits any more.
  private mutating func beginUndo(at now: Duration) {
    guard stages.isReconciling, isCut || rollback.unresolved == nil else { return }
    stages.isReconciling = false
    begin(
      StepGroup(.sequence(stages.rollsBack ? rollback.steps : []), scope: stages.scope(of: .undo), at: now), at: now)
  }

  /// - Parameter time: when something of the step is due; nil if it waits for something to happen.
  private mutating func schedule(_ path: StepPath, at time: Duration?) {
    let entry = time.map { agenda.add(path, due: $0) }
    open[path]?.entry = entry
  }

  private func group(_ owner: StepPath?) -> StepGroup { owner.flatMap { open[$0]?.group?.steps } ?? root }

  private mutating func changeGroup(_ owner: StepPath?, _ change: (inout StepGroup) -> Void) {
    guard let owner else { return change(&root) }
    open[owner]?.changeGroup { group in
      group.changeSteps(change)
      return true
    }
  }

  // MARK: What is due

  /// What is due. Asking changes nothing but what is remembered, so that nothing is evaluated or looked at twice.
  package mutating func next(at now: Duration) -> RunAction {
    let limit = stages.limit
    if let limit, limit.at <= now { return .record(.runTimedOut(limit.event)) }
    if stages.isReconciling, let attempt = rollback.unresolved { return .reconcile(attempt, until: limit?.at) }
    if let action = undecided(until: limit?.at) { return action }
    while let entry = agenda.first {
      visits += 1
      guard let step = open[entry.item], step.entry == entry.number else {
        agenda.removeFirst()
        continue
      }
      guard entry.due <= now || isCut else { return .wait(until: min(entry.due, limit?.at ?? entry.due)) }
      if let action = action(of: step, at: now) { return action }
      agenda.removeFirst()
      schedule(entry.item, at: nil)
    }
    guard open.isEmpty else { return .wait(until: limit?.at) }
    if stages.hasEnded { return .finish(stages.outcome, stages.finding) }
    return conclusion.map(RunAction.record) ?? .wait(until: limit?.at)
  }

  /// What is due of the tries that were going on when a process died: how they ended is known before anything else is done.
  private func undecided(until time: Duration?) -> RunAction? {
    guard !interrupted.isEmpty else { return nil }
    if let attempt = interrupted.lazy.compactMap({ open[$0]?.unaskedTry(of: run) }).first {
      return .reconcile(attempt, until: time)
    }
    let unresolved = interrupted.compactMap { open[$0]?.unresolvedTry }
    return unresolved.isEmpty ? nil : .unresolved(unresolved)
  }

  private mutating func action(of step: OpenStep, at now: Duration) -> RunAction? {
    var step = step
    let obstacle = stages.stage == .undo && step.owner == nil ? rollback.obstacle(to: step.step.id) : nil
    let action = step.next(
      in: surroundings(of: step), stopped: group(step.owner).stopReason ?? obstacle, ending: stages.cut, of: run,
      at: now)
    open[step.path] = step
    if case .record(.stepStarted(let step)) = action, let types = undeclared[step.use] {
      return .record(.typesDeclared(types))
    }
    return action
  }
}
