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

  /// The last child run that was begun for each target, in the order in which the targets were begun.
  private var begunChildren: [ChildStarted] {
    var children: [ChildStarted] = []
    for case .childStarted(let child) in events.lazy.map(\.event) {
      if let index = children.firstIndex(where: { $0.target == child.target }) {
        children[index] = child
      } else {
        children.append(child)
      }
    }
    return children
  }

  /// The child runs whose journals lie beside this one; those that are not there are left out.
  package func childRuns() -> ChildRuns {
    var children = ChildRuns()
    for child in begunChildren where ULID.isValid(child.run) {
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
