/// Why a run is not gone on with, or not taken for ended. Nothing was recorded.
package struct ResumeRefusal: Error, Hashable, Sendable {
  /// What keeps it, in one sentence without a full stop.
  package let message: String
  /// What to do, in lines of their own; nil if nothing can be said.
  package let advice: String?

  package init(_ message: String, advice: String? = nil) {
    self.message = message
    self.advice = advice
  }
}
