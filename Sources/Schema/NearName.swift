/// The candidate that a mistyped name most likely means: the smallest Damerau–Levenshtein distance (optimal string
/// alignment, letter case ignored), at most a third of the name's length and never more than three; nil if none is that near.
package func nearName(to name: String, among candidates: some Sequence<String>) -> String? {
  let limit = min(3, max(1, name.count / 3))
  var best: (name: String, distance: Int)?
  for candidate in candidates where candidate != name && abs(candidate.count - name.count) <= limit {
    let distance = alignmentDistance(Array(name.lowercased()), Array(candidate.lowercased()))
    guard distance <= limit else { continue }
    if let known = best, (known.distance, known.name) <= (distance, candidate) { continue }
    best = (candidate, distance)
  }
  return best?.name
}

/// The question that texts ask about a name that was most likely meant. A name that brings quotes along keeps them.
package func didYouMean(_ name: String) -> String {
  name.hasPrefix("'") ? "did you mean \(name)?" : "did you mean \"\(name)\"?"
}

private func alignmentDistance(_ a: [Character], _ b: [Character]) -> Int {
  guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
  var beforePrevious: [Int] = []
  var previous = Array(0...b.count)
  for i in 1...a.count {
    var row = [i]
    for j in 1...b.count {
      var cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, beforePrevious[j - 2] + 1) }
      row.append(cost)
    }
    beforePrevious = previous
    previous = row
  }
  return previous[b.count]
}
