import Engine
import Journal
import Reports
import Schema
import Synchronization

/// Tells on standard error what a run does while it runs: on a terminal one line for the running step, with the time it
/// takes and its deadline, and a line for each step that ended; elsewhere only the latter.
final class LiveDisplay: Sendable {
  enum Verbosity: Sendable {
    case quiet
    case normal
    /// What modules tell of their work, too.
    case verbose
  }

  private struct State {
    var running: [String: (title: String, since: ContinuousClock.Instant, note: String)] = [:]
    var titles: [String: String] = [:]
    var hasLine = false
  }

  private let terminal: Terminal
  private let verbosity: Verbosity
  /// Names the target before each line where several run at once.
  private let label: String
  private let isRedrawn: Bool
  private let state = Mutex(State())

  /// - Parameter isAlone: false where several runs share the terminal; no line is redrawn then.
  init(_ terminal: Terminal, _ verbosity: Verbosity, label: String = "", isAlone: Bool = true) {
    self.terminal = terminal
    self.verbosity = verbosity
    self.label = label.isEmpty ? "" : "\(label)  "
    isRedrawn = isAlone && terminal.isInteractive
  }

  func show(_ notice: RunDriver.Notice) {
    guard verbosity != .quiet else { return }
    state.withLock { state in
      switch notice {
      case .recorded(let event): take(event, &state)
      case .progress(let path, let text):
        state.running[path]?.note = terminalSafe(text)
        if verbosity == .verbose { line("  \(path): \(terminalSafe(text))", &state) }
        redraw(&state)
      }
    }
  }

  /// Draws the running step again; called as time passes.
  func tick() {
    guard verbosity != .quiet else { return }
    state.withLock { redraw(&$0) }
  }

  /// Takes the running line off the terminal.
  func end() {
    state.withLock { clear(&$0) }
  }

  private func take(_ event: Event, _ state: inout State) {
    switch event {
    case .stepStarted(let started):
      state.titles[started.path] = started.title
      state.running[started.path] = (started.title, .now, "")
    case .stepWaiting(let waiting):
      state.running[waiting.path]?.note =
        "again in \(shortDuration(waiting.delay)): \(terminalSafe(waiting.reason))"
    case .stepFinished(let finished):
      state.running[finished.path] = nil
      // The steps of a check that passed are told of by the check.
      let isInside = finished.path.contains("/")
      guard !isInside || !finished.outcome.isGood || verbosity == .verbose else { break }
      let title = state.titles[finished.path] ?? finished.path
      line(
        "\(mark(finished.outcome))  \(isInside ? "  " : "")\(terminalSafe(title))  \(shortDuration(finished.duration))",
        &state
      )
    case .runSignalled: line("ending: running steps clean up; again to stop waiting for them", &state)
    default: break
    }
    redraw(&state)
  }

  private func mark(_ outcome: Outcome) -> String {
    let (word, color) =
      switch outcome {
      case .pass: ("pass ", "32")
      case .warn: ("warn ", "33")
      case .fail: ("FAIL ", "31;1")
      case .error: ("ERROR", "31;1")
      case .indeterminate: ("?????", "35;1")
      case .skipped: ("skip ", "2")
      }
    return terminal.hasColor ? "\u{1B}[\(color)m\(word)\u{1B}[0m" : word
  }

  private func line(_ text: String, _ state: inout State) {
    clear(&state)
    terminal.write("\(label)\(text)\n")
  }

  private func clear(_ state: inout State) {
    guard state.hasLine else { return }
    terminal.write("\r\u{1B}[K")
    state.hasLine = false
  }

  private func redraw(_ state: inout State) {
    guard isRedrawn else { return }
    clear(&state)
    // The innermost step is the one at work.
    guard let (_, step) = state.running.max(by: { ($0.key.count { $0 == "/" }) < ($1.key.count { $0 == "/" }) })
    else { return }
    let elapsed = step.since.duration(to: .now).components.seconds
    let text = "  ... \(terminalSafe(step.title))  \(elapsed)s" + (step.note.isEmpty ? "" : "  \(step.note)")
    terminal.write(String(text.prefix(max(20, terminal.width - 1))))
    state.hasLine = true
  }
}
