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
    var running: [String: LiveLine.Work] = [:]
    var titles: [String: String] = [:]
    /// Whether the plan has stages that follow a signal.
    var hasLastStages = false
    /// What was told last of each step, and when.
    var told: [String: (note: String, at: ContinuousClock.Instant)] = [:]

    /// The innermost step, which is the one at work.
    var work: LiveLine.Work? {
      running.max { ($0.key.count { $0 == "/" }) < ($1.key.count { $0 == "/" }) }?.value
    }
  }

  private let terminal: Terminal
  private let verbosity: Verbosity
  /// Names the target before each line where several run at once.
  private let label: String
  private let isRedrawn: Bool
  private let state = Mutex(State())
  /// Held while something is written, which may take as long as somebody holds the terminal up; ``state`` never is, since
  /// modules must not wait for it.
  private let line: Mutex<LiveLine>

  /// - Parameter isAlone: false where several runs share the terminal; no line is redrawn then.
  init(_ terminal: Terminal, _ verbosity: Verbosity, label: String = "", isAlone: Bool = true) {
    self.terminal = terminal
    self.verbosity = verbosity
    self.label = label.isEmpty ? "" : "\(label)  "
    isRedrawn = isAlone && terminal.look.isRedrawable
    line = Mutex(LiveLine(terminal))
  }

  func show(_ notice: RunDriver.Notice) {
    switch notice {
    case .recorded(let event):
      let lines = state.withLock { take(event, &$0) }
      if [.normal, .verbose].contains(verbosity) { write(lines) }
    case .trying(let path, let deadline):
      state.withLock { state in
        guard let title = state.running[path.description]?.title else { return }
        state.running[path.description] = LiveLine.Work(title: title, since: .now, deadline: deadline)
      }
    case .progress(let path, let text): state.withLock { $0.running[path.description]?.note = text }
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

  private func draw() {
    guard verbosity != .quiet else { return }
    let (work, notes) = state.withLock { ($0.work, verbosity == .verbose ? takeNotes(&$0) : []) }
    write(notes)
    guard isRedrawn, let work else { return }
    line.withLock { $0.show(work) }
  }

  /// The notes that are new, of each step at most one a second.
  private func takeNotes(_ state: inout State) -> [String] {
    let now = ContinuousClock.now
    var lines: [String] = []
    for (path, work) in state.running.sorted(by: { $0.key < $1.key }) where !work.note.isEmpty {
      if let told = state.told[path], told.note == work.note || told.at.duration(to: now) < .seconds(1) { continue }
      state.told[path] = (work.note, now)
      lines.append("  \(path): \(terminalSafe(work.note))")
    }
    return lines
  }

  private func write(_ lines: [String]) {
    guard !lines.isEmpty else { return }
    line.withLock { line in
      line.clear()
      for text in lines { terminal.write("\(label)\(text)\n") }
    }
  }

  /// - Returns: what to say of it.
  private func take(_ event: Event, _ state: inout State) -> [String] {
    switch event {
    case .stepStarted(let started):
      state.titles[started.path.description] = started.title
      state.running[started.path.description] = LiveLine.Work(title: started.title, since: .now)
    case .stepWaiting(let waiting):
      state.running[waiting.path.description]?.note = "again in \(shortDuration(waiting.delay)): \(waiting.reason)"
    case .stepFinished(let finished):
      state.running[finished.path.description] = nil
      // The steps of a check that passed are told of by the check.
      let isInside = finished.path.owner != nil
      guard !isInside || !finished.outcome.isGood || verbosity == .verbose else { break }
      let stage = finished.path.stage
      // An undo names itself.
      let isNamed = isInside || stage == .steps || stage == .undo
      let title =
        (isNamed ? "" : "\(stage.rawValue): ")
        + terminalSafe(state.titles[finished.path.description] ?? finished.path.description)
      return [
        "\(mark(finished.outcome))  \(isInside ? "  " : "")\(title)  \(shortDuration(finished.duration))"
      ]
    case .runPlanned(let plan):
      state.hasLastStages = plan.steps.contains { $0.path.stage == .undo || $0.path.stage == .finally }
    case .undoListed(let listed):
      return ["still in place: \(terminalSafe(listed.remaining.joined(separator: ", ")))"]
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
    return terminal.hasColor ? Ink.outcome(outcome).paint(word) : word
  }
}
