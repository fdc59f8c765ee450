import Engine
import Files
import Glibc
package import Journal
package import Language
package import Schema
package import Steps

/// A run that died, or that failed, and can be gone on with: its journal, and the plan that its own files give.
package struct RunResumption: Sendable {
  package let run: RecordedRun
  package let plan: Plan
  /// What is done anew; nil for a run that died.
  package let retry: RunRetry?
  /// Paths of the project's files that differ now from those that run.
  package let drift: [String]

  /// Makes the plan anew from what the run keeps, and holds it against the journal.
  ///
  /// - Parameters:
  ///   - run: read and verified.
  ///   - name: as people call the run.
  ///   - retryingFailed: whether it is a run that ended, of which what failed is done anew; false for one that died.
  ///   - isPart: whether its parent is gone on with.
  ///   - kept: reads the project, with the documents of the run (see ``Project/load(at:asKeptIn:in:)``); secrets are read from
  ///     where they are today.
  /// - Throws: `ResumeRefusal` for what keeps the run from being gone on with, `Issues` for secrets that are missing and the like.
  package init(
    _ run: RecordedRun, called name: String, retryingFailed: Bool = false, isPart: Bool = false, catalog: Catalog,
    warn: (Issue) -> Void = { _ in }, kept: () throws -> Project
  ) throws {
    self.run = run
    let started = run.started
    let look = DeadRunLook(run, called: name)
    if retryingFailed { try look.checkRetriable() } else { try look.checkDied() }
    if let parent = started.parent, !isPart {
      throw ResumeRefusal(
        "run \(name) is the run of one target among several: they are gone on with together",
        advice: "runbook resume \(parent)\(retryingFailed ? " --retry-failed" : "")")
    }
    retry = retryingFailed ? run.failedParts : nil
    try Self.checkWhole(run, called: name)
    try Self.checkHost(of: run, called: name)
    try look.checkNothingRuns(retry: retry)
    try Self.checkOwners(of: run, called: name)
    try Self.checkModules(of: run, called: name, catalog)
    let kept = try kept()
    let server = try started.target.map { recorded in
      let server = try Self.server(recorded.name, of: run, called: name, in: kept, warn)
      guard TargetFacts(server) == recorded else {
        throw ResumeRefusal(
          "the target \(recorded.name) is another one than when run \(name) began: it was \(recorded.server)",
          advice: "bring back its settings; or runbook cancel \(name)")
      }
      return server
    }
    plan = try Self.plan(run, called: name, for: server, kept, catalog, warn)
    drift = Self.drift(of: run, in: kept)
  }

  static func drift(of run: RecordedRun, in project: Project) -> [String] {
    run.started.sources.filter { sha256OfFile("\(project.root)/\($0.path)") != $0.sha256 }.map(\.path)
  }

  static func checkWhole(_ run: RecordedRun, called name: String) throws {
    guard run.doubts.isEmpty else {
      throw ResumeRefusal(
        "run \(name) is not whole: \(run.doubts.joined(separator: "; "))",
        advice: "restore what is missing from a copy; or record that the run is over: runbook cancel \(name)")
    }
  }

  static func checkHost(of run: RecordedRun, called name: String) throws {
    if run.started.machineIdHash != HostFacts.current().machineIDHash {
      throw ResumeRefusal(
        "run \(name) was started on another host, \(run.started.host)", advice: "resume it there")
    }
  }

  /// What is done again is what the run's files say: they must be of nobody but us, root and the owner of the state folder.
  static func checkOwners(of run: RecordedRun, called name: String) throws {
    let folder = run.folder
    let state = folder.path.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
    let owner = try FileMetadata.of(state, followingLinks: true)?.owner
    let trusted: Set<UInt32?> = [0, geteuid(), owner]
    var paths = [folder.path, folder.journal, folder.params, folder.sources]
    for source in run.started.sources {
      var path = ""
      for part in source.path.split(separator: "/") {
        path += "/\(part)"
        paths.append(folder.sources + path)
      }
    }
    for path in paths {
      // One that is not there is told of by what reads it.
      guard let found = try FileMetadata.of(path, followingLinks: false) else { continue }
      let isOurs = trusted.contains(found.owner) && (found.kind == .folder || found.mode & 0o022 == 0)
      guard !isOurs || found.kind == .link else { continue }
      throw ResumeRefusal(
        "\(path) may have been changed by somebody else: run \(name) is not gone on with",
        advice: "start the runbook anew; record that this run is over with: runbook cancel \(name)")
    }
  }

  /// A module's version is raised with every change after which a run of the older one could not be gone on with.
  private static func checkModules(of run: RecordedRun, called name: String, _ catalog: Catalog) throws {
    for case .typesDeclared(let types) in run.events.lazy.map(\.event) {
      guard let version = types.version else { continue }
      let known = catalog[types.use]?.version
      guard known != version else { continue }
      let now = known.map { "this runbook has version \($0) of it" } ?? "this runbook has no such module"
      throw ResumeRefusal(
        "run \(name) was begun with version \(version) of \(types.use), and \(now)",
        advice: "resume it with runbook \(run.started.tool.version), which began it; or runbook cancel \(name)")
    }
  }

  /// The server of a target, as the project declares it today.
  static func server(
    _ target: String, of run: RecordedRun, called name: String, in kept: Project, _ warn: (Issue) -> Void
  ) throws -> TURNServer {
    let found = try? kept.targets(selectedBy: target, warn: warn)
    guard let server = found?.first(where: { $0.name == target }) else {
      throw ResumeRefusal(
        "the target \(target) of run \(name) is not there any more",
        advice: run.started.target?.labels["lab"] == nil
          ? "bring back its secrets and settings; or runbook cancel \(name)"
          : "the servers of the lab ended with the run: runbook cancel \(name), then run it again")
    }
    return server
  }

  /// The plan of a run, or of a child run for one target; held against what the run planned.
  static func plan(
    _ run: RecordedRun, called name: String, for target: TURNServer?, _ kept: Project, _ catalog: Catalog,
    _ warn: (Issue) -> Void
  ) throws -> Plan {
    let started = run.started
    guard let params = try? File.read(run.folder.params, limit: 1 << 26).bytes else {
      throw ResumeRefusal("the parameters of run \(name) cannot be read: \(run.folder.params)")
    }
    let given = GivenParameters(file: ("params.json", params))
    let plan = try kept.document(started.runbook, catalog: catalog).plan(
      given: given, target: target, only: started.only.isEmpty ? nil : started.only, warn: warn)
    try hold(plan, against: run, called: name)
    return plan
  }

  /// The same files give the same plan, unless this version reads them in another way.
  private static func hold(_ plan: Plan, against run: RecordedRun, called name: String) throws {
    func refusal(_ what: String) -> ResumeRefusal {
      ResumeRefusal(
        "\(what) of run \(name) cannot be made again as they were",
        advice: "resume it with runbook \(run.started.tool.version), which began it; or runbook cancel \(name)")
    }
    guard !plan.params.contains(where: { $0.value.holdsSecret }),
      Value.members(plan.params).json == run.started.params.json
    else { throw refusal("the parameters") }
    for case .runPlanned(let planned) in run.events.lazy.map(\.event) where planned.steps != plan.facts {
      throw refusal("the steps")
    }
  }
}
