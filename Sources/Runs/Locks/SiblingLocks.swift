/// The locks that children of one parent want: they wait for one another, in the order in which they came, and are never skipped
/// because of one another.
actor SiblingLocks {
  private var inUse: Set<String> = []
  private var waiting: [(names: Set<String>, continuation: CheckedContinuation<Void, Never>)] = []

  /// Waits until no sibling uses any of them.
  func enter(_ names: Set<String>) async {
    // Who came before and wants one of them goes first.
    let isFree = inUse.isDisjoint(with: names) && waiting.allSatisfy { $0.names.isDisjoint(with: names) }
    guard !isFree else {
      inUse.formUnion(names)
      return
    }
    await withCheckedContinuation { waiting.append((names, $0)) }
  }

  /// Lets the next ones have them.
  func leave(_ names: Set<String>) {
    inUse.subtract(names)
    var blocked = inUse
    var rest: [(names: Set<String>, continuation: CheckedContinuation<Void, Never>)] = []
    for waiter in waiting {
      if blocked.isDisjoint(with: waiter.names) {
        inUse.formUnion(waiter.names)
        waiter.continuation.resume()
      } else {
        rest.append(waiter)
      }
      blocked.formUnion(waiter.names)
    }
    waiting = rest
  }
}
