import Foundation
import Language
import Schema
import Testing

/// The numbered rules of docs/language.md, each with a project that keeps it and one that breaks it in every way.
@Suite("Rules of the language")
struct FixtureTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/language")

  static let rules: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasPrefix("L") }.sorted()

  private func issues(_ rule: String, _ half: String) throws -> [Schema.Issue] {
    let path = Self.folder.appendingPathComponent("\(rule)/\(half)").path
    let surroundings = Project.Surroundings(environment: [:], workingFolder: path, isRoot: false)
    return try Project.load(at: path, in: surroundings).validate(catalog: sampleCatalog)
  }

  @Test("What keeps the rule has no problem", arguments: rules)
  func valid(rule: String) throws {
    #expect(try issues(rule, "valid").map(\.line) == [])
  }

  @Test("What breaks the rule is reported at its place, all of it in one pass", arguments: rules)
  func invalid(rule: String) throws {
    let found = try issues(rule, "invalid").map(\.line)
    let file = Self.folder.appendingPathComponent("\(rule)/invalid/expected.txt")
    if ProcessInfo.processInfo.environment["RECORD"] != nil {
      try Data((found.joined(separator: "\n") + "\n").utf8).write(to: file)
    }
    let expected = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(found == expected)
    #expect(!found.isEmpty)
  }

  @Test("Every rule of the documentation has its two fixtures, and every fixture its rule")
  func complete() throws {
    let document = Self.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("docs/language.md")
    let text = try String(contentsOf: document, encoding: .utf8)
    let numbers = text.split(separator: "\n").filter { $0.hasPrefix("**L") }.compactMap { line in
      line.dropFirst(2).split(separator: " ").first.map(String.init)
    }
    #expect(numbers == Self.rules.compactMap { $0.split(separator: "-").first.map(String.init) })
  }
}

extension Schema.Issue {
  /// One line of an expected.txt.
  var line: String {
    let place = "\(range.file):\(range.line):\(range.column)-\(range.endColumn)"
    return "\(place) \(severity.rawValue) \(code): \(message)" + (suggestion.map { " | \($0)" } ?? "")
  }
}
