import Language
import Modules
import Runs
import Schema
import TerminalText

/// A runbook that is left out of a schedule.
struct LeftOutRunbook: Hashable, Sendable {
  let name: String
  let reason: String
  /// What to do, in lines.
  let advice: [String]

  /// For people.
  var text: String {
    (["left out \(name): \(reason)"] + advice.map { "  \($0)" }).map { terminalSafe($0) + "\n" }.joined()
  }
}

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

  /// Why a runbook would wait or end without having done anything if the scheduler started it, for targets if it uses any, and what to
  /// do; nil if it would not.
  func objection(to outline: Outline, startedBy scheduler: Scheduler, for targets: [String]) -> LeftOutRunbook? {
    let obstacle = self.obstacle(to: outline, startedBy: scheduler)
    let errors = planningErrors(of: outline, startedBy: scheduler, for: targets)
    guard let reason = obstacle ?? errors.first?.message else { return nil }
    let needed = outline.params.filter { param in
      errors.contains { $0.code == "missing-param" && $0.suggestion?.contains(" -p \(param.name)=") == true }
    }
    let install =
      "runbook schedule install \(outline.name) --as \(scheduler.rawValue)" + needed.map { " -p \($0.name)=…" }.joined()
      + (errors.first?.code == "target-not-named" ? " --target …" : "")
    let advice =
      if obstacle != nil { ["all the same:  \(install)"] } else if !needed.isEmpty {
        ["install it with:  \(install)"]
      } else { [errors.first?.suggestion].compactMap(\.self) + ["then:  \(install)"] }
    return LeftOutRunbook(name: outline.name, reason: reason, advice: advice)
  }

  /// What `run` would say, where it knows no more than the scheduler does.
  private func planningErrors(of outline: Outline, startedBy scheduler: Scheduler, for targets: [String]) -> [Issue] {
    let request = RunRequest(
      outline.name, given: GivenParameters(), targets: outline.usesTarget ? targets : [], asker: .command)
    let document = project.document(outline.name, catalog: .standard)
    do throws(Issues) {
      _ = try RunPlanning(project, targets: nil).plans(request, of: document)
      return []
    } catch {
      // systemd hands some secrets over.
      return error.all.filter { $0.severity == .error && ($0.code != "missing-secret" || scheduler == .cron) }
    }
  }

  private func obstacle(to outline: Outline, startedBy scheduler: Scheduler) -> String? {
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
