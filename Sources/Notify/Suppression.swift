package import Journal
package import Notices
import Schema

/// Channels from which a notice is held back before any of them is asked, and why.
package struct Suppression: Hashable, Sendable {
  package var channels: [String]
  package var finding: Finding
}

extension ChannelRoutes {
  /// What is left of the way of a notice, and what is held back: from every channel if people know of an outage of its target, and from
  /// those that are silent at the time of the notice.
  ///
  /// - Parameter outage: the runbook of severity P1 that fails on the same target, if people were told so; nil if there is none.
  package func suppressing(
    _ notice: OutgoingNotice, along route: Route, outage: String?
  ) -> (route: Route, suppressed: [Suppression]) {
    if let outage {
      let finding = Finding(
        "notify.muted", "held back: people were told that \(outage), which is P1, fails on the same target",
        advice: "Look at \(outage) first: runbook history \(outage).")
      return (Route(inTurn: [], copies: []), [Suppression(channels: route.names, finding: finding)])
    }
    var route = route
    var suppressed: [Suppression] = []
    for window in silences {
      let silent = route.names.filter { window.holdsBack(notice, from: $0) }
      guard !silent.isEmpty else { continue }
      route.inTurn.removeAll { silent.contains($0.name) }
      route.copies.removeAll { silent.contains($0.name) }
      let finding = Finding(
        "notify.silenced", "held back from \(silent.joined(separator: ", ")) by the silence \(window.name)",
        advice: "If they must hear of it, change `silence` in runbook.yaml.")
      suppressed.append(Suppression(channels: silent, finding: finding))
    }
    return (route, suppressed)
  }
}

extension ChannelRoutes.Route {
  fileprivate var names: [String] { (inTurn + copies).map(\.name) }
}
