import Reports
import TerminalText

/// The last line of a terminal, written anew as work goes on.
struct LiveLine {
  /// What is at work.
  struct Work: Hashable, Sendable {
    var title: String
    var since: ContinuousClock.Instant
    /// When it is stopped; nil as long as nobody knows.
    var deadline: ContinuousClock.Instant?
    /// What it tells of itself.
    var note = ""

    /// `Relays media  3s of 30s  150 of 500 packets sent`.
    func text(at now: ContinuousClock.Instant) -> String {
      var text = "\(terminalSafe(title))  \(now.wholeSeconds(since: since))"
      if let deadline { text += " of \(deadline.wholeSeconds(since: since))" }
      return note.isEmpty ? text : "\(text)  \(terminalSafe(note))"
    }

    /// The title, and how long there is until the deadline: `Contain  12m left`.
    func deadlineText(at now: ContinuousClock.Instant) -> String? {
      guard let deadline else { return nil }
      return now < deadline
        ? "\(terminalSafe(title))  \(deadline.wholeSeconds(since: now)) left" : "\(terminalSafe(title))  over time"
    }
  }

  let terminal: Terminal
  private var isShown = false
  private var isOver = false
  /// What somebody is asked now, whose answer is typed behind it; nothing is redrawn meanwhile.
  private var prompt: String?

  init(_ terminal: Terminal) { self.terminal = terminal }

  /// - Parameter text: safe for a terminal.
  mutating func show(_ text: String) {
    guard !isOver, prompt == nil else { return }
    terminal.write("\r\(shortened("  ... \(text)", to: max(20, terminal.width - 1)))\u{1B}[K")
    isShown = true
  }

  /// Takes the line away, so that others may be written in its place.
  mutating func clear() {
    guard isShown else { return }
    terminal.write("\r\u{1B}[K")
    isShown = false
  }

  /// Asks for something that is typed behind it.
  mutating func ask(_ text: String) {
    clear()
    terminal.write(text)
    prompt = text
  }

  /// - Parameter isTyped: whether a line break was typed.
  mutating func endAsking(isTyped: Bool) {
    guard prompt != nil else { return }
    prompt = nil
    if !isTyped { terminal.write("\n") }
  }

  /// Writes whole lines; what is being asked stands below them again.
  mutating func write(_ lines: [String]) {
    clear()
    if prompt != nil { terminal.write(terminal.look.isRedrawable ? "\r\u{1B}[K" : "\n") }
    for line in lines { terminal.write("\(line)\n") }
    if let prompt { terminal.write(prompt) }
  }

  /// Takes the line away for good.
  mutating func end() {
    clear()
    isOver = true
  }
}

extension ContinuousClock.Instant {
  fileprivate func wholeSeconds(since start: Self) -> String {
    let time = start.duration(to: self) + .milliseconds(1)
    return shortDuration(.seconds(max(0, time.components.seconds)))
  }
}
