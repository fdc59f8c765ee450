package import Journal
import Logs
package import Schema
package import Steps

/// Looks through logs for patterns, and accounts for what was read.
package struct LogReviewModule: StepModule {
  package struct Input: Hashable, Sendable {
    package var files: [String]
    package var journal: LogJournal?
    package var container: LogContainer?
    package var since: Duration?
    package var until: Timestamp?
    package var program: String?
    package var patterns: [String: LogRule]
    package var samples: Int
  }

  package struct Output: Hashable, Sendable {
    package var matches: [String: LogFinding]
    package var from: Timestamp?
    package var lines: Int
    package var bytes: Int
    package var files: [LogFileAccount]
    package var empty: Int
    package var undated: Int
    package var suppressed: Int
    package var unreadableRecords: Int
    package var cutLines: Int
    package var nulBytes: Int
  }

  package static let declaration = ModuleDeclaration(
    "log.review", "Look through logs for patterns, with an account of what was read.",
    discussion: """
      `files` takes paths and patterns of names (`/var/log/turnserver/*.log*`); rotated files are read from the oldest on, and
      gzip, xz, bzip2 and zstd are undone. `journal` reads the systemd journal in their place, or besides, and `container` what a
      container logs, from the Docker engine. `-` is standard input.

      A line may come from a program itself, from syslog (with "message repeated N times", which counts N times), from an
      access log, from `docker compose logs`, from Docker's json-file, from a container runtime of Kubernetes, or as JSON.
      Patterns are looked for in its message, which begins behind stamp, host and program; `^` is the start of the message.

      A pattern that is found more often than its `atMost` fails the step (`severity: fail`), warns (`warn`) or is only counted
      (`note`). With `since` only messages of that time up to now count; a message whose time is not known counts always, and
      is counted in `undated`.

      What cannot be read makes the result unknown: a file that is missing, unreadable or damaged is an error, and so are
      patterns of names that stand for no file. If the logger says that it left messages out, the step warns.
      """,
    effect: .observe, judges: true,
    programs: [RequiredProgram("journalctl", package: "systemd", ifGiven: "journal")], files: ["files"],
    deadline: .seconds(300),
    input: Record(
      Input.init,
      Field("files", \.files, .list(.string), default: [], "Files to read, or patterns of their names."),
      Field("journal", \.journal, .optional(.record(LogJournal.record)), "What to read of the systemd journal."),
      Field("container", \.container, .optional(.record(LogContainer.record)), "A container whose log to read."),
      Field("since", \.since, .optional(.duration), "How far back from now; everything, if not given."),
      Field("until", \.until, .optional(.timestamp), "The window's end, not included; now, if not given."),
      Field(
        "program", \.program, .optional(.string), "Only messages of this program, by its name in syslog or journal."),
      Field("patterns", \.patterns, .map(.record(LogRule.record)), "What is looked for, by names of your own."),
      Field("samples", \.samples, .int.within(0...100), default: 3, "How many messages of each pattern are kept.")
    ),
    output: Record(
      Output.init,
      Field("matches", \.matches, .map(.record(LogFinding.record)), "What was found of each pattern, by its name."),
      Field("from", \.from, .optional(.timestamp), "The window's start."),
      Field("lines", \.lines, .int, "Lines that were read."),
      Field("bytes", \.bytes, .byteSize, "What was read, decompressed."),
      Field("files", \.files, .list(.record(LogFileAccount.record)), "What became of each file."),
      Field("empty", \.empty, .int, "Files that hold nothing."),
      Field("undated", \.undated, .int, "Matching lines whose time is not known: they count, whatever the window."),
      Field("suppressed", \.suppressed, .int, "Messages that a logger left out, as it says itself."),
      Field("unreadableRecords", \.unreadableRecords, .int, "Journal records without a message that can be read."),
      Field("cutLines", \.cutLines, .int, "Lines longer than 1 MiB, read up to there."),
      Field("nulBytes", \.nulBytes, .int, "NUL bytes, which a log that was cut off under its writer begins with.")
    ),
    examples: [
      .init(
        "The log of the last day shows no lost TLS listener",
        with: """
          files: ["/var/log/turnserver/*.log*"]
          since: 24h
          patterns:
            tlsLost: {match: "cannot start TLS"}
            errors: {severity: warn, all: [ERROR], none: [Empty cli-password], atMost: 10}
          """,
        expect: ["output.matches['errors'].count < 100"]),
      .init(
        "The unit logs no crash",
        with: """
          journal: {units: [coturn.service]}
          since: 24h
          patterns:
            crash: {match: "segfault|core dumped"}
          """),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    if input.files.isEmpty, input.journal == nil, input.container == nil {
      return Finding(
        "log.nothingToRead", "the step is given no log to read",
        advice: "Give `files`, `journal: {units: [NAME.service]}`, or `container: {name: NAME}`.")
    }
    if let finding = input.container?.objection { return finding }
    if input.patterns.isEmpty {
      return Finding("log.nothingToLookFor", "the step is given no pattern", advice: "Give `patterns`.")
    }
    do throws(LogPatternError) {
      _ = try LogReview(patterns(of: input), .init())
      return nil
    } catch {
      return Finding(
        "log.patternInvalid", "pattern \(error.pattern): \(error.message)",
        advice: "Patterns are regular expressions of RE2: https://github.com/google/re2/wiki/Syntax")
    }
  }

  private static func names(of input: Input) -> [String] { input.patterns.keys.sorted() }

  private static func patterns(of input: Input) -> [LogPattern] {
    names(of: input).compactMap { name in
      input.patterns[name].map { LogPattern(name: name, match: $0.match, all: $0.all, none: $0.none) }
    }
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let now = Moment.now().wall
    let scope = LogReview.ReviewScope(
      from: input.since.flatMap { now.earlier(by: $0) }, until: input.until, program: input.program,
      samples: input.samples)
    let patterns = Self.patterns(of: input)
    var reading = LogReading(patterns)
    do throws(LogPatternError) {
      if !input.files.isEmpty { reading = try await LogReading.files(input.files, patterns, scope) }
    } catch {
      throw .broken(
        "log.patternInvalid", "pattern \(error.pattern): \(error.message)",
        advice: "Write the pattern in the syntax of RE2, which has no look-ahead and no references back.")
    }
    if let journal = input.journal {
      reading.add(try await journal.read(patterns, scope, in: context), samples: input.samples)
    }
    if let container = input.container {
      reading.add(try await container.read(patterns, scope, in: context), samples: input.samples)
    }
    guard !Task.isCancelled else {
      throw StepError(.interrupted, Finding("log.interrupted", "reading was ended before the end of the logs"))
    }
    let output = output(of: reading, input, scope)
    try refuse(reading, input, output)
    guard let finding = finding(output, reading, input) else { return .done(output) }
    return finding.isFailure ? .failed(output, finding.finding) : .warned(output, finding.finding)
  }

  private func output(of reading: LogReading, _ input: Input, _ scope: LogReview.ReviewScope) -> Output {
    var matches: [String: LogFinding] = [:]
    for (name, found) in zip(Self.names(of: input), reading.matches) { matches[name] = LogFinding(found) }
    return Output(
      matches: matches, from: scope.from, lines: reading.account.lines, bytes: reading.account.bytes,
      files: reading.files.map(LogFileAccount.init), empty: reading.files.count { $0.result == .empty },
      undated: reading.account.undated, suppressed: reading.account.suppressed,
      unreadableRecords: reading.account.unreadable, cutLines: reading.account.cutLines,
      nulBytes: reading.account.nulBytes)
  }

  /// What was not read may hold anything.
  private func refuse(_ reading: LogReading, _ input: Input, _ output: Output) throws(StepError) {
    let learnt = Self.declaration.output.encode(output)
    func broken(_ code: String, _ message: String, _ advice: String) -> StepError {
      guard case .members(let members) = learnt else { return .broken(code, message, advice: advice) }
      return StepError(.broken, Finding(code, message, advice: advice), learnt: members)
    }
    if let file = reading.files.first(where: { $0.result == .unreadable }) {
      throw broken(
        "log.unreadable", "\(file.path) cannot be read: \(file.reason ?? "no reason given")",
        "Check the path, and that this user may read the file and enter its folders.")
    }
    if let file = reading.files.first(where: { $0.result == .damaged }) {
      throw broken(
        "log.damaged", "\(file.path) is damaged: \(file.reason ?? "no reason given")",
        "What stands before the damage was read. Look at the file with zcat, xzcat, bzcat or zstdcat.")
    }
    if let file = reading.files.first(where: { $0.result == .shrank }) {
      throw broken(
        "log.shrank", "\(file.path) became shorter while it was read", "Run it again: the log was rotated meanwhile.")
    }
    if reading.files.isEmpty, !input.files.isEmpty {
      throw broken(
        "log.noFiles", "no file is named \(input.files.joined(separator: " or "))",
        "Look where the server logs: `log-file` in turnserver.conf, or the journal of its unit.")
    }
  }

  private func finding(_ output: Output, _ reading: LogReading, _ input: Input) -> (finding: Finding, isFailure: Bool)?
  {
    var broken: [(name: String, count: Int, isFailure: Bool)] = []
    for name in Self.names(of: input) {
      guard let rule = input.patterns[name], rule.severity != .note, let found = output.matches[name],
        found.count > rule.atMost
      else { continue }
      broken.append((name, found.count, rule.severity == .fail))
    }
    let isFailure = broken.contains { $0.isFailure }
    let worst = broken.filter { $0.isFailure == isFailure }
    if let first = worst.first {
      let sample = output.matches[first.name]?.samples.first.map { "For instance: \($0)" }
      let list = worst.map { "\($0.name) \(times($0.count))" }.joined(separator: ", ")
      return (Finding("log.patternFound", "found \(list)", advice: sample), isFailure)
    }
    if let source = reading.quietSource {
      return (
        Finding(
          "log.quiet", "\(source) in this time, and older ones",
          advice: "Check that the service runs, and that its log level says what you look for."), false
      )
    }
    if output.suppressed > 0 {
      return (
        Finding(
          "log.messagesLost", "the logger left \(output.suppressed) messages out: counts are lower bounds",
          advice: "Raise RateLimitBurst of journald, or the rate limit of rsyslog's imuxsock."), false
      )
    }
    if output.unreadableRecords > 0 {
      return (
        Finding(
          "log.recordsUnreadable", "\(output.unreadableRecords) records hold no message that can be read",
          advice: "Look at the log itself: what writes it may have changed its format."), false
      )
    }
    if output.cutLines > 0 {
      return (
        Finding(
          "log.linesCut", "\(output.cutLines) lines are longer than 1 MiB and were read up to there",
          advice: "What stands behind that was not looked at: look at the file yourself."), false
      )
    }
    if !output.files.isEmpty, output.files.allSatisfy({ $0.result == .empty || $0.result == .older }),
      output.files.contains(where: { $0.result == .older })
    {
      return (
        Finding(
          "log.quiet", "no file was written to in this time",
          advice: "Check that the service runs, and that it still logs there."), false
      )
    }
    if !output.files.isEmpty, output.files.allSatisfy({ $0.result == .empty }) {
      return (
        Finding(
          "log.empty", "all files are empty",
          advice: "A server that says nothing for long may log elsewhere: look at `log-file` and `syslog`."), false
      )
    }
    return nil
  }

  private func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }
}
