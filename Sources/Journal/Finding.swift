package import Schema

/// Why a step did not simply pass: what was seen, what it means, and what to look at next.
package struct Finding: Hashable, Sendable {
  /// Stable, for machines: `turn.unauthorized`, `command.notStarted`.
  package var code: String
  /// What was seen, in one sentence without a full stop.
  package var message: String
  /// What to look at or do next, in one sentence; nil where there is nothing to add.
  package var advice: String?

  package init(_ code: String, _ message: String, advice: String? = nil) {
    self.code = code
    self.message = message
    self.advice = advice
  }

  package static let record = Record(
    { Finding($0, $1, advice: $2) },
    Field("code", \.code, .string, "Stable name of the reason."),
    Field("message", \.message, .string, "What was seen."),
    Field("advice", \.advice, .optional(.string), "What to look at next.")
  )
}
