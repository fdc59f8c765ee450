import Engine
import Journal
import Language
import Reports
import Runs
import Schema
import Synchronization
import TerminalText

/// Asks the questions of a run at its terminal, one after the other.
final class TerminalPrompt: Prompter {
  private let display: LiveDisplay
  private let isAsking = Mutex(false)

  /// Nil if nobody can be asked.
  ///
  /// - Parameter display: has the terminal; it shows the question before it is asked.
  init?(_ display: LiveDisplay) {
    guard TypedLines.isPossible else { return nil }
    self.display = display
  }

  func answer(to question: OpenQuestion) async -> TypedAnswer? {
    guard await takeTurn() else { return nil }
    defer { isAsking.withLock { $0 = false } }
    guard await display.waitUntilShown(question.asked.path) else { return nil }
    TypedLines.forgetTyped()
    var texts: [String: String] = [:]
    for field in question.question.fields {
      guard let text = await fill(field, question) else { return nil }
      texts[field.name] = text
    }
    guard let accepted = await yesOrNo(question) else { return nil }
    guard accepted else { return TypedAnswer(accepted: false) }
    guard let values = try? question.question.filled(texts) else { return nil }
    return TypedAnswer(accepted: true, values: values)
  }

  /// One question at a time has the terminal. False when it is no longer wanted.
  private func takeTurn() async -> Bool {
    while !isAsking.withLock({ isAsking in
      defer { isAsking = true }
      return !isAsking
    }) {
      do { try await Task.sleep(for: .milliseconds(100)) } catch { return false }
    }
    return true
  }

  /// The text of one field, which its type admits.
  private func fill(_ field: FieldDeclaration, _ question: OpenQuestion) async -> String? {
    var hints = [field.type.description]
    switch field.fallback {
    case nil: break
    case .null?: hints.append("may be left out")
    case let value?: hints.append("else \(field.type.shown(value))")
    }
    let doc = field.summary.isEmpty ? "" : "  \(field.summary)"
    while true {
      guard let text = await line("  \(field.name) (\(hints.joined(separator: ", ")))\(doc): ", question) else {
        return nil
      }
      do {
        _ = try field.filled(text)
        return text
      } catch { display.say(["  \(error.path): \(terminalSafe(error.message))"]) }
    }
  }

  private func yesOrNo(_ question: OpenQuestion) async -> Bool? {
    let wish =
      switch question.question.kind {
      case .confirm: "Go on?"
      case .approve: "Approve?"
      case .form: "Send this?"
      }
    while true {
      guard let text = await line("  \(wish) yes or no: ", question) else { return nil }
      switch text.lowercased() {
      case "yes", "y": return true
      case "no", "n": return false
      default: display.say(["  please type yes or no; \(timeLeft(question))"])
      }
    }
  }

  private func timeLeft(_ question: OpenQuestion) -> String {
    let left = max(.zero, ContinuousClock.now.duration(to: question.deadline))
    return "\(shortDuration(.seconds(left.components.seconds))) left"
  }

  /// Nil if there is no answer from here.
  private func line(_ prompt: String, _ question: OpenQuestion) async -> String? {
    display.prompt(terminalSafe(prompt))
    let line = await TypedLines.next()
    display.endPrompt(isTyped: line != .cancelled && line != .ended)
    switch line {
    case .typed(let text): return text.trimmingBlanks
    case .cancelled: return nil
    case .ended:
      display.say(["  no answer from here: the run waits for `runbook approve`"])
      return nil
    }
  }
}

extension String {
  /// Without the blanks around it.
  fileprivate var trimmingBlanks: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
