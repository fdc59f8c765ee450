import Files

/// The runs of a parent run whose journals are at hand.
package struct ChildRuns: Sendable {
  /// In the order in which they were begun.
  package var runs: [RecordedRun]
  /// Why others could not be read, each as a sentence without a full stop.
  package var doubts: [String]

  package init(runs: [RecordedRun] = [], doubts: [String] = []) {
    self.runs = runs
    self.doubts = doubts
  }
}

extension RecordedRun {
  /// Whether it has a run of its own for each of several targets.
  package var isParent: Bool {
    events.contains { recorded in
      if case .runPlanned(let planned) = recorded.event { !planned.targets.isEmpty } else { false }
    }
  }

  /// The child runs whose journals lie beside this one; those that are not there are left out.
  package func childRuns() -> ChildRuns {
    var children = ChildRuns()
    for recorded in events {
      guard case .childStarted(let child) = recorded.event, ULID.isValid(child.run) else { continue }
      let folder = RunFolder("\(parentFolder(of: self.folder.path))/\(child.run)")
      guard Folder.exists(folder.path) else { continue }
      do throws(JournalError) { children.runs.append(try RecordedRun.read(folder)) } catch {
        // What is refused or missing is among the doubts of this run.
        guard error.code != .refused, error.code != .missing else { continue }
        children.doubts.append("the steps of the child run \(child.run) are not shown: \(error.message)")
      }
    }
    return children
  }
}
