import Language
import Modules
import Schema

/// What keeps runbooks from running with nobody there.
struct UnattendedRuns {
  /// The project as a scheduler sees it, whose environment has next to nothing: `.env` counts, what this shell has set does not.
  private let project: Project

  /// - Throws: `Issues` if the project cannot be read without this shell's environment.
  init(_ project: Project, _ options: ProjectOptions) throws(Issues) {
    var surroundings = options.surroundings
    surroundings.environment = [:]
    self.project = try Project.load(at: project.root, in: surroundings)
  }

  /// Why a runbook would wait or end without having done anything if the scheduler started it; nil if it would not.
  func objection(to outline: Outline, startedBy scheduler: Scheduler) -> String? {
    if outline.confirm != nil { return "it asks a person before it begins (confirm)" }
    if let step = Self.question(in: outline.steps) { return "its step \(step) asks a person" }
    let looks = project.document(outline.name, catalog: .standard).secrets
    for (secret, look) in zip(outline.secrets, looks) {
      // systemd hands those over.
      if secret.credential != nil, scheduler == .systemd { continue }
      guard let problem = look.problems.first(where: { $0.severity == .error }) else { continue }
      return "\(problem.message) where \(scheduler.rawValue) starts it"
    }
    return nil
  }

  /// The id of the first step that asks somebody.
  private static func question(in steps: [Outline.Step]) -> String? {
    for step in steps {
      if step.use.hasPrefix("manual.") { return step.id }
      if let inner = question(in: step.steps) { return inner }
    }
    return nil
  }
}
