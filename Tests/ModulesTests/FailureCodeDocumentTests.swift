import Foundation
import Modules
import Steps
import Testing

/// The codes in the documents, against those that stand in the sources.
@Suite struct FailureCodeDocumentTests {
  private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test("docs/probes.md says what every code means with which a probe can fail")
  func codes() throws {
    let document = try String(
      contentsOf: Self.repository.appending(path: "docs/probes.md"), encoding: .utf8)
    let codes = try ["Probe", "Modules/STUN", "Modules/TLS", "Modules/TURN"].reduce(into: Set<String>()) {
      $0.formUnion(try self.codes(in: "Sources/\($1)"))
    }.subtracting(Catalog.standard.modules.map(\.name))
    try #require(codes.isSuperset(of: ["icmp.portUnreachable", "turn.realmMismatch", "turn.notExpired"]))
    #expect(codes.filter { !document.contains("`\($0)`") } == [])
  }

  @Test("No code is a module's name: each module is spelled once, where it is declared")
  func modules() throws {
    let literals = try codes(in: "Sources/Probe") + codes(in: "Sources/Modules")
    let names = Catalog.standard.modules.map(\.name).filter { $0.contains(/^(stun|turn|tls)\./) }
    try #require(!names.isEmpty)
    #expect(names.filter { name in literals.count { $0 == name } != 1 } == [])
  }

  @Test("A module spells no code that a probe has a constant for")
  func constants() throws {
    let constants = try codes(in: "Sources/Probe/Failures")
    try #require(constants.contains("turn.nothingRelayed"))
    #expect(Set(try codes(in: "Sources/Modules")).intersection(constants) == [])
  }

  @Test("Every finding's code is subject.whatHappened in camelCase, documented, and no module's name")
  func findings() throws {
    let documents = try documents()
    let modules = Set(Catalog.standard.modules.map(\.name))
    let codes = try literals(
      in: "Sources", /(?:Finding|\.broken|\.failed|\.notStarted|FailureCode|Code)\(\s*"([^"\\\s]+)"/)
    let named = try literals(in: "Sources/Journal", /case \w+ = "(journal\.[A-Za-z-]+)"/)
    let all = codes.union(named)
    try #require(
      all.isSuperset(of: ["host.noSize", "command.failed", "step.hung", "journal.diskFull", "turn.notExpired"]))
    #expect(all.filter { $0.wholeMatch(of: /[a-z][A-Za-z]*\.[a-z][A-Za-z0-9]*/) == nil }.sorted() == [])
    #expect(all.filter { !documents.contains("`\($0)`") }.sorted() == [])
    #expect(all.intersection(modules).sorted() == [])
  }

  @Test("Every diagnostic's code is of small letters with hyphens, and documented")
  func diagnostics() throws {
    let documents = try documents()
    let first = /(?:error|warning|report|issue|refusal|Issue)\(\s*(?:\.\w+,\s*|path,\s*)?"([^"\\\s]+)"/
    var codes: Set<String> = []
    for folder in ["Language", "Commands"] { codes.formUnion(try literals(in: "Sources/\(folder)", first)) }
    let programsKeysAndExamples: Set = [
      "continue-on-error", "coturn-config", "coturn-version", "docker-compose", "dpkg-query", "redis-cli",
      "static-auth-secret", "su-exec", "systemd-run",
    ]
    codes.formUnion(
      try literals(in: "Sources/Language", /"([a-z0-9]+(?:-[a-z0-9]+)+)"/).subtracting(programsKeysAndExamples))
    try #require(
      codes.isSuperset(of: ["unknown-field", "expression-syntax", "unknown-target", "too-deep", "secret-short"]))
    #expect(codes.filter { $0.wholeMatch(of: /[a-z][a-z0-9]*(?:-[a-z0-9]+)*/) == nil }.sorted() == [])
    #expect(codes.filter { !documents.contains("`\($0)`") }.sorted() == [])
  }

  @Test("docs/language.md has a paragraph for every diagnostic of a project's files: it is the help of SARIF's rules")
  func rules() throws {
    let codes = try literals(in: "Sources/Language", /log\.(?:error|warning)\(\s*"([a-z0-9]+(?:-[a-z0-9]+)+)"/)
    try #require(codes.isSuperset(of: ["secret-short", "unread-name", "shell-syntax"]))
    let rules = try String(contentsOf: Self.repository.appending(path: "docs/language.md"), encoding: .utf8)
    #expect(codes.filter { !rules.contains("`\($0)`") }.sorted() == [])
  }

  /// All of `docs/`, as one text.
  private func documents() throws -> String {
    let folder = Self.repository.appending(path: "docs")
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "md" }.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
  }

  /// What a pattern's first group finds in the sources of a folder.
  private func literals(in folder: String, _ pattern: Regex<(Substring, Substring)>) throws -> Set<String> {
    let files = FileManager.default.enumerator(
      at: Self.repository.appending(path: folder), includingPropertiesForKeys: nil)
    var found: Set<String> = []
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      found.formUnion(try String(contentsOf: file, encoding: .utf8).matches(of: pattern).map { String($0.1) })
    }
    return found
  }

  private func codes(in folder: String) throws -> [String] {
    let files = FileManager.default.enumerator(
      at: Self.repository.appending(path: folder), includingPropertiesForKeys: nil)
    var codes: [String] = []
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      let text = try String(contentsOf: file, encoding: .utf8)
      codes += text.matches(of: /"((?:dns|icmp|path|probe|stun|tcp|tls|transport|turn|udp)\.[A-Za-z]+)"/).map {
        String($0.1)
      }
    }
    return codes
  }
}
