import Foundation

/// How many of so many tries succeed where each does with the same probability.
struct Binomial {
  let tries: Int
  let probability: Double

  /// The counts that remain when each tail of at most this probability is cut off.
  func range(cuttingTails tail: Double) -> ClosedRange<Int> {
    var (below, above) = (0.0, 0.0)
    var (first, last) = (0, tries)
    while below + mass(first) <= tail {
      below += mass(first)
      first += 1
    }
    while above + mass(last) <= tail {
      above += mass(last)
      last -= 1
    }
    return first...last
  }

  private func mass(_ count: Int) -> Double {
    func logFactorial(_ number: Int) -> Double { lgamma(Double(number) + 1) }
    return exp(
      logFactorial(tries) - logFactorial(count) - logFactorial(tries - count)
        + Double(count) * log(probability) + Double(tries - count) * log(1 - probability))
  }
}
