package import Schema

/// Why a step did not simply pass: what was seen, what it means, and what to look at next.
package struct Finding: Hashable, Sendable {
  /// Stable, for machines: `turn.unauthorized`, `command.notStarted`.
  package var code: String
  /// What was seen, in one sentence without a full stop.
  package var message: String { sentence.text }
  /// What to look at or do next, in one sentence; nil if there is nothing to add.
  package var advice: String? { advisory?.text }

  /// ``message`` with its parts. Two findings that read alike are equal.
  package let sentence: Sentence
  /// ``advice`` with its parts.
  package let advisory: Sentence?

  /// A finding whose texts are built in place: their literal parts are the tool's own.
  package init(_ code: String, _ message: Sentence, advice: Sentence? = nil) {
    self.code = code
    sentence = message
    advisory = advice
  }

  /// A finding whose texts were built elsewhere: all of them counts as coming from outside.
  @_disfavoredOverload
  package init(_ code: String, _ message: String, advice: String? = nil) {
    self.init(code, Sentence(outside: message), advice: advice.map(Sentence.init(outside:)))
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.code == right.code && left.message == right.message && left.advice == right.advice
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(code)
    hasher.combine(message)
    hasher.combine(advice)
  }

  package static let record = Record(
    { (code: String, message: String, advice: String?) in Finding(code, message, advice: advice) },
    Field("code", \.code, .string, "Stable name of the reason."),
    Field("message", \.message, .string, "What was seen."),
    Field("advice", \.advice, .optional(.string), "What to look at next.")
  )
}
