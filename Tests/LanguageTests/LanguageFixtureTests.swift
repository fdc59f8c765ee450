import Foundation
import Language
import Schema
import Testing

/// The numbered rules of docs/language.md, each with a project that keeps it and one that breaks it in every way.
@Suite("Rules of the language")
struct LanguageFixtureTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/language")

  static let rules: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasPrefix("L") }.sorted()

  private func issues(_ rule: String, _ half: String) throws -> [Schema.Issue] {
    let path = Self.folder.appendingPathComponent("\(rule)/\(half)").path
    let surroundings = Project.Surroundings(environment: [:], workingFolder: path, isRoot: false)
    do throws(Issues) { return try Project.load(at: path, in: surroundings).validate(catalog: sampleCatalog) } catch {
      // Those of runbook.yaml keep the project from being read.
      return error.all
    }
  }

  @Test("What keeps the rule has no problem", arguments: rules)
  func valid(rule: String) throws {
    #expect(try issues(rule, "valid").map(\.line) == [])
  }

  @Test("What breaks the rule is reported at its place, all of it in one pass", arguments: rules)
  func invalid(rule: String) throws {
    let found = try issues(rule, "invalid").map(\.line)
    let file = Self.folder.appendingPathComponent("\(rule)/invalid/expected.txt")
    let expected = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(found == expected)
    #expect(!found.isEmpty)
  }

  /// Those of runbooks and checks are tried where the real modules are.
  @Test("The examples of runbook.yaml in the documentation are read as they stand")
  func examples() throws {
    let text = try String(contentsOf: Self.document, encoding: .utf8)
    let blocks = text.split(separator: "```").filter { $0.hasPrefix("yaml\nproject:") }.map {
      $0.dropFirst("yaml\n".count)
    }
    #expect(!blocks.isEmpty)
    for block in blocks {
      let project = try SampleProject(["ca.pem": "", "probe.pem": "", "probe.key": ""])
      try project.write("runbook.yaml", String(block))
      let target = try project.load(["TURN_PASSWORD": "x"]).targets(selectedBy: "region=eu")
      #expect(target.map(\.host) == ["turn.example.com"])
    }
  }

  private static let document = folder.deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("docs/language.md")

  @Test("Every code that an issue of the fixtures has is named by the documentation")
  func codes() throws {
    let text = try String(contentsOf: Self.document, encoding: .utf8)
    let found = try Set(Self.rules.flatMap { try issues($0, "invalid").map(\.code) })
    #expect(found.count > 50)
    #expect(found.filter { !text.contains("`\($0)`") } == [])
  }

  @Test("Every rule of the documentation has its two fixtures, and every fixture its rule")
  func complete() throws {
    let text = try String(contentsOf: Self.document, encoding: .utf8)
    let numbers = text.split(separator: "\n").filter { $0.hasPrefix("**L") }.compactMap { line in
      line.dropFirst(2).split(separator: " ").first.map(String.init)
    }
    #expect(numbers == Self.rules.compactMap { $0.split(separator: "-").first.map(String.init) })
  }
}

extension Schema.Issue {
  /// One line of an expected.txt. Of what the expression language itself reports, the wording is left to its own tests.
  var line: String {
    let place = "\(range.file):\(range.line):\(range.column)-\(range.endColumn) \(severity.rawValue) \(code)"
    let codes = ["expression-syntax", "unknown-name", "unknown-function", "no-overload", "invalid-constant"]
    if codes.contains(code) { return place }
    return "\(place): \(message)" + (suggestion.map { " | \($0)" } ?? "")
  }
}
