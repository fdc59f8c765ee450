import Schema

/// Notices that the wall clock was set back while the boot-time clock went on.
struct WallClockWatch: Sendable {
  private var last: (wall: Timestamp, now: Duration)?

  /// How far back the wall clock went since the last call, beyond a second of slack for ordinary adjustment; nil where it
  /// did not.
  mutating func setBack(_ wall: Timestamp, at now: Duration) -> Duration? {
    defer { last = (wall, now) }
    guard let last else { return nil }
    let back = (now - last.now) - wall.duration(since: last.wall)
    return back > .seconds(1) ? back : nil
  }
}
