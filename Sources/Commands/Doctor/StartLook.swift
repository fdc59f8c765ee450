import Language
import Schema

/// Looks whether a runbook can be started: what shows only once it has its params and a target.
struct StartLook {
  /// The project's targets, as far as they can be used.
  private let servers: [TURNServer]

  init(_ project: Project) {
    servers = project.targetNames.flatMap { name in
      do throws(Issues) { return try project.targets(selectedBy: name) } catch { return [] }
    }
  }

  /// What came of the look, and the params of a run without `-p`; none if that needs some.
  ///
  /// - Parameter asksForParams: whether whoever starts it gives what it needs, so that nothing is planned.
  func start(
    _ document: CheckedDocument, named name: String, asksForParams: Bool
  ) -> (items: [Diagnosis.Item], params: [Value.Member]) {
    let validates = Diagnosis.Item(.runbook, name, .ok, "it validates")
    guard !asksForParams else { return ([validates], []) }
    var params: [Value.Member] = []
    var isStartable = false
    var refusals: [(target: String?, issue: Issue)] = []
    let targets: [TURNServer?] = document.usesTarget() == true ? servers.map(Optional.some) : [nil]
    for target in targets {
      do throws(Issues) {
        params = try document.plan(target: target).params
        isStartable = true
      } catch {
        let errors = error.all.filter { $0.severity == .error }
        let missing = errors.filter { $0.code == "missing-param" }
        guard missing.isEmpty else {
          let advice = missing.compactMap(\.suggestion).joined(separator: ", ")
          return ([.init(.runbook, name, .ok, "it validates; a run needs more: \(advice)")], [])
        }
        // Secrets are looked at by themselves.
        refusals += errors.filter { $0.code != "missing-secret" }.map { (target?.name, $0) }
      }
    }
    guard let first = refusals.first else { return ([validates], params) }
    var seen: [Diagnosis.Item] = []
    for (target, issue) in refusals where !seen.contains(where: { $0.reason.hasSuffix(issue.message) }) {
      let place = targets.count > 1 ? target.map { "on \($0): " } ?? "" : ""
      seen.append(
        .init(
          .runbook, name, isStartable ? .warning : .missing,
          "a run \(isStartable ? "for some targets " : "")cannot start: \(place)\(issue.message)",
          fix: issue.suggestion,
          neededBy: [(issue.range.file.hasPrefix("-") ? first.issue : issue).range.place]))
    }
    return (seen, params)
  }
}
