import Foundation
import Testing

/// The messages that stand in the sources, with their codes: a page of the reference, and what was agreed on of their English.
@Suite struct MessageCatalogueTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let page = root.appending(path: "docs/reference/messages.md")

  private struct Message: Hashable {
    var code: String
    /// Several where the source chooses; empty if the text is put together elsewhere.
    var texts: [String]
    var advice: [String]
    /// Whether there is advice, also one that is put together elsewhere.
    var hasAdvice: Bool
    var isError: Bool
    var file: String
  }

  /// Of every call that states a problem with a code and a text.
  private static let messages: [Message] = {
    let folder = root.appending(path: "Sources")
    let files = ((try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? [])
      .filter { $0.hasSuffix(".swift") }.sorted()
    let sources = files.compactMap { file -> (String, String)? in
      (try? String(contentsOf: folder.appending(path: file), encoding: .utf8)).map { (file, $0) }
    }
    var constants: [String: String] = [:]
    for (_, text) in sources {
      for match in text.matches(of: /static let (\w+)(?:: \w+)? = (?:\w+)?\(?"([a-z]+\.[A-Za-z]+)"/) {
        constants[String(match.1)] = String(match.2)
      }
    }
    let call = /\b(?:error|warning|report|issue|refusal|Issue|Finding|ProbeFailure|broken|failed|notStarted)\(/
      .wordBoundaryKind(.simple)
    return sources.flatMap { file, text in
      SwiftSource(text).calls(call).compactMap { message($0, in: file, constants) }
    }
  }()

  private static func message(
    _ call: (name: String, arguments: [SwiftSource.Argument]), in file: String, _ constants: [String: String]
  ) -> Message? {
    let isDocument = file.hasPrefix("Language/") || file.hasPrefix("Commands/")
    for (index, argument) in call.arguments.prefix(4).enumerated() {
      var code: String?
      if let match = argument.source.wholeMatch(
        of: /"([a-z][a-z0-9]*(?:-[a-z0-9]+)+|yaml|anchor|alias|tag|directive|tab)"/)
      {
        code = isDocument ? String(match.1) : nil
      } else if let match = argument.source.wholeMatch(of: /"([a-z]+\.[a-z][A-Za-z0-9]*)"/) {
        code = String(match.1)
      } else if call.name.hasPrefix("ProbeFailure"), let match = argument.source.wholeMatch(of: /\.(\w+)/) {
        code = constants[String(match.1)]
      }
      guard let code else { continue }
      let rest = call.arguments.dropFirst(index + 1)
      let text = rest.first { $0.label == nil || $0.label == "message" }
      let advice =
        rest.filter { ["suggestion", "advice", "meant"].contains($0.label) && $0.source != "nil" }
        + rest.filter { $0.label == nil }.dropFirst()
      return Message(
        code: code, texts: text.map(\.literals) ?? [], advice: advice.flatMap(\.literals), hasAdvice: !advice.isEmpty,
        isError: call.name == "error(", file: file)
    }
    return nil
  }

  private static func cell(_ texts: [String]) -> String {
    let lines = texts.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
      .filter { $0.contains { $0 != "…" && !$0.isPunctuation } }
    return lines.map { $0.replacing("|", with: "\\|").replacing("<", with: "\\<") }.joined(separator: " / ")
  }

  private static func table(_ messages: [Message]) -> String {
    var rows: [String] = []
    for message in messages.sorted(by: { ($0.code, cell($0.texts)) < ($1.code, cell($1.texts)) }) {
      let row = "| `\(message.code)` | \(cell(message.texts)) | \(cell(message.advice)) |\n"
      if !cell(message.texts).isEmpty, !rows.contains(row) { rows.append(row) }
    }
    return "| code | message | what to do |\n|---|---|---|\n" + rows.joined()
  }

  private static func markdown() -> String {
    """
    # Messages

    What `runbook` says if something is wrong, by its code. `…` stands for a part that differs, ` / ` for a choice. The codes stay,
    the words may change. [Codes](../codes.md) says what each finding means, and [the language](../language.md) which rule a
    diagnostic belongs to. This page is made from the sources by `make docs`; texts that are put together from parts are not on it.

    ## Diagnostics of documents

    \(table(messages.filter { !$0.code.contains(".") }))
    ## Findings of runs

    \(table(messages.filter { $0.code.contains(".") }))
    """
  }

  @Test("docs/reference/messages.md has the messages as they stand in the sources; RUNBOOK_WRITE_DOCS=1 writes it anew")
  func page() throws {
    #expect(Self.messages.count > 400)
    let markdown = Self.markdown()
    if ProcessInfo.processInfo.environment["RUNBOOK_WRITE_DOCS"] == "1" {
      try markdown.write(to: Self.page, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: Self.page, encoding: .utf8) == markdown, "run `make docs`")
  }

  @Test("No message begins with \"where\" or \"it\": a sentence begins with what it is about")
  func beginnings() {
    let refused = Self.messages.flatMap { message in
      (message.texts.filter { $0.contains(/^(?:[Ww]here|[Ii]ts?)\b/) }
        + message.advice.filter { $0.contains(/^[Ww]here\b/) })
        .map { "\(message.file): \(message.code): \($0)" }
    }
    #expect(refused == [])
  }

  @Test("Every error of a document names what to do")
  func remedies() {
    let silent = Self.messages.filter { message in
      message.isError && message.file.hasPrefix("Language/") && !message.hasAdvice && !message.texts.isEmpty
        // A text that is put together elsewhere has none of its own.
        && !message.texts.allSatisfy { text in
          !text.contains(where: \.isLetter) || text.contains(/\b(?:must|needs?|expected|supported)\b/)
        }
    }
    #expect(silent.map { "\($0.file): \($0.code): \($0.texts)" } == [])
  }

  /// Findings about which there is nothing to do, with the reason.
  private static let informative: [String: String] = {
    let stopped = "the step was stopped by its timeout or by the end of the run, which the report says"
    let codes = [
      "backup.interrupted", "coturn.interrupted", "dns.interrupted", "log.interrupted", "probe.cancelled",
      "tcp.interrupted",
    ]
    return [
      "command.failed": "the report shows what the program printed",
      "person.declined": "it has the reason that the person gave", "plugin.critical": "it is what the plugin says",
      "plugin.warning": "it is what the plugin says", "run.ended": "it says what ended the run",
    ].merging(codes.map { ($0, stopped) }) { own, _ in own }
  }()

  @Test("Every finding says what to do, or is listed with the reason why there is nothing to do")
  func findingRemedies() {
    let silent = Self.messages.filter { $0.code.contains(".") && !$0.hasAdvice }
    #expect(
      silent.filter { Self.informative[$0.code] == nil }.map { "\($0.file): \($0.code): \($0.texts)" } == [])
    #expect(Set(Self.informative.keys).subtracting(silent.map(\.code)) == [], "these say what to do")
  }

  @Test("No message puzzles its reader with words that say what is not")
  func riddles() {
    let refused = [
      ": it says nothing", "expects nothing", "depends on nothing",
    ]
    let found = Self.messages.flatMap { message in
      (message.texts + message.advice).filter { text in refused.contains { text.contains($0) } }
        .map { "\(message.file): \(message.code): \($0)" }
    }
    #expect(found == [])
  }
}
