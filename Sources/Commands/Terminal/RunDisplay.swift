import Runs

/// Tells what goes on in a run, or in the runs for several targets at once: see ``LiveDisplay``.
struct RunDisplay: Sendable {
  /// By the names of targets; the one of a run without a target has none.
  private let displays: [String?: LiveDisplay]

  /// - Parameter targets: of each run, its target's name; nil for one without a target.
  init(_ terminal: Terminal, _ verbosity: LiveDisplay.Verbosity, targets: [String?]) {
    let isAlone = targets.count == 1
    displays = Dictionary(
      targets.map { target in
        (target, LiveDisplay(terminal, verbosity, label: isAlone ? "" : target ?? "", isAlone: isAlone))
      }, uniquingKeysWith: { first, _ in first })
  }

  /// What a parent tells is told by its children, too.
  func show(_ notice: RunNotice) { displays[notice.target]?.show(notice.notice, of: notice.run) }

  /// Asks the questions of a run at the terminal; nil if nobody can be asked, or several runs share it.
  var prompter: TerminalPrompt? { displays.count == 1 ? displays.values.first.flatMap(TerminalPrompt.init) : nil }

  /// Has it on the terminal while `body` works.
  func whileShown<Value>(_ body: () async throws -> Value) async rethrows -> Value {
    try await LiveDisplay.whileShown(Array(displays.values), body)
  }
}
