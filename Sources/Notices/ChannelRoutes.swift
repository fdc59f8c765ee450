/// The channels of a project, and who of them hears a notice.
package struct ChannelRoutes: Sendable {
  /// In the order in which `runbook.yaml` declares them.
  package let channels: [Channel]
  /// The project's folder, which notices name.
  package let project: String?

  /// When people are not told of what can wait.
  package let silences: [SilentWindow]

  package init(_ channels: [Channel], silences: [SilentWindow] = [], project: String? = nil) {
    self.channels = channels
    self.silences = silences
    self.project = project
  }

  package subscript(_ name: String) -> Channel? { channels.first { $0.name == name } }

  /// Where a notice goes.
  package struct Route: Sendable {
    /// One of them is enough: they are tried in this order, the next one if one fails.
    package var inTurn: [Channel]
    /// Each of them is told as well.
    package var copies: [Channel]

    package var isEmpty: Bool { inTurn.isEmpty && copies.isEmpty }

    package init(inTurn: [Channel], copies: [Channel]) {
      self.inTurn = inTurn
      self.copies = copies
    }
  }

  /// The channels of a level, in the order of their declaration.
  package func route(_ level: NoticeLevel) -> Route {
    let taking = channels.filter { $0.level <= level }
    return Route(inTurn: taking.filter { !$0.isCopy }, copies: taking.filter(\.isCopy))
  }

  /// Whether a notice of the level reached those who are to hear it, if these channels took it: one of those of which one is enough, if there
  /// are any. A copy does not stand in for it.
  package func reached(_ taken: [String], _ level: NoticeLevel) -> Bool {
    let inTurn = route(level).inTurn.map(\.name)
    return inTurn.isEmpty ? !taken.isEmpty : !Set(inTurn).isDisjoint(with: taken)
  }

  /// These channels, in this order: one of them is enough. Names that there are not are left out.
  package func route(_ names: [String]) -> Route { Route(inTurn: names.compactMap { self[$0] }, copies: []) }
}
