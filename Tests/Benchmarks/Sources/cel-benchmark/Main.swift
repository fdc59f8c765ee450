import CAllocations
import CEL
import Foundation

/// Measures the expression language: time to parse and check, time and allocations of an evaluation; with
/// `--peers INTERPRETER SCRIPT` against cel-expr-python and cel-python in the same run.
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

  struct Measurement {
    let source: String
    let compile: Double
    let evaluate: Double
    let allocations: Int
  }

  static func measure(_ source: String, _ environment: Environment, _ activation: SlotActivation) throws
    -> Measurement
  {
    let program = try environment.compile(source)
    guard try program.evaluate(activation) == .bool(true) else { throw EvaluationError(.host, "\(source) is not true") }
    let compile = try nanoseconds(runs: 200) { _ = try environment.compile(source) }
    let evaluate = try nanoseconds(runs: 5000) { _ = try program.evaluate(activation) }
    let before = allocations_count()
    for _ in 0..<100 { _ = try program.evaluate(activation) }
    let allocations = Int(allocations_count() - before) / 100
    return Measurement(source: source, compile: compile, evaluate: evaluate, allocations: allocations)
  }

  static func column(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  static func microseconds(_ nanoseconds: Double?) -> String {
    nanoseconds.map { String(format: "%.2f", $0 / 1000) } ?? "-"
  }

  static func ratio(_ peer: Double?, _ own: Double) -> String {
    peer.map { String(format: "%.0fx", $0 / own) } ?? "-"
  }

  static func main() throws {
    let environment = Expectations.environment
    let activation = try Expectations.activation()
    let measurements = try Expectations.sources.map { try measure($0, environment, activation) }
    let arguments = CommandLine.arguments
    let peers =
      arguments.count == 4 && arguments[1] == "--peers"
      ? try Peers(interpreter: arguments[2], script: arguments[3]).times : []
    print("CEL: microseconds of this library, cel-expr-python (Google's, in C++) and cel-python;")
    print("allocations of one evaluation here")
    print("  parse and check              evaluate                    alloc")
    print("  own   google   python        own   google   python")
    var ratios: [(compile: Double, evaluate: Double)] = []
    for (index, own) in measurements.enumerated() {
      let times = index < peers.count ? peers[index] : []
      let google = times.count > 1 ? (times[0], times[1]) : (nil, nil)
      let python = times.count > 3 ? (times[2], times[3]) : (nil, nil)
      let compile = [own.compile, google.0, python.0].map { column(microseconds($0), 9) }.joined()
      let evaluate = [own.evaluate, google.1, python.1].map { column(microseconds($0), 9) }.joined()
      print("\(compile)  \(evaluate) \(column("\(own.allocations)", 5))  \(own.source)")
      if let first = google.0, let second = google.1 { ratios.append((first / own.compile, second / own.evaluate)) }
    }
    let own = measurements.reduce((0.0, 0.0)) { ($0.0 + $1.compile, $0.1 + $1.evaluate) }
    print("all twenty: \(microseconds(own.0)) µs to compile, \(microseconds(own.1)) µs to evaluate")
    if !ratios.isEmpty {
      let compile = ratios.map(\.compile).sorted()[ratios.count / 2]
      let evaluate = ratios.map(\.evaluate).sorted()[ratios.count / 2]
      print("median against cel-expr-python: \(ratio(compile, 1)) to compile, \(ratio(evaluate, 1)) to evaluate")
    }
  }
}
