import Journal
import Schema
import Steps

/// Modules that the language is tried on: one of each effect, and fields of every type.
let sampleCatalog = Catalog([
  AnyStepModule(SampleRelay.self), AnyStepModule(SampleLook.self), AnyStepModule(SampleRestart.self),
  AnyStepModule(SampleTell.self), AnyStepModule(SampleLogin.self), AnyStepModule(SampleEverything.self),
  AnyStepModule(SampleCommand.self),
])

/// Judges by itself; the shape of a media probe.
struct SampleRelay: StepModule {
  struct Input: Sendable {
    var server: TURNServer
    var packets: Int
    var maxRtt: Duration
    static let record = Record(
      Input.init,
      Field("server", \.server, .turnServer, "The server."),
      Field("packets", \.packets, .int.within(1...10_000), default: 50, "Packets to send."),
      Field("maxRtt", \.maxRtt, .duration, default: .seconds(1), "The longest round trip."))
  }

  struct Times: Sendable {
    var p50: Duration
    var p95: Duration
    static let record = Record(
      Times.init, Field("p50", \.p50, .duration, "Median."), Field("p95", \.p95, .duration, "95th percentile."))
  }

  struct Output: Sendable {
    var sent: Int
    var lost: Int
    var rtt: Times
    var address: String
    var note: String?
    static let record = Record(
      Output.init,
      Field("sent", \.sent, .int, "Packets sent."), Field("lost", \.lost, .int, "Packets lost."),
      Field("rtt", \.rtt, .record(Times.record), "Round trips."),
      Field("address", \.address, .ip, "The relayed address."),
      Field("note", \.note, .optional(.string), "A remark."))
  }

  static let declaration = ModuleDeclaration(
    "sample.relay", "Relays.", effect: .observe, judges: true, deadline: .seconds(20), input: Input.record,
    output: Output.record, examples: [])

  static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.maxRtt > timeout else { return nil }
    return Finding("sample.tooLong", "One round trip may outlast the timeout.", advice: "Raise the timeout.")
  }

  func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    throw .broken("sample", "never run")
  }
}

/// Judges nothing; puts out what may be anything.
struct SampleLook: StepModule {
  struct Input: Sendable {
    var name: String
    static let record = Record(Input.init, Field("name", \.name, .string, default: "x", "What to look at."))
  }

  enum State: String, CaseIterable, Sendable {
    case up
    case down
  }

  struct Output: Sendable {
    var state: State
    var count: Int
    var ratio: Double
    var document: Value
    var names: [String]
    var ready: Bool
    static let record = Record(
      Output.init,
      Field("state", \.state, .enumeration(State.self), "Its state."),
      Field("count", \.count, .int, "How many."), Field("ratio", \.ratio, .double, "A part."),
      Field("document", \.document, .any, "What was found."),
      Field("names", \.names, .list(.string), "Names."), Field("ready", \.ready, .bool, "Whether it is ready."))
  }

  static let declaration = ModuleDeclaration(
    "sample.look", "Looks.", effect: .observe, judges: false, deadline: .seconds(5), input: Input.record,
    output: Output.record, examples: [])

  func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    throw .broken("sample", "never run")
  }
}

/// Changes something.
struct SampleRestart: StepModule {
  static let declaration = ModuleDeclaration(
    "sample.restart", "Restarts.", effect: .change, repetition: .atMostOnce, judges: false, deadline: .seconds(60),
    input: SampleLook.Input.record, output: Record<NoFields>.empty, examples: [])

  func run(_ input: SampleLook.Input, in context: StepContext) async throws(StepError) -> StepResult<NoFields> {
    throw .broken("sample", "never run")
  }
}

/// Does what its input says.
struct SampleCommand: StepModule {
  struct Input: Sendable {
    var command: [String]
    var exitCodes: [Int]
    static let record = Record(
      Input.init, Field("command", \.command, .list(.string).nonEmpty, "What to do."),
      Field("exitCodes", \.exitCodes, .list(.int), default: [0], "Which are no failure."))
  }

  struct Output: Sendable {
    var exitCode: Int?
    var stdout: String
    static let record = Record(
      Output.init, Field("exitCode", \.exitCode, .optional(.int), "How it ended."),
      Field("stdout", \.stdout, .string, "What it wrote."))
  }

  static let declaration = ModuleDeclaration(
    "sample.command", "Does.", effect: .change, mayOnlyObserve: true, repetition: .atMostOnce, judges: true,
    deadline: .seconds(60), input: Input.record, output: Output.record, examples: [])

  func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    throw .broken("sample", "never run")
  }
}

/// Tells somebody; takes a secret.
struct SampleTell: StepModule {
  struct Input: Sendable {
    var text: String
    var token: Secret?
    static let record = Record(
      Input.init, Field("text", \.text, .string, "What to say."),
      Field("token", \.token, .optional(.secret), "What to say it with."))
  }

  static let declaration = ModuleDeclaration(
    "sample.tell", "Tells.", effect: .notify, judges: false, deadline: .seconds(10), input: Input.record,
    output: Record<NoFields>.empty, examples: [])

  func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<NoFields> {
    throw .broken("sample", "never run")
  }
}

/// Takes a secret and gives one.
struct SampleLogin: StepModule {
  struct Input: Sendable {
    var user: String
    var password: Secret
    static let record = Record(
      Input.init, Field("user", \.user, .string, "Who."), Field("password", \.password, .secret, "The password."))
  }

  struct Output: Sendable {
    var session: Secret
    var accepted: Bool
    static let record = Record(
      Output.init, Field("session", \.session, .secret, "What it gave."),
      Field("accepted", \.accepted, .bool, "Whether it let us in."))
  }

  static let declaration = ModuleDeclaration(
    "sample.login", "Logs in.", effect: .observe, judges: true, deadline: .seconds(5), input: Input.record,
    output: Output.record, examples: [])

  func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    throw .broken("sample", "never run")
  }
}

/// Takes a value of every type.
struct SampleEverything: StepModule {
  struct Numbers: Sendable {
    var int: Int?
    var double: Double?
    var bytes: [UInt8]?
    var size: Int?
    var rate: Int?
    var part: Double?
    var port: Int?
    static let record = Record(
      Numbers.init,
      Field("int", \.int, .optional(.int), "An int."), Field("double", \.double, .optional(.double), "A double."),
      Field("bytes", \.bytes, .optional(.bytes), "Bytes."), Field("size", \.size, .optional(.byteSize), "A size."),
      Field("rate", \.rate, .optional(.bandwidth), "A bandwidth."),
      Field("part", \.part, .optional(.percent), "A percentage."), Field("port", \.port, .optional(.port), "A port."))
  }

  struct Input: Sendable {
    var flag: Bool?
    var text: String?
    var moment: Timestamp?
    var time: Duration?
    var host: String?
    var ip: String?
    var cidr: String?
    var path: String?
    var url: String?
    var server: String?
    var cron: String?
    var state: SampleLook.State?
    var numbers: Numbers?
    var list: [Duration]?
    var map: [String: Int]?
    var anything: Value?
    static let record = Record(
      Input.init,
      Field("flag", \.flag, .optional(.bool), "A flag."), Field("text", \.text, .optional(.string), "A text."),
      Field("moment", \.moment, .optional(.timestamp), "A moment."),
      Field("time", \.time, .optional(.duration), "A time."), Field("host", \.host, .optional(.host), "A host."),
      Field("ip", \.ip, .optional(.ip), "An address."), Field("cidr", \.cidr, .optional(.cidr), "A range."),
      Field("path", \.path, .optional(.path), "A path."), Field("url", \.url, .optional(.url), "A URL."),
      Field("server", \.server, .optional(.turnURI), "A TURN URI."),
      Field("cron", \.cron, .optional(.cron), "A schedule."),
      Field("state", \.state, .optional(.enumeration(SampleLook.State.self)), "A state."),
      Field("numbers", \.numbers, .optional(.record(Numbers.record)), "Numbers."),
      Field("list", \.list, .optional(.list(.duration)), "Durations."),
      Field("map", \.map, .optional(.map(.int)), "Ints."),
      Field("anything", \.anything, .optional(.any), "Anything."))
  }

  static let declaration = ModuleDeclaration(
    "sample.everything", "Takes everything.", effect: .observe, judges: true, deadline: .seconds(5),
    input: Input.record, output: Record<NoFields>.empty, examples: [])

  func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<NoFields> {
    throw .broken("sample", "never run")
  }
}

/// Needs the runs before this one.
struct SamplePast: StepModule {
  struct Output: Sendable { var runs: Int }

  static let declaration = ModuleDeclaration(
    "sample.past", "Counts earlier runs.", effect: .observe, judges: false, services: [.history],
    deadline: .seconds(5), input: .empty, output: Record(Output.init, Field("runs", \.runs, .int, "Runs.")),
    examples: [])

  func run(_ input: NoFields, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    throw .broken("sample", "never run")
  }
}
