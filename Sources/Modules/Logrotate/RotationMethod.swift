/// How a server gets to know that its log was rotated.
package enum RotationMethod: String, CaseIterable, Hashable, Sendable {
  /// The file is copied and cut: the server goes on writing into it.
  case copytruncate
  /// SIGHUP, at which coturn opens its log again.
  case hangup
  /// `systemctl reload` of a unit that has nothing to do at it.
  case failingReload
  /// The server is started anew.
  case restart
  /// Another signal: it ends, drains or reads its certificates, and does not open its log.
  case otherSignal
  /// Something else that a script does.
  case script
  /// Nothing tells it.
  case none

  /// - Parameter reload: the unit's commands for `systemctl reload`, by its name.
  init(_ rule: RotationRule, reload: (String) -> [String]) {
    if rule.directives["copytruncate"] != nil {
      self = .copytruncate
      return
    }
    let scripts = ["postrotate", "lastaction"].compactMap { rule.scripts[$0] }
    let lines = scripts.joined(separator: "\n").split(separator: "\n").filter {
      !$0.trimmingPrefix { $0.isWhitespace }.hasPrefix("#")
    }
    let text = lines.joined(separator: "\n")
    if let match = text.firstMatch(
      of: /systemctl\s+(?:--\S+\s+|-q\s+)*(?:try-)?reload(?:-or-(?:try-)?restart)?\s+(\S+)/)
    {
      let commands = reload(String(match.1))
      if commands.isEmpty {
        self = match.0.contains("restart") ? .restart : .failingReload
      } else {
        self = Self.signal(in: commands.joined(separator: "\n")) ?? .script
      }
    } else if let signalled = Self.signal(in: text) {
      self = signalled
    } else if text.contains(/(systemctl|service|invoke-rc\.d)\b.*\b(try-|cond)?restart\b/) {
      self = .restart
    } else {
      self = lines.contains { !$0.allSatisfy(\.isWhitespace) } ? .script : .none
    }
  }

  /// Nil if no signal is sent.
  private static func signal(in text: String) -> RotationMethod? {
    guard text.contains(/\bp?kill(all)?\b/) else { return nil }
    let isHangup = text.contains(/(-|-s\s*|--signal[= ])(SIG)?HUP\b|\bkill(all)?\s+-1\b/)
    return isHangup ? .hangup : .otherSignal
  }
}
