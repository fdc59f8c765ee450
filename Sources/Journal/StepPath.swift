import Schema

/// The part of a run that a step belongs to.
package enum Stage: String, Hashable, Sendable, CaseIterable {
  /// The hypothesis, before anything is done.
  case before
  case steps
  /// The hypothesis, after the steps.
  case after
  /// What takes the steps back.
  case undo
  /// The hypothesis once more, after undo.
  case again
  /// What is done however the run ends.
  case finally

  /// Whether what its steps come to counts in the run's outcome. The hypothesis is looked at before for the record, and
  /// again to tell whether a rollback restored it.
  package var counts: Bool { self != .before && self != .again }

  /// Whether the hypothesis is looked at in it.
  package var isGate: Bool { self == .before || self == .after || self == .again }
}

/// The place of a step in a run: `relays/allocate`, `sweep[2]/probe`, `turn#2/relay`.
///
/// The text is its one form, so that paths are cheap to write and to compare; ``parts`` reads it.
package struct StepPath: Hashable, Sendable {
  package var stage: Stage
  /// Parts joined by slashes, as the journal holds it.
  package let text: String

  /// One step on the way down.
  package struct Part: Hashable, Sendable {
    package var id: String
    /// Which element of a loop, from 0; nil outside of loops.
    package var element: Int?
    /// Which try of a check or a group, from 2; nil in the first.
    package var attempt: Int?

    package init(_ id: String, element: Int? = nil, attempt: Int? = nil) {
      self.id = id
      self.element = element
      self.attempt = attempt
    }

    var text: String { id + (element.map { "[\($0)]" } ?? "") + (attempt.map { "#\($0)" } ?? "") }
  }

  package init(_ text: String, in stage: Stage = .steps) {
    self.stage = stage
    self.text = text
  }

  package init(_ parts: [Part], in stage: Stage = .steps) {
    self.init(parts.map(\.text).joined(separator: "/"), in: stage)
  }

  /// The path of a step inside this one.
  package func appending(_ part: Part) -> StepPath { StepPath("\(text)/\(part.text)", in: stage) }

  package var parts: [Part] { text.split(separator: "/", omittingEmptySubsequences: false).map(Part.init(reading:)) }

  /// The id of the step itself.
  package var id: String { parts.last?.id ?? text }

  /// The step that this one lies in; nil for a step of the runbook itself. An element lies in its loop, and a step of a later
  /// try of a check or group in that check or group.
  package var owner: StepPath? {
    let slash = text.lastIndex(of: "/")
    let last = text[(slash.map { text.index(after: $0) } ?? text.startIndex)...]
    if Part(reading: last).element != nil, let mark = last.lastIndex(of: "[") {
      return StepPath(String(text[..<mark]), in: stage)
    }
    guard let slash else { return nil }
    let owner = StepPath(String(text[..<slash]), in: stage)
    return owner.tried ?? owner
  }

  /// The path of an element of this loop, in one of its tries (from 1).
  package func element(_ index: Int, attempt: Int = 1) -> StepPath {
    StepPath("\(text)[\(index)]", in: stage).attempt(attempt)
  }

  /// What the paths inside begin with, in one of the tries (from 1) of this check or group.
  package func attempt(_ attempt: Int) -> StepPath {
    attempt > 1 ? StepPath("\(text)#\(attempt)", in: stage) : self
  }

  /// The check or group of which this names a later try; nil for every other path, also for that of an element.
  package var tried: StepPath? {
    guard let mark = text.lastIndex(of: "#"), text[mark...].lastIndex(of: "/") == nil else { return nil }
    let last = Part(reading: text[(text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex)...])
    return last.attempt != nil && last.element == nil ? StepPath(String(text[..<mark]), in: stage) : nil
  }

  /// True if this lies inside the other, at any depth and in any of its tries.
  package func isInside(_ other: StepPath) -> Bool {
    guard stage == other.stage, text.hasPrefix(other.text), let next = text.dropFirst(other.text.count).first else {
      return false
    }
    return next == "/" || next == "[" || next == "#"
  }

  /// The same place in whichever try of the checks and groups around it.
  package var withoutTries: StepPath {
    guard text.contains("#") else { return self }
    return StepPath(parts.map { Part($0.id, element: $0.element) }, in: stage)
  }
}

extension StepPath: CustomStringConvertible, ExpressibleByStringLiteral {
  /// For people: `relays/allocate`, `undo:restart/stop`.
  package var description: String { stage == .steps ? text : "\(stage.rawValue):\(text)" }

  package init(stringLiteral text: String) { self.init(text) }
}

extension StepPath.Part {
  /// Every text is a part: what is no number of an element or a try belongs to the id.
  fileprivate init(reading text: Substring) {
    var rest = text
    attempt = nil
    element = nil
    if let mark = rest.lastIndex(of: "#"), let number = Self.number(rest[rest.index(after: mark)...]), number > 1 {
      attempt = number
      rest = rest[..<mark]
    }
    if rest.last == "]", let mark = rest.lastIndex(of: "["),
      let number = Self.number(rest[rest.index(after: mark)...].dropLast())
    {
      element = number
      rest = rest[..<mark]
    }
    id = String(rest)
  }

  /// A number in the one form in which it is written.
  private static func number(_ text: Substring) -> Int? {
    Int(text).flatMap { $0 >= 0 && String($0) == text ? $0 : nil }
  }
}

extension StepPath {
  /// Both members of a line that hold a path, put together.
  init(stage: Stage, text: String) { self.init(text, in: stage) }
}

extension StepPath? {
  /// The same where there may be none.
  init(optional stage: Stage?, text: String?) {
    if let stage, let text { self = StepPath(stage: stage, text: text) } else { self = nil }
  }
}

extension Field where Root: StepEvent {
  /// The member `stage` of every event of a step.
  static func stage() -> Field<Root, Stage> where Wrapped == Stage {
    Field("stage", \.path.stage, .enumeration(Stage.self), "The part of the run that the step belongs to.")
  }

  /// The member `path` of every event of a step.
  static func path(_ summary: String = "Path of the step.") -> Field<Root, String> where Wrapped == String {
    Field("path", \.path.text, .string, summary)
  }
}
