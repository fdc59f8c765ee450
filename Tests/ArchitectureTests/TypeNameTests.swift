import Foundation
import Testing

/// One name for one thing: a reader who meets a type's name knows which one is meant, whatever the file imports.
@Suite struct TypeNameTests {
  private struct Declaration {
    var name: String
    var target: String
    var isNested: Bool
  }

  /// The types that other files can name.
  private static func declarations(in folder: String) throws -> [Declaration] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
      .appending(path: folder)
    let files = try FileManager.default.subpathsOfDirectory(atPath: root.path).filter { $0.hasSuffix(".swift") }
    return try files.sorted().flatMap { file in
      let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
      let target = String(file.prefix { $0 != "/" })
      return text.split(separator: "\n").compactMap { line -> Declaration? in
        guard
          let match = line.wholeMatch(
            of:
              /( *)((?:@\w+(?:\([^)]*\))? |(?:public|package|internal|final|indirect|nonisolated) )*)(?:struct|enum|class|actor|protocol) (\w+)\b.*/
          )
        else { return nil }
        return Declaration(name: String(match.3), target: target, isNested: !match.1.isEmpty)
      }
    }
  }

  @Test("No two types have one name")
  func names() throws {
    let all = try Self.declarations(in: "Sources")
    try #require(all.count > 1000)
    let outer = Dictionary(grouping: all.filter { !$0.isNested }, by: \.name)
    #expect(outer.filter { $0.value.count > 1 }.keys.sorted() == [])
    // CEL is a package of its own, whose nested types are named with what they are in.
    let inner = all.filter { type in
      type.isNested && type.target != "CEL" && outer[type.name, default: []].contains { $0.target != type.target }
    }
    #expect(inner.map { "\($0.target): \($0.name)" } == [])
  }

  @Test("No two suites of tests have one name, so that a filter means one")
  func suites() throws {
    let suites = try Self.declarations(in: "Tests").filter { !$0.isNested && $0.name.hasSuffix("Tests") }
    try #require(suites.count > 100)
    #expect(Dictionary(grouping: suites, by: \.name).filter { $0.value.count > 1 }.keys.sorted() == [])
  }
}
