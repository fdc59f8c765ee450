import Journal
import Processes
import Reports

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

/// Looks for processes of a run, if this is where it ran.
struct ProcessLook {
  private let machine: String?

  init(_ run: RunStarted) { machine = run.machineIdHash }

  /// Whether something still runs of what a process is or started. A number that was given to another process since is not
  /// mistaken for it.
  func state(of left: LeftProcess) -> Report.Process.State {
    let own = HostFacts.current().machineIDHash
    guard let pid = Int32(exactly: left.process.pid), let start = UInt64(exactly: left.process.startTime),
      let boot = ProcessIdentity.own?.boot, machine == own, machine != nil || boot == left.boot
    else { return .unknown }
    guard boot == left.boot else { return .ended }
    guard left.process.pidNamespace == OwnProcess.pidNamespace else { return .unknown }
    let members = ProcessIdentity(pid: pid, startTime: start, boot: left.boot).sessionMembers
    return members.isEmpty ? .ended : .running(members.map { .init(name: $0.name, pid: Int($0.pid)) })
  }
}
