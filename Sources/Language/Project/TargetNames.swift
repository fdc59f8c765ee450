extension Project {
  /// Everything that ``targets(selectedBy:)`` would find something for: names, labels, and `all`.
  package var targetSelections: [String] {
    guard !targets.isEmpty else { return [] }
    let labels = Set(targets.flatMap { $0.labels.map { "\($0.key)=\($0.value)" } })
    return targets.map(\.name) + labels.sorted() + ["all"]
  }
}
