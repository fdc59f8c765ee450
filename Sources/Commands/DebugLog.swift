import Engine
import Journal
import Logging
import Processes
import Runs

/// What `runbook` does, for those who look for a fault in it: names, places and outcomes on standard error, never values. Off unless
/// `--debug` or `RUNBOOK_DEBUG=1` asks for it.
struct DebugLog: Sendable {
  static let option = "--debug"

  private let logger: Logger
  /// Lines of a log and a display that is drawn over and over do not go together.
  let isOn: Bool

  /// The process's.
  static let shared = DebugLog(
    isOn: environmentVariable("RUNBOOK_DEBUG") == "1" || CommandWords.isDebug(OwnProcess.arguments))

  private init(isOn: Bool) {
    self.isOn = isOn
    logger = Logger(label: "runbook") { label in
      guard isOn else { return SwiftLogNoOpLogHandler() }
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = .debug
      return handler
    }
  }

  /// - Parameter facts: named; nothing that a user gave as a value.
  func tell(_ what: @autoclosure () -> String, _ facts: @autoclosure () -> [String: String] = [:]) {
    guard isOn else { return }
    logger.debug("\(what())", metadata: facts().mapValues { .string($0) })
  }

  /// Tells what came into a journal, and which try begins.
  func tell(_ notice: RunNotice) {
    guard isOn else { return }
    var facts = ["run": notice.run]
    facts["target"] = notice.target
    switch notice.notice {
    case .recorded(let event):
      facts["step"] = event.path?.description
      if case .stepFinished(let event) = event { facts["outcome"] = event.outcome.rawValue }
      tell(event.type, facts)
    case .trying(let path, _): tell("step.trying", facts.merging(["step": path.description]) { _, new in new })
    default: break
    }
  }
}
