import Journal
import Reports
import Runs

extension Report {
  /// The report of a run, with those of its child runs that are at hand, and with what has become of the processes that it
  /// had at work if it died.
  init(looking run: RecordedRun) {
    let look = ProcessLook(run.started)
    self.init(run, details: run.childRuns(), state: look.state)
  }
}

extension RunFolder {
  /// What the run had at work if it died; none of one that cannot be read: its report says why.
  var leftProcesses: [Report.Process] { (try? RecordedRun.read(self)).map { Report(looking: $0).processes } ?? [] }
}
