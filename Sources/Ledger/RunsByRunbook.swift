package import Journal
package import Schema

/// What a look for the times at which a runbook ran needs to know of a run.
package struct RunOfRunbook: Hashable, Sendable {
  package let id: String
  package let runbook: String
  package let startedAt: Timestamp
  /// Nil while the run goes on, and where it died.
  package let outcome: Outcome?
  /// Whether it is still being written to, without an end.
  package let goesOn: Bool
  /// The code of the finding with which it ended; nil if it has none.
  package let finding: String?
  /// The names of the targets that it ran for; of its children, if it has some. Empty if it has no target.
  package var targets: Set<String>
  /// Whether it goes on and has no target of its own: children for other targets may follow.
  package let mayComeToMore: Bool
}

extension Ledger {
  /// The runs of a runbook that began at a moment or later, the newest first. It looks no further back than to the last one before it,
  /// so that a run does not begin late because many came before it.
  ///
  /// Children, runs of some steps only, and runs against the lab are left out.
  ///
  /// - Throws: `JournalError` too if a journal that may be one of them cannot be read.
  package func runs(of runbook: String, downTo moment: Timestamp) throws(JournalError) -> [RunOfRunbook] {
    var read = ReadRuns()
    for folder in try newestFolders(.max) where folder.mayBeRun(of: runbook) || folder.recordedNumber == nil {
      let ends: JournalEnds
      do throws(JournalError) { ends = try JournalEnds.read(folder) } catch {
        // Ids begin with the time at which they were made.
        guard let end = moment.beginningOfIDs, folder.id < end else { throw error }
        continue
      }
      guard ends.started.runbook == runbook else { continue }
      let isWhole = ends.started.parent == nil && ends.started.only.isEmpty
      if isWhole, ends.first.moment.wall < moment { break }
      read.add(ends)
    }
    return read.runs
  }

  /// The runs of every runbook, the newest first, and how many journals cannot be read: which runbook they belong to is not known.
  ///
  /// Children, runs of some steps only, and runs against the lab are left out: they do not stand for the runbook.
  package func runsByRunbook() throws(JournalError) -> (runs: [String: [RunOfRunbook]], unreadable: Int) {
    var read = ReadRuns()
    var unreadable = 0
    for folder in try newestFolders(.max) {
      do throws(JournalError) { read.add(try JournalEnds.read(folder)) } catch { unreadable += 1 }
    }
    return (Dictionary(grouping: read.runs, by: \.runbook), unreadable)
  }
}

/// Runs that were read, and what their children tell of them.
private struct ReadRuns {
  private var whole: [RunOfRunbook] = []
  /// By the id of the parent.
  private var targets: [String: Set<String>] = [:]
  /// Runs against the lab, and parents of such.
  private var inLab: Set<String> = []

  mutating func add(_ ends: JournalEnds) {
    let target = ends.started.target
    if let target {
      let run = ends.started.parent ?? ends.id
      targets[run, default: []].insert(target.name)
      if target.isOfLab { inLab.insert(run) }
    }
    guard ends.started.parent == nil, ends.started.only.isEmpty else { return }
    let finished = ends.finished
    let goesOn = finished == nil && ends.isBeingWritten
    whole.append(
      RunOfRunbook(
        id: ends.id, runbook: ends.started.runbook, startedAt: ends.first.moment.wall, outcome: finished?.verdict,
        goesOn: goesOn, finding: finished?.finding?.code, targets: [], mayComeToMore: goesOn && target == nil))
  }

  var runs: [RunOfRunbook] {
    whole.filter { !inLab.contains($0.id) }.map { run in
      var run = run
      run.targets = targets[run.id] ?? []
      return run
    }
  }
}

extension TargetFacts {
  /// Whether it is a server of `runbook lab`, which gives its servers these names and this label.
  fileprivate var isOfLab: Bool { (name == "lab" || name == "lab-rest") && labels == ["lab": "true"] }
}

extension Timestamp {
  /// What ids of runs that were made at this moment or later are not less than; nil before 1970.
  fileprivate var beginningOfIDs: String? {
    guard seconds >= 0 else { return nil }
    let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    var left = Int(seconds) * 1000 + Int(nanoseconds) / 1_000_000
    var digits: [Character] = []
    for _ in 0..<10 {
      digits.append(alphabet[left % 32])
      left /= 32
    }
    return String(digits.reversed())
  }
}
