import CAllocations
import CEL
import Foundation

// Measures the expression language: conformance, the time to parse and check, time and allocations of an evaluation, against
// cel-expr-python and cel-python in the same run.

/// The least time of some rounds of `body`, in nanoseconds for one run.
func nanoseconds(runs: Int, rounds: Int = 7, _ body: () throws -> Void) rethrows -> Double {
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

  init(_ source: String, _ environment: CELEnvironment, _ activation: SlotActivation) throws {
    let program = try environment.compile(source)
    guard try program.evaluate(activation) == .bool(true) else { throw EvaluationError(.host, "\(source) is not true") }
    self.source = source
    compile = try nanoseconds(runs: 200) { _ = try environment.compile(source) }
    evaluate = try nanoseconds(runs: 5000) { _ = try program.evaluate(activation) }
    let before = allocations_count()
    for _ in 0..<100 { _ = try program.evaluate(activation) }
    allocations = Int(allocations_count() - before) / 100
  }
}

func column(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

func microseconds(_ nanoseconds: Double?) -> String {
  nanoseconds.map { String(format: "%.2f", $0 / 1000) } ?? "-"
}

let conformance = Conformance.count()
print("conformance cases passed: \(conformance.passed) of \(conformance.all)")

let environment = Expectations.environment
let activation = try Expectations.activation()
let measurements = try Expectations.sources.map { try Measurement($0, environment, activation) }
let peers = Peers()
print("microseconds here, of cel-expr-python (Google's, in C++) and of cel-python; allocations of one evaluation here")
print("  parse and check              evaluate                    alloc")
print("     here   google   python      here   google   python")
var ratios: [(compile: Double, evaluate: Double)] = []
for (index, own) in measurements.enumerated() {
  let times = index < peers.times.count ? peers.times[index] : []
  let google = times.count > 1 ? (times[0], times[1]) : (nil, nil)
  let python = times.count > 3 ? (times[2], times[3]) : (nil, nil)
  let compile = [own.compile, google.0, python.0].map { column(microseconds($0), 9) }.joined()
  let evaluate = [own.evaluate, google.1, python.1].map { column(microseconds($0), 9) }.joined()
  print("\(compile) \(evaluate) \(column("\(own.allocations)", 5))  \(own.source)")
  if let first = google.0, let second = google.1 { ratios.append((first / own.compile, second / own.evaluate)) }
}
let total = measurements.reduce((0.0, 0.0)) { ($0.0 + $1.compile, $0.1 + $1.evaluate) }
print("all twenty: \(microseconds(total.0)) µs to compile, \(microseconds(total.1)) µs to evaluate")
if !ratios.isEmpty {
  let compile = ratios.map(\.compile).sorted()[ratios.count / 2]
  let evaluate = ratios.map(\.evaluate).sorted()[ratios.count / 2]
  print(String(format: "median against cel-expr-python: %.0fx to compile, %.0fx to evaluate", compile, evaluate))
}
let first = measurements[0]
print(
  "goals for the first: under 50 µs to compile (\(microseconds(first.compile))), under 0.5 to evaluate (\(microseconds(first.evaluate)))"
)
