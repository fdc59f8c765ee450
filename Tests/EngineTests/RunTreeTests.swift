import Journal
import Language
import Schema
import Steps
import TestSupport
import Testing

@testable import Engine

/// What holds of every plan, whatever its shape, and in whichever order results come in.
@Suite struct RunTreeTests {
  @Test(
    "Every order in which results come in leads to an end, in which each step ended once, and to the same outcomes",
    arguments: 0..<150)
  func orders(seed: UInt64) {
    var maker = TreeMaker(seed: seed)
    let plan = maker.tree()
    let stories = (0..<3).map { Story(plan, seed: seed * 3 + $0) }
    for story in stories {
      #expect(story.hasEnded)
      checkStages(plan, story)
      checkTries(story)
      checkLimits(plan, story)
    }
    let outcomes = stories.map { $0.events.map(\.event).outcomes }
    for other in outcomes.dropFirst() {
      let differing = other.filter { outcomes[0][$0.key] != $0.value }
      #expect(differing == [:], "\(differing), not \(differing.map { outcomes[0][$0.key] })")
      #expect(other.count == outcomes[0].count)
    }
    #expect(Set(stories.map { $0.events.map(\.event).runOutcome }).count == 1)
  }

  @Test("A run that a signal or its timeout ends leads to an end in which each step ended once", arguments: 0..<150)
  func interruptions(seed: UInt64) {
    var maker = TreeMaker(seed: seed)
    let plan = maker.tree()
    let story = Story(plan, seed: seed, isInterrupted: true)
    #expect(story.hasEnded)
    checkStages(plan, story)
    checkTries(story)
  }

  @Test(
    "A run whose deadlines and time limits pass leads to an end, and tells of each phase that missed its own",
    arguments: 0..<150)
  func times(seed: UInt64) {
    var maker = TreeMaker(seed: seed, isTimed: true)
    let plan = maker.tree()
    let story = Story(plan, seed: seed)
    #expect(story.hasEnded)
    checkStages(plan, story)
    checkTries(story)
    checkLimits(plan, story)
    checkDeadlines(story)
  }

  @Test("Replaying any prefix of a journal, read back from JSON, gives the same next action", arguments: 0..<150)
  func replay(seed: UInt64) throws {
    var maker = TreeMaker(seed: seed, isTimed: seed % 2 == 0)
    let plan = maker.tree()
    let story = Story(plan, seed: seed &+ 1000, isInterrupted: seed % 3 == 0)
    var replayed = RunMachine(plan: plan, run: "RUN")
    var count = 0
    for asked in story.asked {
      while count < asked.eventsBefore {
        let (event, time) = story.events[count]
        replayed.apply(try throughJSON(event), wall: epoch, at: time)
        count += 1
      }
      // A copy: the machine that takes in the rest of the journal was never asked.
      var machine = replayed
      #expect(Story.text(machine.next(at: asked.at)) == asked.action)
    }
  }

  @Test("An event that is there twice, or of a step that nobody knows, changes nothing", arguments: 0..<100)
  func strayEvents(seed: UInt64) {
    var maker = TreeMaker(seed: seed, isTimed: seed % 2 == 0)
    let plan = maker.tree()
    let story = Story(plan, seed: seed &+ 2000, isInterrupted: seed % 3 == 0)
    var numbers = SplitMix(state: seed)
    var machine = RunMachine(plan: plan, run: "RUN")
    var count = 0
    for asked in story.asked {
      while count < asked.eventsBefore {
        let (event, time) = story.events[count]
        machine.apply(event, wall: epoch, at: time)
        count += 1
        for _ in 0..<3 {
          let stray = story.events[Int.random(in: 0..<count, using: &numbers)].event
          // A second signal says something of its own.
          if case .runSignalled = stray { continue }
          machine.apply(stray, wall: epoch, at: time)
        }
        machine.apply(.stepIntent(StepIntent(path: "nobody/knows", attempt: 1, key: "")), wall: epoch, at: time)
      }
      #expect(Story.text(machine.next(at: asked.at)) == asked.action)
    }
  }

  // MARK: What must hold

  /// How often each step began and ended.
  private struct Ends {
    var started: [StepPath: Int] = [:]
    var finished: [StepPath: Int] = [:]
    var skipped: [StepPath: Int] = [:]
    /// Those that began and did nothing: their condition or their list had no value.
    var broken: Set<StepPath> = []
    /// The number of elements of loops.
    var elements: [StepPath: Int] = [:]
    /// The number of later tries of checks and groups.
    var laterTries: [StepPath: Int] = [:]

    init(_ story: Story) {
      for (event, _) in story.events {
        switch event {
        case .stepStarted(let event):
          started[event.path, default: 0] += 1
          if let step = event.path.tried { laterTries[step, default: 0] += 1 }
        case .stepFinished(let event):
          finished[event.path, default: 0] += 1
          if event.finding?.code == "expression.noValue" { broken.insert(event.path) }
        case .stepSkipped(let event): skipped[event.path, default: 0] += 1
        case .elementsListed(let event): elements[event.path] = event.items.count
        default: break
        }
      }
    }
  }

  /// Each step began and ended once in each try of what is around it, or was skipped once; nothing happened inside one that was
  /// skipped, or whose condition had no value.
  private func checkSteps(
    _ steps: [PlannedStep], of stage: Stage, in ends: Ends, owner: StepPath? = nil, isSkipped: Bool = false
  ) {
    for step in steps {
      let path = owner?.appending(StepPath.Part(step.id)) ?? StepPath(step.id, in: stage)
      let hasBegun = checkEnd(of: path, in: ends, isSkipped: isSkipped)
      for attempt in 1...(1 + (ends.laterTries[path] ?? 0)) {
        guard case .forEach(let loop) = step.body else {
          checkSteps(step.body.steps, of: stage, in: ends, owner: path.attempt(attempt), isSkipped: !hasBegun)
          continue
        }
        for index in 0..<(ends.elements[path] ?? 0) {
          let element = path.element(index, attempt: attempt)
          checkSteps(
            loop.steps, of: stage, in: ends, owner: element,
            isSkipped: !checkEnd(of: element, in: ends, isSkipped: false))
        }
      }
    }
  }

  /// True if something may have happened inside the step.
  private func checkEnd(of path: StepPath, in ends: Ends, isSkipped: Bool) -> Bool {
    let counts = [ends.started[path] ?? 0, ends.finished[path] ?? 0, ends.skipped[path] ?? 0]
    #expect(isSkipped ? counts == [0, 0, 0] : counts == [1, 1, 0] || counts == [0, 0, 1], "\(path)")
    return counts[0] == 1 && !ends.broken.contains(path)
  }

  /// Every stage came to its end, in order, and the rollback took back what it had to and nothing else.
  private func checkStages(_ plan: Plan, _ story: Story) {
    let ends = Ends(story)
    let reference = RollbackReference(plan, story.events.map(\.event))
    for stage in Stage.allCases {
      let steps: [PlannedStep] =
        switch stage {
        case .undo: reference.isDue ? plan.steps.filter { reference.acted.contains($0.id) }.compactMap(\.takenBack) : []
        case .again: reference.isDue && !reference.acted.isEmpty ? plan.hypothesis : []
        default: plan.steps(of: stage)
        }
      checkSteps(steps, of: stage, in: ends)
      let known = Set(steps.map(\.id))
      #expect(
        story.events.allSatisfy { event, _ in
          guard let path = event.path, path.stage == stage, let first = path.parts.first else { return true }
          return known.contains(first.id)
        })
    }
    let stages = story.events.compactMap { $0.event.path?.stage }.compactMap(Stage.allCases.firstIndex)
    // What modules are asked before an undo belongs to the steps.
    let ordered = zip(story.events.compactMap { $0.event.path == nil ? nil : $0.event }, stages).filter {
      if case .stepReconciled = $0.0 { false } else { true }
    }.map(\.1)
    #expect(ordered == ordered.sorted())
    #expect(reference.undone == (reference.isDue ? reference.acted : []))
    #expect(reference.listed == UndoListed(remaining: reference.left, withoutUndo: reference.withoutUndo))
    if !reference.left.isEmpty {
      #expect([.error, .indeterminate].contains(story.events.map(\.event).runOutcome))
    }
  }

  /// A phase that ended after its deadline is told of once, and no other is.
  private func checkDeadlines(_ story: Story) {
    var missed: [StepPath: Duration] = [:]
    for (event, time) in story.events {
      switch event {
      case .phaseMissed(let event):
        #expect(missed.updateValue(event.deadline, forKey: event.path) == nil)
        #expect(time >= event.deadline)
      case .stepFinished(let event):
        guard let deadline = missed[event.path] else { continue }
        #expect(event.finding?.code == "phase.missed" || !event.outcome.isGood)
        #expect(event.outcome != .pass && time >= deadline)
      default: break
      }
    }
  }

  /// No try begins before the last one ended, and a step that runs at most once is tried again only if nothing was begun.
  private func checkTries(_ story: Story) {
    var last: [StepPath: StepResultRecorded] = [:]
    var running: Set<StepPath> = []
    var acting: Set<StepPath> = []
    for (event, _) in story.events {
      switch event {
      case .stepStarted(let event) where event.use == "test.act": acting.insert(event.path)
      case .stepIntent(let intent):
        #expect(running.insert(intent.path).inserted)
        #expect(intent.attempt == (last[intent.path]?.attempt ?? 0) + 1)
        if let last = last[intent.path], acting.contains(intent.path) { #expect(last.notStarted) }
      case .stepResult(let result):
        running.remove(result.path)
        last[result.path] = result
      case .stepFinished(let event): #expect(!running.contains(event.path))
      default: break
      }
    }
  }

  /// No more branches of a group go on at a time than its limit.
  private func checkLimits(_ plan: Plan, _ story: Story) {
    var limits: [StepPath: Int] = [:]
    func collect(_ steps: [PlannedStep], _ owner: StepPath?) {
      for step in steps {
        let path = owner?.appending(StepPath.Part(step.id)) ?? StepPath(step.id)
        switch step.body {
        case .parallel(let group): limits[path] = group.limit
        case .forEach(let loop): limits[path] = loop.limit
        default: break
        }
        collect(step.body.steps, path)
      }
    }
    // The other stages are sequences of the same kinds of steps.
    collect(plan.steps, nil)
    var going: [StepPath: Int] = [:]
    for (event, _) in story.events {
      guard let path = event.path, path.tried == nil, let owner = path.owner, let limit = limits[owner] else {
        continue
      }
      switch event {
      case .stepStarted: going[owner, default: 0] += 1
      case .stepFinished: going[owner, default: 0] -= 1
      default: break
      }
      #expect(going[owner, default: 0] <= limit)
    }
  }
}
