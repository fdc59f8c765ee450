package import Backups
import Schema

/// Which backups of a set go and which stay, and why. It depends on names and times alone: days, weeks (from Monday) and months are
/// those of UTC.
package struct PrunePlan: Sendable {
  package struct Line: Sendable {
    package let backup: Backup
    /// Why it stays; empty if it goes.
    package let reasons: [String]

    package var isKept: Bool { !reasons.isEmpty }
  }

  /// Newest first.
  package let lines: [Line]

  package var removed: [Backup] { lines.filter { !$0.isKept }.map(\.backup) }

  /// - Parameter backups: newest first.
  package init(_ backups: [Backup], by retention: BackupRetention) {
    var reasons: [String: [String]] = [:]
    for backup in backups.prefix(retention.last) {
      reasons[backup.name, default: []].append("one of the newest \(retention.last)")
    }
    let rules: [(count: Int, period: (Timestamp) -> String)] = [
      (retention.daily, { "of the day \(Self.day($0))" }),
      (retention.weekly, { "of the week from \(Self.monday($0))" }),
      (retention.monthly, { "of the month \(Self.day($0).prefix(7))" }),
    ]
    for (count, period) in rules {
      var seen: [String] = []
      for backup in backups {
        let name = period(backup.created)
        if !seen.contains(name) { seen.append(name) }
      }
      for name in seen.prefix(count) {
        let among = backups.filter { period($0.created) == name }
        // A backup with something missing stands for its day only if there is no other.
        if let kept = among.first(where: \.isComplete) ?? among.first {
          reasons[kept.name, default: []].append("the newest \(name)")
        }
      }
    }
    if let good = backups.first(where: \.isComplete), reasons[good.name] == nil {
      reasons[good.name] = ["the newest with nothing missing, which always stays"]
    }
    if let newest = backups.first, reasons[newest.name] == nil {
      reasons[newest.name] = ["the newest, which always stays"]
    }
    lines = backups.map { Line(backup: $0, reasons: reasons[$0.name] ?? []) }
  }

  private static func day(_ time: Timestamp) -> String { String(time.description.prefix(10)) }

  /// The Monday of the week that a time is in.
  private static func monday(_ time: Timestamp) -> String {
    let (day, second) = time.seconds.quotientAndRemainder(dividingBy: 86_400)
    let number = second < 0 ? day - 1 : day
    // 1970-01-01 was a Thursday.
    let sinceMonday = ((number + 3) % 7 + 7) % 7
    return Self.day(Timestamp(seconds: (number - sinceMonday) * 86_400, nanoseconds: 0) ?? .unixEpoch)
  }
}
