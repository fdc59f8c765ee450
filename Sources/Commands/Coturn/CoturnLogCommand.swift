package import ArgumentParser
import Coturn
import FoundationEssentials
import Logs
import Reports
import Schema
import TerminalText

extension CoturnCommand {
  /// `runbook coturn log`.
  package struct LogCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
      commandName: "log",
      abstract: "Summarise coturn's logs: sessions, bytes, refusals, lost TLS listeners, starts.",
      discussion: """
        It reads logs of coturn 4.5.0 to 4.17.1 as files, rotated and compressed ones, and as syslog, journalctl -o json, \
        Docker and Kubernetes keep them. Give a rotated set whole; - is standard input. The version is told from the text.

          runbook coturn log /var/log/turnserver/turn.log
          runbook coturn log /var/log/turnserver/turn.log* --since 24h
          journalctl -u coturn -o json --all | runbook coturn log - --format json
          docker logs coturn 2>&1 | runbook coturn log -

        With --since or --until only records of that time count; sessions and starts are followed before it too. A log that \
        has only seconds since the start, as those of most servers up to 4.16 are, is placed in time by when its file was \
        last written. What cannot be placed counts, and a note says so.

        Exit code 3 if a file cannot be read, or if nothing in it is of coturn.
        """)

    @Argument(help: ArgumentHelp("Files, or patterns of their names; - for standard input.", valueName: "file"))
    var files: [String]

    @Option(
      help: ArgumentHelp(
        "Only records from this moment on: 2026-07-01T00:00:00Z, or how long ago: 24h.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only records before this moment, or how long ago.", valueName: "time"))
    var until: String?

    @Option(help: ArgumentHelp("The version of a log that names none.", valueName: "version"))
    var coturnVersion: String?

    @Option(help: "text or json.") var format: OutputFormat = .text

    package init() {}

    package func validate() throws {
      guard !files.isEmpty else { throw ValidationError("give the log's files, or - for standard input") }
      let now = Self.now
      for (option, text) in [("--since", since), ("--until", until)] {
        if let text, Self.moment(text, now: now) == nil {
          throw ValidationError(
            "\(option) takes a moment with its zone, such as 2026-07-01T00:00:00Z, or a duration, such as 24h; found \"\(text)\""
          )
        }
      }
      if let coturnVersion, CoturnVersion(coturnVersion) == nil {
        throw ValidationError("--coturn-version takes a version such as 4.6.1; found \"\(coturnVersion)\"")
      }
    }

    package func run() async throws {
      let window = try window()
      let review = CoturnLogReview(window: window)
      let readings = LogFiles(files).read(into: review, from: nil)
      try refuse(readings)
      let facts = review.facts()
      guard facts.isCoturn else { throw nothing(facts, window) }
      let told = coturnVersion.flatMap { CoturnVersion($0) }
      for note in facts.notes(told: told) { Terminal.standardError.write("note: \(terminalSafe(note))\n") }
      let names = readings.filter { $0.result == .read }.map { URL(filePath: $0.path).lastPathComponent }
      switch format {
      case .json:
        let document = facts.json(told: told, set: names, window: window)
        Terminal.standardOutput.write(document.text(.indented) + "\n")
      case .text: Terminal.standardOutput.write(facts.summary(told: told).map { terminalSafe($0) + "\n" }.joined())
      }
    }

    private static var now: Timestamp {
      let seconds = Date().timeIntervalSince1970
      return Timestamp(seconds: Int64(seconds), nanoseconds: 0) ?? .unixEpoch
    }

    /// A moment, or one that lies a duration before now.
    private static func moment(_ text: String, now: Timestamp) -> Timestamp? {
      Timestamp(text) ?? parseDuration(text).flatMap { $0 >= .zero ? now.earlier(by: $0) : nil }
    }

    private func window() throws -> CoturnLogReview.Window? {
      guard since != nil || until != nil else { return nil }
      let now = Self.now
      let window = CoturnLogReview.Window(
        from: since.flatMap { Self.moment($0, now: now) }, until: until.flatMap { Self.moment($0, now: now) } ?? now)
      if let from = window.from, let until = window.until, from >= until {
        throw CommandFailure(
          .invalid, "the window ends before it begins", advice: "--since must lie before --until, and before now")
      }
      return window
    }

    private func refuse(_ readings: [LogFiles.Reading]) throws {
      if let file = readings.first(where: { [.unreadable, .damaged, .shrank].contains($0.result) }) {
        throw CommandFailure(.error, "\(file.path) cannot be read: \(file.reason ?? "no reason given")")
      }
      guard !readings.isEmpty else {
        throw CommandFailure(
          .error, "no file is named \(files.joined(separator: " or "))",
          advice: "look where the server logs: log-file in turnserver.conf, or the journal of its unit")
      }
    }

    private func nothing(_ facts: CoturnLogFacts, _ window: CoturnLogReview.Window?) -> CommandFailure {
      let name = files.joined(separator: ", ")
      guard facts.account.bytes > 0 else {
        return CommandFailure(
          .error, "\(name) holds nothing",
          advice: "without simple-log the server writes to turn_PID_DATE.log: look at log-file in turnserver.conf")
      }
      if facts.hasRecognized {
        return CommandFailure(
          .error, "\(name) holds no record of this time",
          advice: "check that the service runs, and that it still logs there")
      }
      if facts.holdsJournalExport {
        return CommandFailure(
          .error, "\(name) holds entries of the systemd journal in its export form, which is not read",
          advice: "write them with: journalctl -o json --all")
      }
      return CommandFailure(
        .error, "\(name) is no log of coturn: none of its \(facts.account.lines) lines is a record that coturn writes",
        advice: "look where the server logs: log-file and syslog in turnserver.conf, or the journal of its unit")
    }
  }
}
