import Files
import Foundation
import Glibc
import Journal
import Notices
import Schema
import TestSupport
import Testing

@testable import Notify

@Suite struct SilentWindowTests {
  private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }

  private func window(
    days: Set<Int> = [], from: Int = 0, to: Int = 1440, offset: @escaping @Sendable (Timestamp) -> Int? = { _ in 0 }
  ) -> SilentWindow {
    SilentWindow(name: "x", .weekly(SilentWindow.Weekly(days: days, from: from, to: to, offset: offset)))
  }

  @Test(
    "Hours over midnight belong to the day on which they begin",
    arguments: [
      // 2026-11-28 is a Saturday.
      ("2026-11-28T21:59:59Z", false), ("2026-11-28T22:00:00Z", true), ("2026-11-29T05:59:59Z", true),
      ("2026-11-29T06:00:00Z", false), ("2026-11-29T22:00:00Z", false), ("2026-11-28T05:00:00Z", false),
    ])
  func midnight(text: String, isCovered: Bool) throws {
    #expect(window(days: [5], from: 22 * 60, to: 6 * 60).covers(try time(text)) == isCovered)
  }

  @Test("The zone decides the day and the hour; a zone that nobody knows holds nothing back")
  func zone() throws {
    let berlin = window(days: [6], from: 0, to: 60) { _ in 3600 }
    #expect(berlin.covers(try time("2026-11-28T23:30:00Z")))
    #expect(!berlin.covers(try time("2026-11-29T00:30:00Z")))
    #expect(!window { _ in nil }.covers(try time("2026-11-29T00:30:00Z")))
  }

  @Test("An hour that the clocks show twice is covered twice, and one that they skip never")
  func clockChange() throws {
    // Berlin, 2026-10-25: after 02:59:59 it is 02:00 again.
    let autumn = window(from: 120, to: 180) { $0.seconds < 1_792_890_000 ? 7200 : 3600 }
    for text in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] { #expect(autumn.covers(try time(text))) }
    #expect(!autumn.covers(try time("2026-10-25T02:00:00Z")))
    // 2026-03-29: after 01:59:59 it is 03:00.
    let spring = window(from: 120, to: 180) { $0.seconds < 1_774_746_000 ? 3600 : 7200 }
    for text in ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"] { #expect(!spring.covers(try time(text))) }
    #expect(try (0..<24).allSatisfy { window().covers(try time("2026-11-28T\($0 < 10 ? "0" : "")\($0):59:59Z")) })
  }

  @Test("A window that comes once has its start and not its end")
  func once() throws {
    let window = SilentWindow(
      name: "x", .once(from: try time("2026-12-01T22:00:00Z"), to: try time("2026-12-02T02:00:00Z")))
    for (text, isCovered) in [
      ("2026-12-01T21:59:59Z", false), ("2026-12-01T22:00:00Z", true), ("2026-12-02T01:59:59Z", true),
      ("2026-12-02T02:00:00Z", false),
    ] { #expect(window.covers(try time(text)) == isCovered) }
  }

  @Test("Only what fires, and is no more urgent than it says, is held back, and from its channels alone")
  func heldBack() throws {
    func channel(_ name: String) -> Channel {
      Channel(name: name, level: .info, isCopy: name == "log", kind: .command(["true"]))
    }
    var silence = window()
    func left(_ level: NoticeLevel, _ status: OutgoingNotice.Status = .firing, outage: String? = nil) throws -> [String]
    {
      let routes = ChannelRoutes([channel("pager"), channel("mail"), channel("log")], silences: [silence])
      let notice = try sampleNotice(level: level, status: status)
      let (route, suppressed) = routes.suppressing(notice, along: routes.route(level), taken: [], outage: outage)
      let left = (route.inTurn + route.copies).map(\.name)
      #expect((left + suppressed.flatMap(\.channels)).sorted() == ["log", "mail", "pager"])
      return left
    }
    #expect(try left(.warning) == [])
    #expect(try left(.critical) == ["pager", "mail", "log"])
    #expect(try left(.warning, .resolved) == ["pager", "mail", "log"])
    silence.channels = ["pager", "log"]
    #expect(try left(.warning) == ["mail"])
    #expect(try left(.critical, outage: "p1-outage") == [])
  }
}

@Suite struct NoticeLimitTests {
  private let state: StateFolder
  private let scratch: TemporaryFolder

  init() throws {
    scratch = try TemporaryFolder()
    state = StateFolder("\(scratch.path)/state")
  }

  private func file(_ name: String) -> String { "\(scratch.path)/\(name)" }

  private func channel(_ name: String, limit: NoticeLimit? = nil, isCopy: Bool = false) -> Channel {
    Channel(name: name, level: .info, isCopy: isCopy, limit: limit, kind: .file(file(name)))
  }

  private func titles(_ name: String) -> [String] {
    guard let text = try? String(contentsOfFile: file(name), encoding: .utf8) else { return [] }
    return text.split(separator: "\n").compactMap { try? JSON(parsing: String($0))["title"]?.string }
  }

  private func notice(
    _ title: String, level: NoticeLevel = .warning, at time: String = "2026-11-28T22:00:00Z",
    status: OutgoingNotice.Status = .firing
  ) throws -> OutgoingNotice {
    OutgoingNotice(
      key: title, level: level, status: status, title: title, text: "text of \(title)",
      time: try #require(Timestamp(time)),
      origin: OutgoingNotice.Provenance(run: nil, runbook: nil, target: nil, host: "ops1", project: nil))
  }

  @discardableResult
  private func tell(_ notice: OutgoingNotice, _ channels: [Channel]) async -> [NoticeDelivery] {
    await Dispatcher(pauses: [], state: state).deliver(
      notice, along: ChannelRoutes(channels).route(notice.level), by: .now + .seconds(20))
  }

  @Test("A notice above the limit goes to the next channel; the next one that is taken says how many were missed")
  func limited() async throws {
    let channels = [channel("pager", limit: NoticeLimit(notices: 2, per: .seconds(3600))), channel("mail")]
    for number in 1...5 { await tell(try notice("n\(number)", at: "2026-11-28T22:0\(number):00Z"), channels) }
    #expect(titles("pager") == ["n1", "n2"] && titles("mail") == ["n3", "n4", "n5"])
    await tell(try notice("n6", at: "2026-11-28T23:01:00Z"), channels)
    #expect(titles("pager") == ["n1", "n2", "n6"])
    let text = try String(contentsOfFile: file("pager"), encoding: .utf8)
    #expect(
      text.contains("this channel was not told of 3 other problems since 2026-11-28T22:03:00Z"), "\(text)")
    // It is said once.
    await tell(try notice("n7", at: "2026-11-28T23:02:00Z"), channels)
    #expect(
      try String(contentsOfFile: file("pager"), encoding: .utf8).components(separatedBy: "Because of its limit").count
        == 2)
  }

  @Test("What is held back is no failure, and says so; levels count apart, and what is over is always told")
  func apart() async throws {
    let channels = [channel("pager", limit: NoticeLimit(notices: 1, per: .seconds(60)))]
    await tell(try notice("first"), channels)
    let second = try #require(await tell(try notice("second"), channels).first)
    #expect(second.isSuppressed && !second.isDelivered && second.tries == 0 && second.finding?.code == "notify.limited")
    await tell(try notice("third", level: .critical), channels)
    await tell(try notice("fourth", status: .resolved), channels)
    #expect(titles("pager") == ["first", "third", "fourth"])
  }

  @Test("What is held back of one problem several times counts once, and not for the notice that tells of it at last")
  func sameProblem() async throws {
    let channels = [channel("pager", limit: NoticeLimit(notices: 1, per: .seconds(3600)))]
    func again(_ key: String, at time: String) throws -> OutgoingNotice {
      OutgoingNotice(
        key: key, level: .warning, title: key, time: try #require(Timestamp(time)),
        origin: OutgoingNotice.Provenance(
          run: nil, runbook: "daily-health", target: "eu", host: "ops1", project: nil))
    }
    await tell(try notice("first"), channels)
    for minute in 1...3 { await tell(try again("n\(minute)", at: "2026-11-28T22:0\(minute):00Z"), channels) }
    await tell(try again("n4", at: "2026-11-28T23:00:00Z"), channels)
    #expect(titles("pager") == ["first", "n4"])
    #expect(try !String(contentsOfFile: file("pager"), encoding: .utf8).contains("Because of its limit"))
  }

  @Test("A run that died keeps its place for itself; for the others it is free once ten minutes have passed")
  func died() async throws {
    let limit = NoticeLimit(notices: 1, per: .seconds(3600))
    let counts = NoticeCounts(state: state)
    let dead = try notice("dead")
    guard case .place = try await counts.take(limit, of: "pager", for: dead, isLast: false) else {
      Issue.record("no place")
      return
    }
    let other = try notice("other")
    #expect(try await counts.take(limit, of: "pager", for: other, isLast: false) == .undecided)
    #expect(try await counts.take(limit, of: "pager", for: other, isLast: true) == .limited)
    await tell(dead, [channel("pager", limit: limit)])
    #expect(titles("pager") == ["dead"])
    guard
      case .place = try await counts.take(
        limit, of: "mail", for: try notice("a"), isLast: false)
    else {
      Issue.record("no place")
      return
    }
    await tell(try notice("b", at: "2026-11-28T22:10:01Z"), [channel("mail", limit: limit)])
    #expect(titles("mail") == ["b"])
  }

  @Test(
    "A notice waits for the end of one that has the last place, and takes that place if the channel did not take the other"
  )
  func undecided() async throws {
    let limit = NoticeLimit(notices: 1, per: .seconds(3600))
    let counts = NoticeCounts(state: state)
    guard case .place(let place) = try await counts.take(limit, of: "pager", for: try notice("slow"), isLast: false)
    else {
      Issue.record("no place")
      return
    }
    async let second = tell(try notice("second"), [channel("pager", limit: limit)])
    try await counts.settle(place, isDelivered: false)
    #expect(try await second.map(\.isDelivered) == [true])
  }

  @Test("Who holds the lock of the counts keeps nobody from being told")
  func locked() async throws {
    let channels = [channel("pager", limit: NoticeLimit(notices: 1, per: .seconds(60)))]
    await tell(try notice("first"), channels)
    let lock = try File(opening: "\(state.notices)/.lock", O_RDWR)
    try lock.lock()
    let second = try #require(await tell(try notice("second"), channels).first)
    #expect(second.isDelivered && second.answer?.contains("could not be counted") == true, "\(second)")
    withExtendedLifetime(lock) {}
  }

  @Test("A notice that the channel did not take does not count")
  func failed() async throws {
    let limit = NoticeLimit(notices: 1, per: .seconds(60))
    try FileManager.default.createDirectory(atPath: file("pager"), withIntermediateDirectories: true)
    #expect(await tell(try notice("lost"), [channel("pager", limit: limit)]).first?.isDelivered == false)
    try FileManager.default.removeItem(atPath: file("pager"))
    await tell(try notice("told"), [channel("pager", limit: limit)])
    #expect(titles("pager") == ["told"])
  }

  @Test("A clock that goes back, or was far ahead, neither opens the limit nor closes it for long")
  func clock() async throws {
    let channels = [channel("pager", limit: NoticeLimit(notices: 1, per: .seconds(3600)))]
    await tell(try notice("a"), channels)
    await tell(try notice("an hour back", at: "2026-11-28T21:00:01Z"), channels)
    #expect(titles("pager") == ["a"])
    await tell(try notice("b", at: "2036-01-01T00:00:00Z"), channels)
    await tell(try notice("c", at: "2026-11-28T23:10:00Z"), channels)
    #expect(titles("pager") == ["a", "b", "c"])
  }

  @Test("Of many at the same time so many are told as the limit says")
  func crowd() async throws {
    let channels = [
      channel("pager", limit: NoticeLimit(notices: 10, per: .seconds(3600))), channel("log", isCopy: true),
    ]
    let notices = try (0..<100).map { try notice("n\($0)") }
    await withTaskGroup(of: Void.self) { group in
      for notice in notices { group.addTask { _ = await tell(notice, channels) } }
    }
    #expect(titles("pager").count == 10 && titles("log").count == 100)
  }

  @Test("If it cannot be counted, people are told all the same, and the answer says so")
  func uncounted() async throws {
    let channels = [channel("pager", limit: NoticeLimit(notices: 1, per: .seconds(60)))]
    await tell(try notice("first"), channels)
    // A record that is damaged says nothing.
    for damage in ["{", #"{"taken":[],"heldBack":{"problems":7,"since":"now"}}"#, #"{"taken":[{"time":1}]}"#] {
      try damage.write(toFile: "\(state.notices)/pager.warning.json", atomically: true, encoding: .utf8)
      await tell(try notice("again"), channels)
    }
    try FileManager.default.removeItem(atPath: state.notices)
    try "".write(toFile: state.notices, atomically: true, encoding: .utf8)
    let third = try #require(await tell(try notice("third"), channels).first)
    #expect(
      third.isDelivered && third.answer?.contains("the notices to pager could not be counted") == true, "\(third)")
    #expect(titles("pager") == ["first", "again", "again", "again", "third"])
  }
}
