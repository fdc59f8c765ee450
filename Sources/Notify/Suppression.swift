package import Journal
package import Notices
import Schema

/// Channels from which a notice is held back before any of them is asked.
package struct Suppression: Hashable, Sendable {
  /// Names of the channels.
  package var channels: [String]
  /// Why they are not told.
  package var finding: Finding
}

extension ChannelRoutes {
  /// What is left of the way of a notice, and what is held back: from every channel if people know of an outage of its target, and from
  /// those that are silent at the time of the notice.
  ///
  /// - Parameters:
  ///   - taken: channels that took the notice before: nothing is held back from them, nor from those that they stand in for.
  ///   - outage: what of severity P1 fails on the same targets, if people were told so: `p1-outage fails on eu`; nil if nothing does.
  package func suppressing(
    _ notice: OutgoingNotice, along route: Route, taken: Set<String>, outage: String?
  ) -> (route: Route, suppressed: [Suppression]) {
    var route = route
    if route.inTurn.contains(where: { taken.contains($0.name) }) { route.inTurn = [] }
    route.copies.removeAll { taken.contains($0.name) }
    guard !route.isEmpty else { return (route, []) }
    if let outage {
      let finding = Finding(
        "notify.muted", "held back from \(route.names.joined(separator: ", ")): people were told that \(outage) (P1)",
        advice: "Look at the outage first.")
      return (Route(inTurn: [], copies: []), [Suppression(channels: route.names, finding: finding)])
    }
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
