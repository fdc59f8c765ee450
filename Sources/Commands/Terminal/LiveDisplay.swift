import Engine
import Journal
import Reports
import Schema
import Synchronization
import TerminalText

/// Tells on standard error what a run does while it runs: on a terminal one line for the running step, with the time it
/// takes, its deadline and what it tells of its work, and a line for each step that ended; elsewhere only the latter.
final class LiveDisplay: Sendable {
  enum Verbosity: Sendable {
    case quiet
    /// The running line, and no line for what ended: somebody else tells of that.
    case lineOnly
    case normal
    /// What modules tell of their work, too.
    case verbose
  }

  private struct State {
    var running: [StepPath: LiveLine.Work] = [:]
    var titles: [StepPath: String] = [:]
    /// Whether the plan has stages that follow a signal.
    var hasLastStages = false
    /// What was told last of each step, and when.
    var told: [StepPath: (note: String, at: ContinuousClock.Instant)] = [:]
    /// Of each loop that goes on, how many elements it has and how many have ended.
    var loops: [StepPath: (ended: Int, all: Int)] = [:]
    /// When the run began.
    var start = ContinuousClock.now
    /// The run as a person names it: its number, or its id.
    var run = ""
    /// The questions that were shown.
    var asked: Set<StepPath> = []

    /// The line that tells what goes on: phases with the time that is left, loops with their elements, and the innermost steps,
    /// which are those at work.
    func text(at now: ContinuousClock.Instant) -> String? {
      var around: Set<StepPath> = []
      for path in running.keys {
        var owner = path.owner
        while let found = owner, around.insert(found).inserted { owner = found.owner }
      }
      let paths = running.keys.sorted { $0.text < $1.text }
      let outer = paths.filter(around.contains).compactMap { path -> String? in
        if let loop = loops[path] { return "\(loop.ended) of \(loop.all)" }
        return running[path]?.deadlineText(at: now)
      }
      let inner = paths.filter { !around.contains($0) }
      let shown = inner.prefix(Self.mostShown).compactMap { running[$0]?.text(at: now) }
      let more = inner.count > shown.count ? ["and \(inner.count - shown.count) more"] : []
      let parts = outer + shown + more
      return parts.isEmpty ? nil : parts.joined(separator: "  |  ")
    }

    private static let mostShown = 3
  }

  private let terminal: Terminal
  private let verbosity: Verbosity
  /// Names the target before each line where several run at once.
  private let label: String
  private let isRedrawn: Bool
  /// Asked of the terminal once, not for every line.
  private let hasColor: Bool
  private let state = Mutex(State())
  /// Held while something is written, which may take as long as somebody holds the terminal up; ``state`` never is, since
  /// modules must not wait for it.
  private let line: Mutex<LiveLine>

  /// - Parameter isAlone: false if several runs share the terminal; no line is redrawn then.
  init(_ terminal: Terminal, _ verbosity: Verbosity, label: String = "", isAlone: Bool = true) {
    self.terminal = terminal
    self.verbosity = verbosity
    self.label = label.isEmpty ? "" : "\(label)  "
    let look = terminal.look
    isRedrawn = isAlone && look.isRedrawable
    hasColor = look.hasColor
    line = Mutex(LiveLine(terminal))
  }

  /// - Parameter run: the id of the run.
  func show(_ notice: RunDriver.Notice, of run: String) {
    if case .recorded(.runStarted(let started)) = notice {
      state.withLock { $0.run = started.number > 0 ? "\(started.number)" : run }
    }
    show(notice)
  }

  func show(_ notice: RunDriver.Notice) {
    switch notice {
    case .recorded(let event):
      let lines = state.withLock { take(event, &$0) }
      if [.normal, .verbose].contains(verbosity) { write(lines) }
      showQuestion(event)
    case .trying(let path, let deadline):
      state.withLock { state in
        guard let title = state.running[path]?.title else { return }
        state.running[path] = LiveLine.Work(title: title, since: .now, deadline: deadline)
      }
    case .progress(let path, let text): state.withLock { $0.running[path]?.note = text }
    }
  }

  /// Has the running line on the terminal while `body` works, and never again.
  func whileShown<Value>(_ body: () async throws -> Value) async rethrows -> Value {
    try await Self.whileShown([self], body)
  }

  /// The same of several.
  static func whileShown<Value>(_ displays: [LiveDisplay], _ body: () async throws -> Value) async rethrows -> Value {
    let ticks = Task {
      while !Task.isCancelled {
        for display in displays { display.draw() }
        try await Task.sleep(for: .milliseconds(200))
      }
    }
    defer {
      ticks.cancel()
      for display in displays { display.line.withLock { $0.end() } }
    }
    return try await body()
  }

  // MARK: Questions

  /// Tells of what waits for a person, and of what came in reply: also if nothing else is shown, since the run stands still.
  private func showQuestion(_ event: Event) {
    switch event {
    case .personAsked(let asked):
      let (run, title) = state.withLock { ($0.run, $0.titles[asked.path] ?? "") }
      let text = QuestionText(run: run, title: title, asked: asked, now: Moment.now().wall, offset: localOffset(at:))
      write(text.lines(width: terminal.isInteractive ? terminal.width : 100))
      state.withLock { _ = $0.asked.insert(asked.path) }
    case .personAnswered(let answer):
      write([
        "\(terminalSafe(answer.path.description)): \(terminalSafe(answer.user)) \(answer.accepted ? "agreed" : "declined")"
      ])
    case .answerRefused(let refused):
      write(["\(terminalSafe(refused.path.description)): an answer does not count: \(terminalSafe(refused.reason))"])
    default: break
    }
  }

  /// Waits until the question of a step was shown; false when the task is cancelled.
  func waitUntilShown(_ path: StepPath) async -> Bool {
    while !state.withLock({ $0.asked.contains(path) }) {
      do { try await Task.sleep(for: .milliseconds(20)) } catch { return false }
    }
    return true
  }

  func say(_ lines: [String]) { write(lines) }

  /// Asks for something that is typed behind it.
  func prompt(_ text: String) { line.withLock { $0.ask(text) } }

  func endPrompt(isTyped: Bool) { line.withLock { $0.endAsking(isTyped: isTyped) } }

  private func draw() {
    guard verbosity != .quiet else { return }
    let (text, notes) = state.withLock { ($0.text(at: .now), verbosity == .verbose ? takeNotes(&$0) : []) }
    write(notes)
    guard isRedrawn, let text else { return }
    line.withLock { $0.show(text) }
  }

  /// The notes that are new, of each step at most one a second.
  private func takeNotes(_ state: inout State) -> [String] {
    let now = ContinuousClock.now
    var lines: [String] = []
    for (path, work) in state.running.sorted(by: { $0.key.text < $1.key.text }) where !work.note.isEmpty {
      if let told = state.told[path], told.note == work.note || told.at.duration(to: now) < .seconds(1) { continue }
      state.told[path] = (work.note, now)
      lines.append("  \(path): \(terminalSafe(work.note))")
    }
    return lines
  }

  private func write(_ lines: [String]) {
    guard !lines.isEmpty else { return }
    line.withLock { $0.write(lines.map { "\(label)\($0)" }) }
  }

  /// - Returns: what to say of it.
  private func take(_ event: Event, _ state: inout State) -> [String] {
    switch event {
    case .runStarted: state.start = .now
    case .stepStarted(let started) where started.path.tried != nil:
      if let step = started.path.tried { state.running[step]?.note = "" }
    case .stepStarted(let started):
      state.titles[started.path] = started.title
      var work = LiveLine.Work(title: started.title, since: .now)
      if case .duration(let deadline)? = started.input["deadline"], started.use == "phase" {
        work.deadline = state.start + deadline
      }
      state.running[started.path] = work
    case .elementsListed(let listed): state.loops[listed.path] = (0, listed.items.count)
    case .phaseMissed(let missed):
      let title = terminalSafe(state.titles[missed.path] ?? missed.path.description)
      return ["\(mark(.warn))  \(title)  not ended within \(shortDuration(missed.deadline)) of the run's start"]
    case .stepWaiting(let waiting):
      state.running[waiting.path]?.note = "again in \(shortDuration(waiting.delay)): \(waiting.reason)"
    case .stepFinished(let finished):
      state.running[finished.path] = nil
      state.loops[finished.path] = nil
      if let owner = finished.path.owner { state.loops[owner]?.ended += 1 }
      // The steps of a check that passed are told of by the check.
      let isInside = finished.path.owner != nil
      guard !isInside || !finished.outcome.isGood || verbosity == .verbose else { break }
      let stage = finished.path.stage
      // An undo names itself.
      let isNamed = isInside || stage == .steps || stage == .undo
      let title =
        (isNamed ? "" : "\(stage.rawValue): ")
        + terminalSafe(state.titles[finished.path] ?? finished.path.description)
      return [
        "\(mark(finished.outcome))  \(isInside ? "  " : "")\(title)  \(shortDuration(finished.duration))"
      ]
    case .runPlanned(let plan):
      state.hasLastStages = plan.steps.contains { $0.path.stage == .undo || $0.path.stage == .finally }
    case .undoListed(let listed):
      return listed.remaining.isEmpty
        ? [] : ["still in place: \(terminalSafe(listed.remaining.joined(separator: ", ")))"]
    case .runSignalled:
      return [
        state.hasLastStages
          ? "ending: what runs is cancelled, then undo and finally follow; again to end at once"
          : "ending: running steps clean up; again to stop waiting for them"
      ]
    default: break
    }
    return []
  }

  private func mark(_ outcome: Outcome) -> String {
    let word =
      switch outcome {
      case .pass: "pass "
      case .warn: "warn "
      case .fail: "FAIL "
      case .error: "ERROR"
      case .indeterminate: "?????"
      case .skipped: "skip "
      }
    return hasColor ? Ink.outcome(outcome).paint(word) : word
  }
}
