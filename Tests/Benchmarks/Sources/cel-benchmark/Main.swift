import CAllocations
import CEL

/// Measures the expression language: time to parse and check, time and allocations of an evaluation.
@main enum Benchmark {
  /// The least time of some rounds of `body`, in nanoseconds for one run.
  static func nanoseconds(runs: Int, rounds: Int = 7, _ body: () throws -> Void) rethrows -> Double {
    var best = Double.infinity
    let clock = ContinuousClock()
    for _ in 0..<rounds {
      let start = clock.now
      for _ in 0..<runs { try body() }
      let elapsed = (clock.now - start).components
      let nanoseconds = Double(elapsed.seconds) * 1e9 + Double(elapsed.attoseconds) / 1e9
      best = min(best, nanoseconds / Double(runs))
    }
    return best
  }

  static func main() throws {
    let environment = Expectations.environment
    // One line for each expectation: nanoseconds to compile and to evaluate, allocations, value, source.
    for expectation in Expectations.all {
      let program = try environment.compile(expectation.source)
      let activation = Expectations.activation
      let value = try program.evaluate(activation)
      let compile = try nanoseconds(runs: 200) { _ = try environment.compile(expectation.source) }
      let evaluate = try nanoseconds(runs: 5000) { _ = try program.evaluate(activation) }
      let before = allocations_count()
      for _ in 0..<100 { _ = try program.evaluate(activation) }
      let allocations = (allocations_count() - before) / 100
      print(
        "\(Int(compile))\t\(Int(evaluate))\t\(allocations)\t\(value == .bool(expectation.isTrue))\t\(expectation.source)"
      )
    }
  }
}
