import Files
import Glibc
import Journal
import Notices
import Schema

/// How many notices channels with a limit took of late. All runs of a state folder count together, those that go on at the same time too.
///
/// Levels count apart, so that many warnings do not keep a critical notice from anybody.
struct NoticeCounts: Sendable {
  let state: StateFolder

  /// What is held back from a channel because of its limit.
  struct HeldBack: Hashable, Sendable {
    /// What the notices tell of, each once; see ``OutgoingNotice/problem``.
    var problems: [String]
    var since: Timestamp
  }

  /// The right to tell a channel one notice: it is counted already.
  struct Place: Hashable, Sendable {
    fileprivate var channel: String
    fileprivate var notice: OutgoingNotice
    /// What the channel was not told since the last notice that it took; nil if there is nothing.
    fileprivate(set) var heldBack: HeldBack?
  }

  /// What became of the wish to tell a channel.
  enum Answer: Hashable, Sendable {
    case place(Place)
    /// The channel had as many as its limit allows.
    case limited
    /// All places are taken, but of some it is not known yet whether the channel takes the notice.
    case undecided
  }

  /// A place that nobody settled for so long is that of a run that died.
  private static let patience = Duration.seconds(600)
  /// How long the file may be in use by others.
  private static let lockTime = Duration.seconds(2)
  /// How many problems are kept of what is held back.
  private static let keptProblems = 1000

  /// Takes a place for a notice; the one that it has already if it was taken before, by a run that died.
  ///
  /// - Parameter isLast: whether there is no more time to wait: what is not decided counts as taken, and what is held back is kept in mind.
  func take(
    _ limit: NoticeLimit, of channel: String, for notice: OutgoingNotice, isLast: Bool
  ) async throws(NoticeCountError) -> Answer {
    try await change(channel, notice.level) { record in
      let now = notice.time
      // A clock that goes back brings no places back. One that was ahead keeps a place for the time by which it was ahead besides.
      record.taken.removeAll {
        let age = now.duration(since: $0.time).magnitude
        return age >= ($0.isTold ? limit.period : min(limit.period, Self.patience))
      }
      let place = Place(channel: channel, notice: notice, heldBack: record.heldBack?.without(notice.problem))
      if record.taken.contains(where: { $0.key == notice.key }) { return .place(place) }
      guard record.taken.count >= limit.notices else {
        record.taken.append(Record.Entry(time: now, key: notice.key, isTold: false))
        return .place(place)
      }
      guard isLast || record.taken.allSatisfy(\.isTold) else { return .undecided }
      var heldBack = record.heldBack ?? HeldBack(problems: [], since: now)
      if !heldBack.problems.contains(notice.problem), heldBack.problems.count < Self.keptProblems {
        heldBack.problems.append(notice.problem)
      }
      record.heldBack = heldBack
      return .limited
    }
  }

  /// Keeps the place of a notice that the channel took, and gives back the one of a notice that it did not take.
  func settle(_ place: Place, isDelivered: Bool) async throws(NoticeCountError) {
    try await change(place.channel, place.notice.level) { record in
      guard let index = record.taken.lastIndex(where: { $0.key == place.notice.key }) else { return }
      guard isDelivered else {
        record.taken.remove(at: index)
        return
      }
      record.taken[index].isTold = true
      // Others may have been held back meanwhile.
      let told = Set(place.heldBack?.problems ?? []).union([place.notice.problem])
      let left = (record.heldBack?.problems ?? []).filter { !told.contains($0) }
      record.heldBack = left.isEmpty ? nil : HeldBack(problems: left, since: place.notice.time)
    }
  }

  /// Reads the record of a channel and a level, and puts the changed one in its place, while nobody else does.
  private func change<Result>(
    _ channel: String, _ level: NoticeLevel, _ work: (inout Record) -> Result
  ) async throws(NoticeCountError) -> Result {
    do throws(FileError) {
      try Folder.makeAll(state.notices, Permissions(state.access.folderMode))
      // Who may only read the state cannot open it, and so cannot hold it.
      let lock = try File.openOrCreate("\(state.notices)/.lock", O_RDWR, Permissions(state.access.fileMode))
      let end = ContinuousClock.now + Self.lockTime
      while try !lock.tryLock() {
        guard .now < end, (try? await Task.sleep(for: .milliseconds(10))) != nil else {
          throw FileError(.lock, lock.path, .system(EAGAIN))
        }
      }
      defer { withExtendedLifetime(lock) {} }
      let folder = try Folder(state.notices)
      let name = "\(channel).\(level.rawValue).json"
      var record = Record()
      if try folder.metadata(of: name) != nil {
        // What is damaged says nothing: counting begins anew.
        record = Record(parsing: try folder.openToRead(name).read(limit: 1 << 20)) ?? record
      }
      let result = work(&record)
      try folder.write(Array(record.json.text().utf8), to: name, Permissions(state.access.fileMode))
      return result
    } catch {
      throw NoticeCountError(message: "the notices to \(channel) could not be counted: \(error.message)")
    }
  }

  /// What is kept of one channel and level.
  private struct Record {
    struct Entry {
      var time: Timestamp
      var key: String
      /// Whether the channel took the notice; false while that is not known.
      var isTold: Bool
    }

    /// The oldest first.
    var taken: [Entry] = []
    var heldBack: HeldBack?

    init() {}

    /// Nil if it is no such record.
    init?(parsing bytes: [UInt8]) {
      guard let json = try? JSON(parsing: bytes), let entries = json["taken"]?.array else { return nil }
      taken = entries.compactMap { entry in
        guard let time = entry["time"]?.string.flatMap({ Timestamp($0) }), let key = entry["key"]?.string,
          let isTold = entry["told"]?.bool
        else { return nil }
        return Entry(time: time, key: key, isTold: isTold)
      }
      guard taken.count == entries.count else { return nil }
      if let problems = json["heldBack"]?["problems"]?.array?.compactMap(\.string), !problems.isEmpty,
        let since = json["heldBack"]?["since"]?.string.flatMap({ Timestamp($0) })
      {
        heldBack = HeldBack(problems: problems, since: since)
      }
    }

    var json: JSON {
      [
        "taken": .array(
          taken.map {
            ["time": .string($0.time.description), "key": .string($0.key), "told": .bool($0.isTold)]
          }),
        "heldBack": heldBack.map {
          ["problems": .array($0.problems.map(JSON.string)), "since": .string($0.since.description)]
        } ?? .null,
      ]
    }
  }
}

/// Why it could not be counted what a channel took.
struct NoticeCountError: Error, Hashable, Sendable {
  var message: String
}

extension NoticeCounts.HeldBack {
  /// Nil if nothing else is held back.
  fileprivate func without(_ problem: String) -> NoticeCounts.HeldBack? {
    let others = problems.filter { $0 != problem }
    return others.isEmpty ? nil : NoticeCounts.HeldBack(problems: others, since: since)
  }
}

extension OutgoingNotice {
  /// With a line that says of how much the channel was not told.
  func mentioning(_ heldBack: NoticeCounts.HeldBack?) -> OutgoingNotice {
    guard let heldBack else { return self }
    let count = heldBack.problems.count
    let problems = count == 1 ? "1 other problem" : "\(count) other problems"
    return adding(
      "Because of its limit, this channel was not told of \(problems) since \(heldBack.since): runbook history lists the runs."
    )
  }
}

extension NoticeDelivery {
  /// The channel was not asked: it had as many notices as its limit allows.
  static func limited(_ channel: String, _ limit: NoticeLimit, _ level: NoticeLevel) -> NoticeDelivery {
    let finding = Finding(
      "notify.limited",
      "\(channel) is not told: its limit is \(limit.notices) \(level.rawValue) in \(durationLiteral(limit.period))",
      advice: "runbook history lists the runs; the next notice that the channel takes says how much it missed.")
    return NoticeDelivery(
      channel: channel, isDelivered: false, tries: 0, elapsed: .zero, finding: finding, isSuppressed: true)
  }
}

extension Duration {
  fileprivate var magnitude: Duration { self < .zero ? .zero - self : self }
}
