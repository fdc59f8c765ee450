/// How much an expression may ask for.
public struct Limits: Hashable, Sendable {
  /// The longest source, in octets.
  public var sourceLength: Int
  /// The greatest height of the tree, where each operator, call, literal list or macro is one level. Chosen so that
  /// parsing, checking and evaluation fit a thread with a stack of 512 KiB.
  public var depth: Int {
    didSet { depth = Swift.min(depth, Self.greatestDepth) }
  }
  /// The most an evaluation may cost: one unit for each call, operator, literal list or map and step of a macro, one for
  /// ten octets of text or for an element of a list that is looked at or made.
  public var cost: Int

  /// Limits that ordinary expressions never reach.
  public init(sourceLength: Int = 100_000, depth: Int = 100, cost: Int = 1_000_000) {
    self.sourceLength = sourceLength
    self.depth = Swift.min(depth, Self.greatestDepth)
    self.cost = cost
  }

  /// The depth that no setting exceeds, because the stack would not hold it.
  static let greatestDepth = 100
}
