import Foundation
import Schema
import Testing

@testable import Language

/// Documents that were cut, doubled, swapped and sprinkled with what YAML and CEL take for their own: reading them ends,
/// and every issue has a place in the text.
@Suite("Fuzz: documents")
struct DocumentFuzzTests {
  /// xorshift64*: the same documents in every run that has the same seed.
  struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state ^= state >> 12
      state ^= state << 25
      state ^= state >> 27
      return state &* 2_685_821_657_736_338_717
    }
  }

  private static let seconds = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"].flatMap(Double.init)

  private static let words = [
    "&a", "*a", "<<", "!!str", "!x", "---\n", "...\n", "? ", ": ", "- ", "{", "}", "[", "]", "|-\n", ">\n", "#", " #",
    "\t",
    "'", "\"", "\\", "\\u12", "${", "}", "$${", "${steps.a.output}", "${'}'}", "\u{FEFF}", "\u{2028}", "\u{0}", "é",
    "\r",
    "%YAML 1.1\n", "checks/inner", "steps.look.output", "has(", "1 / 0", "&&", "||", "orValue(", "secrets.x",
    "runbook:",
    "id: look", "use:", "\n", "  ", "        ", "duration('1s')", "9999999999999999999999", "-", "~", "null",
  ]

  private static func corpus() throws -> [(path: String, text: [UInt8])] {
    var corpus: [(String, [UInt8])] = []
    for rule in LanguageFixtureTests.rules {
      for half in ["valid", "invalid"] {
        for kind in ["runbooks", "checks"] {
          let folder = LanguageFixtureTests.folder.appendingPathComponent("\(rule)/\(half)/\(kind)")
          for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] {
            corpus.append((kind, Array(try Data(contentsOf: folder.appendingPathComponent(name)))))
          }
        }
      }
    }
    return corpus.sorted { $0.1.lexicographicallyPrecedes($1.1) }
  }

  private static func mutated(_ text: [UInt8], _ random: inout Generator) -> [UInt8] {
    var text = text
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let at = Int.random(in: 0...text.count, using: &random)
      let end = min(text.count, at + Int.random(in: 0...20, using: &random))
      switch Int.random(in: 0..<6, using: &random) {
      case 0: text.removeSubrange(at..<end)
      case 1: text.insert(contentsOf: text[at..<end], at: Int.random(in: 0...text.count, using: &random))
      case 2: text.insert(UInt8.random(in: 0...255, using: &random), at: at)
      case 3: if at > 40 { text.removeSubrange(at...) }
      default: text.insert(contentsOf: Array((words.randomElement(using: &random) ?? "").utf8), at: at)
      }
    }
    return text
  }

  @Test("Mutated environment files never crash, and a name that is read is one")
  func environment() throws {
    let text = "# c\nA=1\nexport B='x y' # c\nC=\"a\\n\\\"b\"\n\nD = 3\nE=\n"
    var random = Generator(state: 7)
    for _ in 0..<2_000 {
      let project = Self.mutated(Array(text.utf8), &random)
      let file = EnvironmentFile(project, file: ".env", log: IssueLog())
      for name in file.values.keys { #expect(!name.isEmpty && !name.contains("=") && !name.contains(" ")) }
    }
  }

  @Test("Mutated types never crash, and a type that is read is written as it reads")
  func types() throws {
    let text = "record{host: host, ports: list<optional<port>>, kind: enum(udp, tcp), more: map<secret<string>>}"
    var random = Generator(state: 11)
    for _ in 0..<2_000 {
      let mutated = String(decoding: Self.mutated(Array(text.utf8), &random), as: UTF8.self)
      guard let type = try? ValueType(parsing: mutated) else { continue }
      #expect(try ValueType(parsing: type.description) == type)
    }
  }

  @Test("Mutated documents never crash, and every issue has a place in the text")
  func mutated() throws {
    let corpus = try Self.corpus()
    #expect(corpus.count > 60)
    let project = try SampleProject([
      "checks/inner.yaml": "check: inner\nsteps:\n  - {id: all, use: sample.everything}\n"
    ])
    let loaded = try project.load()
    var random = Generator(state: Self.seconds == nil ? 20_260_131 : UInt64.random(in: 1 ... .max))
    let deadline = ContinuousClock.now + .seconds(Self.seconds ?? 0)
    var count = 0
    while count < 300 || ContinuousClock.now < deadline {
      let (kind, text) = corpus[count % corpus.count]
      let document = Self.mutated(text, &random)
      try project.write("\(kind)/sample.yaml", document)
      let lines = String(decoding: document, as: UTF8.self).split(omittingEmptySubsequences: false) { $0.isNewline }
        .count
      let found = loaded.validate(["\(kind)/sample.yaml"], catalog: sampleCatalog)
      let shown = DiagnosticText(usesColour: false) { loaded.bytes(of: $0) }.text(found)
      #expect(shown.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
      for issue in found {
        #expect(issue.range.line >= 1 && issue.range.line <= lines + 1 && issue.range.column >= 1, "\(issue)")
        #expect(!issue.message.isEmpty && !issue.code.isEmpty)
      }
      try FileManager.default.removeItem(atPath: project.path + "/\(kind)/sample.yaml")
      count += 1
    }
  }
}
