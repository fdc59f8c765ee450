/// Finds the known name that an unknown one was likely meant to be.
enum Suggestion {
  /// The name that differs by the fewest insertions, deletions, replacements and swaps; `nil` when all differ by more than
  /// a third of the name's length, or two. Letters that differ in case only are one.
  static func nearest(to name: String, among known: [String]) -> String? {
    let wanted = Array(name.utf8)
    guard wanted.count <= 64 else { return nil }
    let limit = Swift.max(1, Swift.min(2, wanted.count / 3))
    var best: (distance: Int, exactDistance: Int, name: String)?
    for candidate in known where candidate.utf8.count <= 64 {
      let bytes = Array(candidate.utf8)
      guard abs(bytes.count - wanted.count) <= limit else { continue }
      let distance = Self.distance(wanted.map(\.lowercased), bytes.map(\.lowercased))
      guard distance <= limit else { continue }
      let found = (distance, Self.distance(wanted, bytes), candidate)
      if let best, best <= found { continue }
      best = found
    }
    return best?.name
  }

  /// The optimal string alignment distance.
  private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...second.count)
    for row in 0..<first.count {
      var current = [row + 1]
      for column in 0..<second.count {
        let substitution = previous[column] + (first[row] == second[column] ? 0 : 1)
        var cost = Swift.min(substitution, previous[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
          cost = Swift.min(cost, beforePrevious[column - 1] + 1)
        }
        current.append(cost)
      }
      beforePrevious = previous
      previous = current
    }
    return previous[second.count]
  }
}

extension UInt8 {
  fileprivate var lowercased: UInt8 { isLetter ? self | 0x20 : self }
}
