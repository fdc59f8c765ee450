import Coturn
package import Journal
import Logs
package import Schema
package import Steps

/// Summarises coturn's logs.
package struct CoturnLogModule: StepModule {
  package struct Input: Hashable, Sendable {
    package var files: [String]
    package var unit: String
    package var journal: LogJournal?
    package var container: LogContainer?
    package var since: Duration?
    package var until: Timestamp?
    package var version: String?
    package var mayBeAnother: Bool
    package var suspiciousFrom: Int

    /// What is read of the journal; nil for nothing.
    fileprivate var source: LogJournal? {
      journal ?? (unit.isEmpty ? nil : LogJournal(units: [unit], directory: nil, file: nil))
    }
  }

  package struct Output: Hashable, Sendable {
    package var isCoturn: Bool
    package var version: String?
    package var from: Timestamp?
    package var auth: CoturnLogOutput.Authentication
    package var sessions: CoturnLogOutput.Sessions
    package var refused: CoturnLogOutput.Refusals
    package var server: CoturnLogOutput.LoggedServer
    package var log: CoturnLogOutput.LoggedAccount
    package var files: [LogFileAccount]
  }

  package static let declaration = ModuleDeclaration(
    "coturn.log", "Summarise coturn's logs: sessions, bytes, refusals, starts, lost TLS listeners.",
    discussion: """
      It reads logs of coturn 4.5.0 to 4.17.1 in every form in which they are kept, the sources as `log.review` takes them:
      `files` (`/var/log/turnserver/*.log*`, rotated and compressed ones too; `-` is standard input), `journal`, and `container`. Version and
      form are told from the text. `unit` is short for `journal: {units: [NAME]}`; files are read first, so that one log goes on in the
      other.

      What means harm now ends the step in fail: TLS listeners that the last start lost, and crashes. What needs a look is a
      warning: a failed reload of certificates, exhausted ports, lines that a client forged, messages that the logger left out.
      How many refused log-ins are too many is yours to say: expect `output.auth.failures`.

      A 401 with an empty user name is every client's first request, and no failure. Failures of the user `runbook-probe`, which
      probes make on purpose, are left out; failures of other probes cannot be told from those of clients. Rates have no value
      where nothing measured them: without `verbose` the server logs failures alone.

      With `since` only records of that time count; sessions are followed from before. A log with seconds since the start alone,
      as most up to 4.16 are, is placed in time by when its file was last written; what cannot be placed counts, and is counted
      in `log.undated`. A log in which nothing is of coturn is an error, unless `mayBeAnother` is true.
      """,
    effect: .observe, judges: true,
    programs: ["journal", "unit"].map { RequiredProgram("journalctl", package: "systemd", ifGiven: $0) },
    files: ["files"],
    deadline: .seconds(600),
    input: Record(
      Input.init,
      Field("files", \.files, .list(.string), default: [], "Files to read, or patterns of their names."),
      Field("unit", \.unit, .string, default: "", "The systemd unit whose journal is read as well; none, if empty."),
      Field("journal", \.journal, .optional(.record(LogJournal.record)), "What to read of the systemd journal."),
      Field("container", \.container, .optional(.record(LogContainer.record)), "A container whose log is read."),
      Field("since", \.since, .optional(.duration), "How far back from now; everything, if not given."),
      Field("until", \.until, .optional(.timestamp), "The window's end, not included; now, if not given."),
      Field("version", \.version, .optional(.string), "The version of a log that names none, such as 4.6.1."),
      Field(
        "mayBeAnother", \.mayBeAnother, .bool, default: false,
        "Whether the log may be another program's: then nothing in it is judged, and isCoturn is false."),
      Field(
        "suspiciousFrom", \.suspiciousFrom, .int.within(1...1_000_000), default: 6,
        "From how many refused log-ins on an address is suspicious.")
    ),
    output: Record(
      Output.init,
      Field("isCoturn", \.isCoturn, .bool, "Whether the log is coturn's."),
      Field("version", \.version, .optional(.string), "Its version, or those that its records fit."),
      Field("from", \.from, .optional(.timestamp), "The window's start."),
      Field("auth", \.auth, .record(CoturnLogOutput.authentication), "Log-ins."),
      Field("sessions", \.sessions, .record(CoturnLogOutput.sessions), "Sessions and what they relayed."),
      Field("refused", \.refused, .record(CoturnLogOutput.refusals), "What was refused besides log-ins."),
      Field("server", \.server, .record(CoturnLogOutput.server), "What befell the server."),
      Field("log", \.log, .record(CoturnLogOutput.account), "What was read, and how far it can be trusted."),
      Field("files", \.files, .list(.record(LogFileAccount.record)), "What became of each file.")
    ),
    examples: [
      .init(
        "Few clients fail to log in, and nobody guesses passwords",
        with: "{files: [\"/var/log/turnserver/*.log*\"], since: 24h}",
        expect: ["output.auth.failures <= 100", "output.auth.suspicious.size() == 0"]),
      .init(
        "The unit's log tells how many of those who log in are let in",
        with: "{unit: coturn.service, since: 24h}",
        expect: ["output.auth.?success.orValue(0.0) > 95.0"]),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    if input.journal != nil, !input.unit.isEmpty {
      return Finding(
        "log.journalGivenTwice", "the step is given both a unit and a journal",
        advice: "Give one of them: `journal` has `units`.")
    }
    if input.files.isEmpty, input.source == nil, input.container == nil {
      return Finding(
        "log.nothingToRead", "the step is given no log to read",
        advice: "Give `files`, `unit: NAME.service`, `journal`, or `container: {name: NAME}`.")
    }
    if let finding = input.container?.objection { return finding }
    if let version = input.version, CoturnVersion(version) == nil {
      return Finding("coturn.versionInvalid", "\(version) is no version of coturn", advice: "Write it as in 4.6.1.")
    }
    return nil
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let from = input.since.flatMap { Moment.now().wall.earlier(by: $0) }
    let window = CoturnLogReview.Window(from: from, until: input.until)
    let readings = try await CoturnLogReading.all(of: input.files, input.source, input.container, window, in: context)
    let output = Output(readings, input, from: from)
    try refuse(readings, input, output)
    guard let verdict = CoturnLogVerdict(readings) else { return .done(output) }
    return verdict.isFailure ? .failed(output, verdict.finding) : .warned(output, verdict.finding)
  }

  /// What was not read may hold anything.
  private func refuse(_ reading: CoturnLogReading, _ input: Input, _ output: Output) throws(StepError) {
    let learnt = Self.declaration.output.encode(output)
    func broken(_ finding: Finding) -> StepError {
      guard case .members(let members) = learnt else { return StepError(.broken, finding) }
      return StepError(.broken, finding, learnt: members)
    }
    if let finding = reading.unread(input.files) { throw broken(finding) }
    guard !reading.facts.hasRecognized, !input.mayBeAnother, reading.quietSource == nil,
      reading.facts.account.lines > 0
    else { return }
    guard !reading.facts.holdsJournalExport else {
      throw broken(
        Finding(
          "log.journalExport", "the log is entries of the systemd journal in its export form, which is not read",
          advice: "Write them with: journalctl -o json --all. A journal on this host is read with `unit` or `journal`.")
      )
    }
    throw broken(
      Finding(
        "coturn.notItsLog", "none of the \(reading.facts.account.lines) lines is a record that coturn writes",
        advice: "Look where the server logs: `log-file` and `syslog` in turnserver.conf, or the journal of its unit."))
  }
}

extension CoturnLogModule.Output {
  fileprivate init(_ reading: CoturnLogReading, _ input: CoturnLogModule.Input, from: Timestamp?) {
    let facts = reading.facts
    self.init(
      isCoturn: facts.hasRecognized, version: facts.versionText(told: input.version.flatMap { CoturnVersion($0) }),
      from: from, auth: .init(facts, suspiciousFrom: input.suspiciousFrom), sessions: .init(facts),
      refused: .init(facts), server: .init(facts), log: .init(facts), files: reading.files.map(LogFileAccount.init))
  }
}
