/// What is known of one writer of a log: a file has one, the output of several containers or a syslog has more.
struct LogStream {
  /// The container or the program; empty if the log does not say.
  let name: String
  /// Whether it wrote a record that only coturn writes. Until then its records do not count.
  var isRecognized = false
  /// What it wrote before it was recognized.
  var waiting = Waiting()
  /// The number of its start; 1 before the first one that the log tells of.
  var start = 1
  var hasStarted = false
  var lastTime: RecordTime?
  /// How often the last record counts: what continues it counts as often.
  var weight = 1
  /// The last record's text begins on the next line, as texts of configuration did up to 4.6.1.
  var continues = false
  /// The line before was the first of a start's, up to 4.6.1.
  var isBanner = false
  /// Records since the last start, to tell one that is written twice.
  var recordsSinceStart = 0
  /// How many records there had been since then when time went back for the last time.
  var lastReversal: Int?
  /// Every record is written twice, as 4.5.2 does on standard output.
  var isDoubled = false
  /// What a client may have put into the log behind the last record.
  var clientText: ClientText?
  /// The line before, where it is not to be found in the block.
  var previous: [UInt8] = []

  struct Waiting {
    var records = 0
    var errors = 0
    var first: CoturnLogMoment?
    var last: CoturnLogMoment?
  }

  init(name: String) { self.name = name }
}

/// What stands behind a record whose end a client chose: up to 4.16 a newline in a user name, realm, origin or request puts
/// whole lines into the log.
struct ClientText {
  enum Kind {
    /// A user name or realm that was refused. If nothing of what stands on its line is a reason to refuse it, the newline is:
    /// the next line is the client's for certain.
    case name(isCertain: Bool)
    /// An origin of a form that is not known; most have no newline.
    case origin
    /// A request of HTTP, to its empty line.
    case request(hasEnded: Bool)
    /// The record itself goes on behind the origin.
    case insideRecord(line: [UInt8], end: StaticString)
  }

  struct Line {
    var bytes: [UInt8]
    var envelope: RecordTime?
    var weight: Int
  }

  var kind: Kind
  /// How many bytes may still be the client's.
  var budget: Int
  var time: RecordTime
  var thread: UInt64
  var session: UInt64?
  /// Whether the record stood on its line with nothing of a logger around it: so do the client's lines.
  var isBare: Bool
  var lines: [Line] = []
}
