package import Journal
package import Language
package import Schema
package import Steps

/// A run that is gone on with: one for one target, or one over several.
package enum Resumption: Sendable {
  case run(RunResumption)
  case fleet(FleetResumption)

  /// Makes the plans anew from what the run keeps, and holds them against its journal.
  ///
  /// - Parameters:
  ///   - run: read and verified; no child.
  ///   - name: as people call the run.
  ///   - retryingFailed: whether it is a run that ended, of which what failed is done anew; false for one that died.
  ///   - warn: is told of what does not keep the run from being gone on with.
  ///   - kept: reads the project, with the documents that a run keeps in its folder (see ``Project/load(at:asKeptIn:in:)``).
  /// - Throws: `ResumeRefusal` for what keeps the run from being gone on with, `Issues` for secrets that are missing and the like.
  package init(
    _ run: RecordedRun, called name: String, retryingFailed: Bool, catalog: Catalog, warn: (Issue) -> Void = { _ in },
    kept: (RunFolder) throws -> Project
  ) throws {
    self =
      run.isParent
      ? .fleet(
        try FleetResumption(
          run, called: name, retryingFailed: retryingFailed, catalog: catalog, warn: warn, kept: kept))
      : .run(
        try RunResumption(run, called: name, retryingFailed: retryingFailed, catalog: catalog, warn: warn) {
          try kept(run.folder)
        })
  }

  package var run: RecordedRun {
    switch self {
    case .run(let resumption): resumption.run
    case .fleet(let resumption): resumption.run
    }
  }

  var isFleet: Bool { if case .fleet = self { true } else { false } }

  /// Paths of the project's files that differ now from those that run.
  package var drift: [String] {
    switch self {
    case .run(let resumption): resumption.drift
    case .fleet(let resumption): resumption.drift
    }
  }

  /// The names of the targets of which something is left to be done; nil for a run without a target.
  package var targets: [String?] {
    switch self {
    case .run(let resumption): [resumption.plan.target?.name]
    case .fleet(let resumption): resumption.work.map(\.target)
    }
  }
}
