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
  }

  let terminal: Terminal
  private var isShown = false
  private var isOver = false

  init(_ terminal: Terminal) { self.terminal = terminal }

  mutating func show(_ work: Work) {
    guard !isOver else { return }
    let text = "  ... \(work.text(at: .now))"
    terminal.write("\r\(shortened(text, to: max(20, terminal.width - 1)))\u{1B}[K")
    isShown = true
  }

  /// Takes the line away, so that others may be written in its place.
  mutating func clear() {
    guard isShown else { return }
    terminal.write("\r\u{1B}[K")
    isShown = false
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
