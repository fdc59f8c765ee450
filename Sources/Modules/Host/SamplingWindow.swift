import Journal
import Schema
import Steps

/// The time between two samples of counters.
enum SamplingWindow {
  /// Waits for it. Throws `interrupted` if the step is to end before.
  static func wait(_ window: Duration) async throws(StepError) {
    do { try await Task.sleep(for: window, tolerance: .zero) } catch {
      throw StepError(
        .interrupted,
        Finding(
          "host.windowCut", "the step was to end before its window of \(durationLiteral(window)) had passed",
          advice: "Give the step more time, or a shorter `window`."))
    }
  }

  /// Why a window does not fit into a step's timeout; nil if it does.
  static func objection(_ window: Duration, within timeout: Duration) -> Finding? {
    guard window >= timeout else { return nil }
    return Finding(
      "host.windowTooLong",
      "the window (\(durationLiteral(window))) must be shorter than the step's timeout (\(durationLiteral(timeout)))",
      advice: "Give the step more time, or a shorter `window`.")
  }
}
