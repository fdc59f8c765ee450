import Files
import Journal
import Notices
import Schema

/// How many notices channels with a limit took of late. All runs of a state folder count together, those that go on at the same time too.
///
/// Levels count apart, so that many warnings do not keep a critical notice from anybody.
struct NoticeCounts: Sendable {
  let state: StateFolder

  /// What a channel was not told because of its limit.
  struct HeldBack: Hashable, Sendable {
    var notices: Int
    var since: Timestamp
  }

  /// The right to tell a channel one notice: it is counted already.
  struct Place: Hashable, Sendable {
    fileprivate var channel: String
    fileprivate var level: NoticeLevel
    fileprivate var time: Timestamp
    /// What the channel was not told since the last notice that it took; nil if there is nothing.
    fileprivate(set) var heldBack: HeldBack?
  }

  /// Takes a place for a notice. Nil if the limit is reached: the notice is counted among those that were held back.
  func take(
    _ limit: NoticeLimit, of channel: String, _ level: NoticeLevel, at time: Timestamp
  ) throws(NoticeCountError) -> Place? {
    try change(channel, level) { record in
      // A clock that was set back does not bring back places, nor does one that was ahead keep them for longer than the period.
      record.taken.removeAll { abs($0.duration(since: time)) >= limit.period }
      guard record.taken.count < limit.notices else {
        record.heldBack = HeldBack(
          notices: (record.heldBack?.notices ?? 0) + 1, since: record.heldBack?.since ?? time)
        return nil
      }
      record.taken.append(time)
      return Place(channel: channel, level: level, time: time, heldBack: record.heldBack)
    }
  }

  /// Keeps the place of a notice that the channel took, and gives back the one of a notice that it did not take.
  func settle(_ place: Place, isDelivered: Bool) throws(NoticeCountError) {
    try change(place.channel, place.level) { record in
      if !isDelivered {
        if let index = record.taken.lastIndex(of: place.time) { record.taken.remove(at: index) }
      } else if let told = place.heldBack, let heldBack = record.heldBack {
        // Others may have been held back meanwhile.
        let left = heldBack.notices - told.notices
        record.heldBack = left > 0 ? HeldBack(notices: left, since: place.time) : nil
      }
    }
  }

  /// Reads the record of a channel and a level, and puts the changed one in its place, while nobody else does.
  private func change<Result>(
    _ channel: String, _ level: NoticeLevel, _ work: (inout Record) -> Result
  ) throws(NoticeCountError) -> Result {
    do throws(FileError) {
      try Folder.makeAll(state.notices, Permissions(state.access.folderMode))
      let folder = try Folder(state.notices)
      try folder.lock()
      let name = "\(channel).\(level.rawValue).json"
      var record = Record()
      if try folder.metadata(of: name) != nil {
        // What is damaged says nothing: counting begins anew.
        record = Record(parsing: try folder.openToRead(name).read(limit: 1 << 20)) ?? record
      }
      let result = work(&record)
      try folder.write(Array(record.json.text().utf8), to: name, Permissions(state.access.fileMode))
      withExtendedLifetime(folder) {}
      return result
    } catch {
      throw NoticeCountError(message: "the notices to \(channel) could not be counted: \(error.message)")
    }
  }

  /// What is kept of one channel and level.
  private struct Record {
    /// When it took notices, the oldest first.
    var taken: [Timestamp] = []
    var heldBack: HeldBack?

    init() {}

    /// Nil if it is no such record.
    init?(parsing bytes: [UInt8]) {
      guard let json = try? JSON(parsing: bytes), let times = json["taken"]?.array else { return nil }
      taken = times.compactMap { $0.string.flatMap { Timestamp($0) } }
      guard taken.count == times.count else { return nil }
      if let notices = json["heldBack"]?["notices"]?.int,
        let since = json["heldBack"]?["since"]?.string.flatMap({ Timestamp($0) })
      {
        heldBack = HeldBack(notices: Int(notices), since: since)
      }
    }

    var json: JSON {
      [
        "taken": .array(taken.map { .string($0.description) }),
        "heldBack": heldBack.map {
          ["notices": .int(Int64($0.notices)), "since": .string($0.since.description)]
        } ?? .null,
      ]
    }
  }
}

/// Why it could not be counted what a channel took.
struct NoticeCountError: Error, Hashable, Sendable {
  var message: String
}

extension OutgoingNotice {
  /// With a line that says what the channel was not told.
  func mentioning(_ heldBack: NoticeCounts.HeldBack?) -> OutgoingNotice {
    guard let heldBack else { return self }
    let notices = heldBack.notices == 1 ? "1 notice" : "\(heldBack.notices) notices"
    return adding(
      "Because of its limit, this channel was not told of \(notices) more since \(heldBack.since): runbook history lists the runs."
    )
  }
}

extension NoticeDelivery {
  /// The channel was not asked: it had as many notices as its limit allows.
  static func limited(_ channel: String, _ limit: NoticeLimit, _ level: NoticeLevel) -> NoticeDelivery {
    let finding = Finding(
      "notify.limited",
      "\(channel) is not told: it had \(limit.notices) of the level \(level.rawValue) in \(durationLiteral(limit.period)), its limit",
      advice: "runbook history lists the runs; the next notice that the channel takes says how many it missed.")
    return NoticeDelivery(
      channel: channel, isDelivered: false, tries: 0, elapsed: .zero, finding: finding, isSuppressed: true)
  }
}

/// The absolute value of a time.
private func abs(_ time: Duration) -> Duration { time < .zero ? .zero - time : time }
