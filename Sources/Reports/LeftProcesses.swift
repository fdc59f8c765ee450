import Journal

extension Report.Process {
  /// What became of it, in a sentence without a full stop; not yet safe for a terminal.
  package var sentence: String {
    let own = "step \(step): \(program) (pid \(pid))"
    switch state {
    case .running(let members):
      let others = members.filter { $0.pid != pid }.map { "\($0.name) (pid \($0.pid))" }.joined(separator: ", ")
      if !members.contains(where: { $0.pid == pid }) {
        return "\(own) has ended, what it started still runs: \(others)"
      }
      return "\(own) still runs" + (others.isEmpty ? "" : ", and so does what it started: \(others)")
    case .ended: return "\(own) has ended since"
    case .unknown: return "\(own) was at work; whether it still runs cannot be told from here"
    }
  }

  /// The numbers of what still runs.
  package var runningNumbers: [Int] {
    if case .running(let members) = state { members.map(\.pid) } else { [] }
  }
}

extension [Report.Process] {
  /// How to end what still runs; nil if nothing does.
  package var advice: String? {
    let numbers = flatMap(\.runningNumbers)
    return numbers.isEmpty ? nil : "to end what still runs: kill \(numbers.map(String.init).joined(separator: " "))"
  }
}
