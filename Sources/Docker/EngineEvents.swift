package import Schema

/// Something that befell a container, as the engine remembers it. It keeps the last few hundred, and none of before its own start.
package struct EngineEvent: Hashable, Sendable {
  /// `create`, `start`, `kill`, `die`, `stop`, `restart`, `oom`, `health_status: unhealthy`, …
  package let action: String
  package let time: Timestamp

  /// Nil if it is no such document.
  init?(_ json: JSON) {
    guard let action = (json["Action"] ?? json["status"])?.string, let nanoseconds = json["timeNano"]?.int,
      let time = Timestamp(
        seconds: nanoseconds / 1_000_000_000, nanoseconds: Int32(max(0, nanoseconds % 1_000_000_000)))
    else { return nil }
    self.action = action
    self.time = time
  }
}

extension DockerEngine {
  /// What befell a container from a time on until now, the oldest first.
  package func events(
    of id: String, since: Timestamp, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> [EngineEvent] {
    // The engine's own clock says when now is; a second more, since that tells whole seconds.
    let now = try await answer("GET", "/_ping", by: deadline).time ?? since
    let filters: JSON = ["container": [.string(id)], "type": ["container"]]
    let answer = try await answer(
      "GET", "/events",
      query: [("since", "\(since.seconds)"), ("until", "\(now.seconds + 1)"), ("filters", filters.text())], by: deadline
    )
    let lines = answer.body.split(separator: 0x0A).compactMap { try? JSON(parsing: $0) }
    return lines.compactMap(EngineEvent.init).filter { $0.time >= since }
  }
}
