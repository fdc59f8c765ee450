package import Journal
import Processes

/// Looks for processes of a run, if this is where it ran.
package struct ProcessLook {
  private let machine: String?

  package init(_ run: RunStarted) { machine = run.machineIdHash }

  /// Whether something still runs of what a process is or started. A number that was given to another process since is not
  /// mistaken for it.
  package func state(of left: LeftProcess) -> LeftProcess.State {
    let own = HostFacts.current().machineIDHash
    guard let pid = Int32(exactly: left.process.pid), let start = UInt64(exactly: left.process.startTime),
      let boot = ProcessIdentity.own?.boot, machine == own, machine != nil || boot == left.boot
    else { return .unknown }
    guard boot == left.boot else { return .ended }
    guard left.process.pidNamespace == OwnProcess.pidNamespace else { return .unknown }
    let members = ProcessIdentity(pid: pid, startTime: start, boot: left.boot).sessionMembers
    return members.isEmpty ? .ended : .running(members.map { LeftProcess.Member(name: $0.name, pid: Int($0.pid)) })
  }
}
