import Steps

/// What processors have spent their time with since the boot, in clock ticks: a line of `/proc/stat` (proc(5)).
struct ProcessorTimes: Hashable {
  /// Guests are part of it.
  var user = 0
  var system = 0
  var idle = 0
  var ioWait = 0
  var steal = 0

  var total: Int { user + system + idle + ioWait + steal }

  /// - Parameter words: the numbers behind `cpu`: user, nice, system, idle, iowait, irq, softirq, steal, guest, …
  init?(_ words: some Collection<Substring>) {
    let numbers = words.prefix(8).compactMap { Int($0) }
    guard numbers.count >= 4 else { return nil }
    let all = numbers + Array(repeating: 0, count: 8 - numbers.count)
    user = all[0] + all[1]
    system = all[2] + all[5] + all[6]
    (idle, ioWait, steal) = (all[3], all[4], all[7])
  }

  private init() {}

  /// What was added since an earlier look. Counters may go back a little: waiting for disks is an estimate, and a processor
  /// that was taken away takes its times along.
  func since(_ earlier: ProcessorTimes) -> ProcessorTimes {
    var spent = ProcessorTimes()
    spent.user = max(0, user - earlier.user)
    spent.system = max(0, system - earlier.system)
    spent.idle = max(0, idle - earlier.idle)
    spent.ioWait = max(0, ioWait - earlier.ioWait)
    spent.steal = max(0, steal - earlier.steal)
    return spent
  }
}

/// Times of all processors together, and of each by its name.
struct ProcessorSample {
  let all: ProcessorTimes
  let each: [Substring: ProcessorTimes]

  static func now() throws(StepError) -> ProcessorSample {
    guard let sample = ProcessorSample(try ProcFile.text("/proc/stat")) else {
      throw ProcFile.unexpected("/proc/stat", "has no line of all processors")
    }
    return sample
  }

  init?(_ text: String) {
    var each: [Substring: ProcessorTimes] = [:]
    for line in text.split(separator: "\n").lazy.prefix(while: { $0.hasPrefix("cpu") }) {
      let words = line.split(separator: " ")
      each[words[0]] = ProcessorTimes(words.dropFirst())
    }
    guard let all = each.removeValue(forKey: "cpu") else { return nil }
    self.all = all
    self.each = each
  }
}
