internal import Notices
internal import Schema

/// The keys of one window of `silence` in `runbook.yaml`.
package enum SilenceKey: String, DocumentKey {
  case from, to, days, zone, upTo, channels

  package static let mappingName = "silence"
  package static let foreign = ["until": "to", "start": "from", "end": "to", "timezone": "zone", "level": "upTo"]
  /// In their order, from Monday.
  static let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

  package var declaration: KeyDeclaration {
    switch self {
    case .from:
      .init(
        .plain(.string),
        "When it begins: a time of day, `22:00`, or once, `2026-12-01T22:00:00Z`. Without it, 00:00.", example: "22:00")
    case .to:
      .init(
        .plain(.string),
        "When it ends, in the same form. Without it, 24:00. A time of day that is not after `from` is on the next day.",
        example: "06:00")
    case .days:
      .init(
        .plain(.list(.enumeration(Self.dayNames))),
        "The days on which it begins. Without it, every day.", example: ["sat", "sun"])
    case .zone:
      .init(.plain(.string), "The time zone of the times of day. Without it, UTC.", example: "Europe/Berlin")
    case .upTo:
      .init(
        .plain(.enumeration(NoticeLevel.allCases.map(\.rawValue))),
        "The most urgent notices that it holds back. Without it, `warning`.", example: "info")
    case .channels:
      .init(
        .plain(.list(.string)), "The channels that are silent. Without it, all of them.", example: ["log"])
    }
  }
}

/// The keys of `limit` of a channel.
package enum NoticeLimitKey: String, DocumentKey {
  case notices, per

  package static let mappingName = "limit"

  package var declaration: KeyDeclaration {
    switch self {
    case .notices: .init(.count, "So many notices of one level, at most.", .required, example: 10)
    case .per: .init(.plain(.duration), "In so much time.", .required, example: "1h")
    }
  }
}
