package import Schema

/// What a log of coturn says, over all the sources that were read.
package struct CoturnLogFacts: Sendable {
  /// The version that the last start names; nil if the log has none.
  package var version: CoturnVersion?
  /// The versions that fit the records; the same one twice if a start names it.
  package var versions: ClosedRange<CoturnVersion> = CoturnVersion.oldestKnown...CoturnVersion.newestKnown
  /// Records of coturn: one of several lines counts once, a repeated one as often as it says, forged ones do not count.
  package var records = 0
  /// Records with the marker ERROR. Logs of versions up to 4.5.1.3 have none in their files.
  package var errorLevelRecords = 0
  package var longestRecord = 0
  /// Whether a record is cut: the longest that the version writes.
  package var hasCutRecords = false
  package var counts = [Int](repeating: 0, count: CoturnLogKind.allCases.count)
  /// 401 with an empty user name: asked for credentials, as every client is at first.
  package var challenges = 0
  package var users = Tally<CoturnUserCounts>()
  package var clients = Tally<CoturnClientCounts>()
  /// By peer and range, one byte 0 between them.
  package var deniedPeers = Tally<Int>()
  package var closeReasons = Tally<Int>(limit: 1000)
  /// Of the failures, those with a REST name whose time was over: only the name and the record's wall time tell.
  package var expired = 0
  /// Failures of the user `runbook-probe`, which count nowhere else.
  package var probeFailures = 0
  /// 403 for a peer, whether its range is logged or not.
  package var forbidden = 0
  /// ALLOCATE: what came of the requests that had credentials.
  package var allocationsSucceeded = 0
  package var allocationsRefused = 0
  /// Sessions.
  package var opened = 0
  package var closed = 0
  package var closedWithoutAllocation = 0
  package var leftOpen: [CoturnSession] = []
  package var sessions: [CoturnSession] = []
  /// Sessions with bytes that are not listed, and open ones that were given up: the lists are bounded.
  package var sessionsLeftOut = 0
  /// What peers sent and what was sent to them, of all sessions; nil if no record tells of it.
  package var relayedBytes: UInt64?
  package var starts = 0
  package var terminations = 0
  package var reloads = 0
  package var logReopened = 0
  /// Whether the last start has lost its TLS listeners, by the record that decides it; nil without a start.
  package var isTLSLost: Bool?
  /// Whether the last reload of certificates failed; nil without one.
  package var isReloadFailed: Bool?
  /// Whether the server is draining since its last start.
  package var isDraining = false
  /// Whether records are there that only a verbose server writes.
  package var isVerbose = false
  /// Lines that a client put into the log by its name, realm or origin; they count nowhere.
  package var forgedLines = 0
  /// Records whose time lies before that of the record before them, without a start between.
  package var timeReversals = 0
  /// Records that were not to be placed in time: they count, whatever the window.
  package var undated = 0
  /// Messages that a logger says it left out.
  package var suppressed = 0
  /// Records of a journal without a message that can be read.
  package var unreadableRecords = 0
  /// Lines of other programs.
  package var foreignLines = 0
  package var first: CoturnLogMoment?
  package var last: CoturnLogMoment?
  package var account = CoturnLogAccount()

  /// Whether lines of `journalctl -o export` were read, which are not understood.
  package internal(set) var holdsJournalExport = false

  package init() {}

  package func count(_ kind: CoturnLogKind) -> Int { counts[kind.place] }

  /// Ends of the server that nobody asked for.
  package var crashes: Int { count(.segfault) + count(.killed) + count(.aborted) }

  package var failures: Int { count(.unknownOrExpired) + count(.wrongPassword) }
  package var restarts: Int { max(0, starts - 1) }
  /// Whether records of coturn were found within the window.
  package var isCoturn: Bool { records > 0 }
  /// Whether something is of coturn, within the window or not; false for what is no log of coturn.
  package var hasRecognized = false

  /// Of the requests for an allocation that came with credentials, how many had the right ones, in percent; nil if nothing
  /// measured it: no request, or a server that is not verbose, which logs failures alone.
  package var authenticationSuccess: Double? {
    guard isVerbose else { return nil }
    return Self.percent(allocationsSucceeded + allocationsRefused, failures)
  }

  /// Of the requests for an allocation with the right credentials, how many got one, in percent; nil if nothing measured it.
  package var allocationSuccess: Double? { isVerbose ? Self.percent(allocationsSucceeded, allocationsRefused) : nil }

  private static func percent(_ good: Int, _ bad: Int) -> Double? {
    good + bad > 0 ? Double(good) * 100 / Double(good + bad) : nil
  }
}

/// When a record was written: of the wall clock, or by the server's start and the seconds since then.
package enum CoturnLogMoment: Hashable, Sendable {
  /// - Parameter offset: seconds ahead of UTC of the clock that wrote it.
  case wall(Timestamp, offset: Int)
  case sinceStart(start: Int, seconds: Int64)
}

/// What was read.
package struct CoturnLogAccount: Hashable, Sendable {
  /// Of the last source: a rotated set ends with the file that is written.
  package var linesOfLastSource = 0
  package var lines = 0
  package var bytes = 0
  package var nulBytes = 0
  package var cutLines = 0

  package init() {}
}
