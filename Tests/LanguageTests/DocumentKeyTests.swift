import Foundation
import Schema
import Testing

@testable import Language

/// What is declared of the keys of documents, and what is made of it.
@Suite("Keys of documents") struct DocumentKeyTests {
  private static let reference = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../docs/language.md").standardized

  /// The document with every table between `<!-- keys: NAME -->` and `<!-- end -->` made anew.
  private func renewed(_ text: String) throws -> (text: String, names: [String]) {
    var names: [String] = []
    let renewed = try text.replacing(/<!-- keys: ([a-z ]+) -->\n(?:[\s\S]*?)<!-- end -->/) { match in
      let name = String(match.1)
      names.append(name)
      let keys = try #require(KeyReference.mappings.first { $0.mappingName == name }, "no mapping is called \(name)")
      return "<!-- keys: \(name) -->\n\n\(KeyReference.table(keys))\n<!-- end -->"
    }
    return (renewed, names)
  }

  @Test("docs/language.md has the keys of every mapping as they are declared; RUNBOOK_WRITE_DOCS=1 writes them anew")
  func documentation() throws {
    let text = try String(contentsOf: Self.reference, encoding: .utf8)
    let (renewed, names) = try renewed(text)
    #expect(names.sorted() == KeyReference.mappings.map { $0.mappingName }.sorted())
    if ProcessInfo.processInfo.environment["RUNBOOK_WRITE_DOCS"] == "1" {
      try renewed.write(to: Self.reference, atomically: true, encoding: .utf8)
    } else {
      #expect(text == renewed)
    }
  }

  @Test("A supported key is described in a sentence; one that is not says nothing")
  func descriptions() {
    for mapping in KeyReference.mappings {
      func check<Key: DocumentKey>(_: Key.Type) {
        for key in Key.allCases {
          let summary = key.declaration.summary
          #expect(summary.isEmpty != key.declaration.isSupported, "\(Key.mappingName) \(key.name)")
          guard key.declaration.isSupported else { continue }
          #expect(summary.hasSuffix("."), "\(Key.mappingName) \(key.name)")
        }
        #expect(Set(Key.foreign.keys).isDisjoint(with: Key.allCases.map(\.name)))
      }
      check(mapping)
    }
  }

  @Test("Every key of a runbook, a check and a step that this version lacks is refused by its name, and no other")
  func unsupported() throws {
    let runbook = RunbookKey.allCases.filter { !$0.declaration.isSupported }.map(\.name)
    let step = StepKey.allCases.filter { !$0.declaration.isSupported }.map(\.name)
    let check = CheckKey.allCases.filter { !$0.declaration.isSupported }.map(\.name)
    let project = try SampleProject([
      "runbooks/a.yaml": "runbook: a\n" + runbook.map { "\($0): x\n" }.joined()
        + "steps:\n  - id: b\n    use: checks/b\n"
        + step.map { "    \($0): x\n" }.joined(),
      "checks/b.yaml": "check: b\n" + check.map { "\($0): x\n" }.joined()
        + "steps:\n  - {id: a, use: sample.look}\n",
    ])
    let refused = try project.load().validate(catalog: sampleCatalog).filter { $0.code == "unsupported-key" }
    let names = refused.compactMap { $0.message.split(separator: "\"").first.map(String.init) }
    #expect(names.sorted() == (runbook + step + check).sorted())
  }
}
