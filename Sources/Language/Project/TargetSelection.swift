package import Schema

extension Project {
  /// The servers that a selection names, with their secrets: `NAME`, `LABEL=VALUE` or `all`; without one the only target,
  /// or none where there is none.
  ///
  /// Throws where nothing is selected, where several are and none was named, and for every secret that is missing.
  package func targets(selectedBy selection: String?) throws(Issues) -> [TURNServer] {
    let log = IssueLog()
    let servers = try selected(selection).map { $0.server(environment, root: root, log: log) }
    if log.hasErrors { throw Issues(log.sorted) }
    return servers.compactMap(\.self)
  }

  private func selected(_ selection: String?) throws(Issues) -> [TargetDeclaration] {
    guard let selection else {
      if targets.count <= 1 { return targets }
      throw refusal("target-not-named", "the project has \(targets.count) targets; say which with --target", list)
    }
    if selection == "all" {
      guard !targets.isEmpty else { throw noTarget }
      return targets
    }
    if let equals = selection.firstIndex(of: "=") {
      let label = String(selection[..<equals])
      let value = String(selection[selection.index(after: equals)...])
      let found = targets.filter { $0.labels[label] == value }
      guard found.isEmpty else { return found }
      let near = nearName(to: selection, among: targets.flatMap { $0.labels.map { "\($0.key)=\($0.value)" } })
      throw refusal(
        "unknown-target", "no target has the label \(selection)", near.map { "did you mean \"\($0)\"?" } ?? list)
    }
    if let found = targets.first(where: { $0.name == selection }) { return [found] }
    guard !targets.isEmpty else { throw noTarget }
    let near = nearName(to: selection, among: targets.map(\.name)).map { "did you mean \"\($0)\"?" }
    throw refusal("unknown-target", "there is no target \"\(selection)\"", near ?? list)
  }

  /// What to say where a target is needed and the project has none.
  var noTarget: Issues {
    refusal(
      "missing-target", "the project has no target",
      "declare targets in runbook.yaml, or set TURN_SERVER, TURN_USERNAME and TURN_CREDENTIAL in .env")
  }

  private var list: String { "there are \(targets.map(\.name).joined(separator: ", ")), and all" }

  private func refusal(_ code: String, _ message: String, _ suggestion: String) -> Issues {
    let place = SourceRange(file: "runbook.yaml", line: 1, column: 1)
    return Issues([Issue(.error, code, message, at: place, suggestion: suggestion)])
  }
}
