package import Schema

/// A notice as Alertmanager takes it (`POST /api/v2/alerts`).
package struct AlertmanagerAlert: Sendable {
  package let notice: OutgoingNotice
  package let channel: Channel.Alertmanager

  /// The labels that every alert gets here, so that a channel cannot give them.
  package static let ownLabels = ["alertname", "severity", "host", "runbook", "target", "step"]
  /// How long an alert stands whose end another notice will say: longer than the longest period of a runbook.
  private static let standing = Duration.seconds(400 * 86_400)

  package init(_ notice: OutgoingNotice, to channel: Channel.Alertmanager) {
    self.notice = notice
    self.channel = channel
  }

  /// What tells the alert from others: the same when it begins and when it is over.
  package var labels: [(name: String, value: String)] {
    let origin = notice.origin
    let own = [
      ("alertname", origin.runbook ?? "runbook"), ("severity", notice.level.rawValue), ("host", origin.host),
      ("runbook", origin.runbook ?? ""), ("target", origin.target ?? ""), ("step", origin.step ?? ""),
    ]
    return (own + channel.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }).filter { !$0.1.isEmpty }
  }

  /// The list with this alert alone.
  package var json: JSON {
    let annotations = [
      ("summary", notice.title), ("description", notice.text), ("look", notice.look ?? ""),
      ("run", notice.origin.run ?? ""), ("command", notice.command ?? ""),
    ].filter { !$0.1.isEmpty }
    let start = min(notice.since ?? notice.time, notice.time)
    let end: Timestamp? =
      switch notice.status {
      case .resolved: notice.time
      case .firing: notice.time.later(by: notice.stands ? Self.standing : channel.lasts)
      }
    return [
      [
        "labels": .object(labels.map { .init($0.name, .string($0.value)) }),
        "annotations": .object(annotations.map { .init($0.0, .string($0.1)) }),
        "startsAt": .string(start.description), "endsAt": .string((end ?? notice.time).description),
      ]
    ]
  }
}
