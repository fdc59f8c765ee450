import CLinux
import Glibc
import Processes
import Schema
import Steps

/// The program that keeps this host's clock.
package enum ClockKeeper: String, CaseIterable, Hashable, Sendable {
  case chrony
  case timesyncd
  case ntpd
  case none

  /// Those that run, by the names that the kernel keeps of them.
  static func running() -> [ClockKeeper] {
    let names = Set(ProcessEntry.all().filter { !$0.isZombie }.map(\.name))
    let known: [(ClockKeeper, [String])] = [
      (.chrony, ["chronyd"]), (.timesyncd, ["systemd-timesyn"]), (.ntpd, ["ntpd", "openntpd"]),
    ]
    return known.filter { !names.isDisjoint(with: $0.1) }.map(\.0)
  }
}

extension ClockKeeper {
  /// Whether systemd-timesyncd has synchronised the clock since the host's start: it makes this file then.
  static var hasTimesyncdSynchronised: Bool { access("/run/systemd/timesync/synchronized", F_OK) == 0 }
}

/// What `chronyc -c tracking` prints: fields with commas between them, the state of the last leap second at the end.
struct ChronyTracking: Hashable {
  /// How far the clock is ahead.
  let offset: Duration
  let isSynchronised: Bool

  /// Nil for what chronyc does not print.
  init?(_ line: String) {
    let fields = line.split(whereSeparator: \.isNewline).first?.split(separator: ",", omittingEmptySubsequences: false)
    guard let fields, fields.count >= 14, let behind = Double(fields[4]), behind.isFinite, abs(behind) < 1e9 else {
      return nil
    }
    offset = .nanoseconds(Int64(-behind * 1e9))
    // A reference of 127.127.1.x is its own clock (`local`): it follows nobody.
    isSynchronised = fields[13] != "Not synchronised" && fields[0] != "00000000" && !fields[0].hasPrefix("7F7F01")
  }
}

/// What the kernel tells of its clock (adjtimex(2)).
struct KernelClock: Hashable {
  let isSynchronised: Bool
  /// How far it may be off, as the program says that keeps it.
  let maximumError: Duration

  static func now() throws(StepError) -> KernelClock {
    var state = timex()
    let result = adjtimex(&state)
    guard result >= 0 else {
      throw .broken(
        "host.clockUnknown", "the kernel does not tell how its clock is kept: \(String(errorNumber: errno))",
        advice: "A container may forbid it: look at the host itself.")
    }
    // STA_UNSYNC and TIME_ERROR of sys/timex.h.
    return KernelClock(
      isSynchronised: result != 5 && state.status & 0x40 == 0, maximumError: .microseconds(Int64(state.maxerror)))
  }
}
