/// What an evaluation may cost, in the units of ``CELLimits/cost``.
public struct CostEstimate: Hashable, Sendable {
  /// What an evaluation costs that has a value, at least.
  public let least: Int
  /// What it costs at most; `nil` when that depends on sizes nothing is known of.
  public let most: Int?
}

extension CheckedExpression {
  /// What evaluations cost.
  ///
  /// - Parameter sizes: how large the values are that a path stands for: octets of a text, elements of a list, entries of a
  ///   map; `nil` when that is not known.
  public func estimatedCost(sizes: (AccessPath) -> ClosedRange<Int>? = { _ in nil }) -> CostEstimate {
    let pathSizes = Dictionary(
      paths.compactMap { path in sizes(path).map { (path.range, $0) } }, uniquingKeysWith: { first, _ in first })
    var estimator = CostEstimator(checked: self, pathSizes: pathSizes)
    let cost = estimator.estimateAll()
    return CostEstimate(least: cost.least, most: cost.most == .max ? nil : cost.most)
  }
}

/// A range of costs or sizes; `Int.max` at the end is unlimited.
struct Extent {
  var least: Int
  var most: Int

  static let unknown = Extent(least: 0, most: .max)

  init(least: Int, most: Int) {
    self.least = least
    self.most = most
  }

  init(_ exact: Int) {
    self.init(least: exact, most: exact)
  }

  /// At most as much as this one, or nothing.
  var optional: Extent { Extent(least: 0, most: most) }

  static func + (left: Extent, right: Extent) -> Extent {
    Extent(least: sum(left.least, right.least), most: sum(left.most, right.most))
  }

  static func * (left: Extent, right: Extent) -> Extent {
    Extent(least: product(left.least, right.least), most: product(left.most, right.most))
  }

  /// A tenth, as texts are charged.
  var tenth: Extent { Extent(least: least / 10, most: most == .max ? .max : most / 10) }

  func union(_ other: Extent) -> Extent {
    Extent(least: Swift.min(least, other.least), most: Swift.max(most, other.most))
  }

  private static func sum(_ left: Int, _ right: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }

  private static func product(_ left: Int, _ right: Int) -> Int {
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    return overflow ? .max : product
  }
}
