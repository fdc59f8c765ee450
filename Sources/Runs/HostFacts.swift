import FoundationEssentials
import Glibc
import Journal
import Processes

/// The facts of this process that a run's first event records.
struct HostFacts: Sendable {
  let host: String
  let user: String
  let pid: Int
  let startTime: Int?
  let actor: ActorFacts
  let machineIDHash: String?

  static func current() -> HostFacts {
    HostFacts(
      host: hostName(), user: Account.name(of: Int(geteuid())), pid: Int(getpid()),
      startTime: ProcessIdentity.own.map { Int($0.startTime) }, actor: actor(),
      machineIDHash: machineIDHash())
  }

  private static func actor() -> ActorFacts {
    // 4294967295 stands for nobody.
    let login = text(of: "/proc/self/loginuid").flatMap { UInt32($0) }.flatMap { $0 == .max ? nil : Int($0) }
    let sudo = ProcessInfo.processInfo.environment["SUDO_USER"]
    return ActorFacts(uid: Int(getuid()), euid: Int(geteuid()), loginUid: login, sudoUser: sudo)
  }

  /// machine-id(5) asks that the id itself be kept to the machine.
  private static func machineIDHash() -> String? {
    text(of: "/etc/machine-id").flatMap { $0.isEmpty ? nil : hmacSHA256Hex("runbook", key: $0) }
  }

  private static func text(of path: String) -> String? {
    let text = try? String(contentsOfFile: path, encoding: .utf8)
    return text.map { String($0.prefix { !$0.isWhitespace }) }
  }
}
