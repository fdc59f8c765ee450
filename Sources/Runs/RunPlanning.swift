package import Language
package import Schema

/// Plans runs of documents of one project.
package struct RunPlanning: Sendable {
  /// The servers that a selection names: a target's name, `LABEL=VALUE` or `all`; without one the only target, or none if
  /// there is none. The closure is told of what does not keep them from being used.
  package typealias Targets = @Sendable (String?, (Issue) -> Void) throws(Issues) -> [TURNServer]

  private let project: Project
  private let targets: Targets?

  /// - Parameter targets: nil for the project's own.
  package init(_ project: Project, targets: Targets?) {
    self.project = project
    self.targets = targets
  }

  /// One plan for each selected target; one without a target where the document has no use for any.
  ///
  /// - Parameter warn: is told of what does not keep the plans from being made, each problem once.
  /// - Throws: every problem of the document, of the values given, of the targets, and of secrets that are missing.
  package func plans(
    _ request: RunRequest, of document: CheckedDocument, warn: (Issue) -> Void = { _ in }
  ) throws(Issues) -> [Plan] {
    var warnings: [Issue] = []
    let servers = try servers(request, of: document) { warnings.append($0) }
    let selected: [TURNServer?] = servers.isEmpty ? [nil] : servers
    var plans: [Plan] = []
    for target in selected {
      plans.append(
        try document.plan(
          given: request.given, target: target, only: request.only.isEmpty ? nil : request.only
        ) { issue in
          if !warnings.contains(issue) { warnings.append(issue) }
        })
    }
    warnings.forEach(warn)
    return plans
  }

  /// The servers of every selection, each once; none if the document has no use for one, or cannot be read.
  private func servers(
    _ request: RunRequest, of document: CheckedDocument, warn: (Issue) -> Void
  ) throws(Issues) -> [TURNServer] {
    guard let usesTarget = document.usesTarget(given: request.given) else { return [] }
    guard usesTarget else {
      guard request.targets.isEmpty else { throw unusedTarget(request) }
      return []
    }
    var servers: [TURNServer] = []
    for selection in request.targets.isEmpty ? [nil] : request.targets.map(Optional.some) {
      let selected =
        if let targets { try targets(selection, warn) } else {
          try project.targets(selectedBy: selection, warn: warn)
        }
      for server in selected where !servers.contains(where: { $0.name == server.name }) {
        servers.append(server)
      }
    }
    return servers
  }

  private func unusedTarget(_ request: RunRequest) -> Issues {
    Issues([
      Issue(
        .error, "target-not-used",
        "\(request.runbook) uses no target: it would do the same whichever is named",
        at: SourceRange(file: "--target", line: 1, column: 1), suggestion: "leave --target out")
    ])
  }
}
