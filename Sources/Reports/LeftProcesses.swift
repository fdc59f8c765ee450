import Journal

extension RunReport.Process {
  /// What became of it, in a sentence without a full stop; not yet safe for a terminal.
  package var sentence: String {
    let own = "step \(step): \(program) (pid \(pid))"
    switch state {
    case .running(let members):
      let others = members.filter { $0.pid != pid }.map { "\($0.name) (pid \($0.pid))" }.joined(separator: ", ")
      if !members.contains(where: { $0.pid == pid }) {
        return "\(own) has ended, but what it started still runs: \(others)"
      }
      return "\(own) still runs" + (others.isEmpty ? "" : ", and so does what it started: \(others)")
    case .ended: return "\(own) has ended since"
    case .unknown: return "\(own) was running; this host cannot tell whether it still is"
    }
  }

  /// The numbers of what still runs.
  package var runningNumbers: [Int] {
    if case .running(let members) = state { members.map(\.pid) } else { [] }
  }
}

extension [RunReport.Process] {
  /// How to end what still runs; nil if nothing does. Once the process itself has ended, its session's number may belong to
  /// others by now: what is in it is to be looked at first.
  package var advice: String? {
    let sure = filter { $0.runningNumbers.contains($0.pid) }.flatMap(\.runningNumbers)
    let unsure = filter { !$0.runningNumbers.contains($0.pid) }.flatMap(\.runningNumbers)
    let parts = [
      sure.isEmpty ? nil : "to end what still runs: kill \(sure.map(String.init).joined(separator: " "))",
      unsure.isEmpty
        ? nil
        : "before you end what it started, check that it is of this run: ps -o pid,lstart,args -p "
          + unsure.map(String.init).joined(separator: ","),
    ].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }
}
