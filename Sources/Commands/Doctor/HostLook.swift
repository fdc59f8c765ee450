import CLinux
import FoundationEssentials
import Glibc

/// Looks at what every run depends on, whatever its runbook does.
enum HostLook {
  /// How far off the clock may be at most before somebody should know: time-limited credentials and certificates are judged
  /// by it.
  private static let tolerableError = 1_000_000

  static func tool() -> Diagnosis.Item {
    .init(.tool, "runbook", .ok, "version \(runbookVersion), \(OwnProgram.path)")
  }

  /// Whether the kernel says that somebody keeps its clock right.
  static func clock() -> Diagnosis.Item {
    var clock = runbook_clock()
    guard unsafe runbook_clock_status(&clock) == 0 else {
      let reason = unsafe String(cString: strerror(errno))
      return .init(
        .clock, "system clock", .unknown, "the kernel does not tell whether it is synchronised: \(reason)",
        fix: "timedatectl timesync-status (or chronyc tracking) on the host itself")
    }
    guard clock.is_unsynchronised == 0 else {
      return .init(
        .clock, "system clock", .warning,
        "nobody keeps it right: time-limited credentials and certificates are judged by a time that may be wrong",
        fix: "apt-get install chrony (a container or a guest: on its host)")
    }
    guard clock.max_error <= tolerableError else {
      return .init(
        .clock, "system clock", .warning, "it may be off by \(clock.max_error / 1000) ms", fix: "chronyc makestep")
    }
    return .init(.clock, "system clock", .ok, "synchronised, off by \(clock.max_error / 1000) ms at most")
  }

  /// Whether this process may have sockets: sandboxes take them away.
  static func sockets(neededBy users: [String]) -> Diagnosis.Item {
    var refused: [String] = []
    for (name, family, kind) in [
      ("UDP", AF_INET, Int32(SOCK_DGRAM.rawValue)), ("TCP", AF_INET, Int32(SOCK_STREAM.rawValue)),
      ("UDP over IPv6", AF_INET6, Int32(SOCK_DGRAM.rawValue)),
    ] {
      let descriptor = socket(family, kind | Int32(SOCK_CLOEXEC.rawValue), 0)
      if descriptor < 0 {
        refused.append("\(name): \(unsafe String(cString: strerror(errno)))")
      } else {
        close(descriptor)
      }
    }
    guard !refused.isEmpty else {
      return .init(.sockets, "network", .ok, "UDP and TCP sockets, IPv4 and IPv6", neededBy: users)
    }
    let isOnlySix = refused.allSatisfy { $0.contains("IPv6") }
    return .init(
      .sockets, "network", isOnlySix ? .warning : .missing,
      "the kernel gives this process no socket for \(refused.joined(separator: ", "))"
        + (isOnlySix ? "; servers that have IPv6 addresses only are out of reach" : ""),
      fix: isOnlySix
        ? "sysctl net.ipv6.conf.all.disable_ipv6"
        : "look at what confines it: RestrictAddressFamilies of the systemd unit, a seccomp profile, AppArmor",
      neededBy: users)
  }

  /// How text is shown; it keeps nothing from running.
  static func terminal() -> Diagnosis.Item {
    let terminal = Terminal.standardOutput
    guard terminal.isInteractive else {
      return .init(.terminal, "output", .ok, "no terminal: plain text, no colours")
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(environmentVariable).first { !$0.isEmpty } ?? ""
    let isUnicode = locale.lowercased().replacing("-", with: "").contains("utf8")
    guard isUnicode else {
      return .init(
        .terminal, "output", .warning,
        "the locale \(locale.isEmpty ? "is not set" : "\(locale) is not UTF-8"): letters beyond ASCII may be shown wrong",
        fix: "export LC_ALL=C.UTF-8")
    }
    return .init(
      .terminal, "output", .ok, "\(terminal.width) columns, \(locale), \(terminal.hasColor ? "colours" : "no colours")")
  }
}
