import CEL
import Foundation
import Schema
import Testing

@testable import Language

/// Of what advice on expressions is made: of the data of a problem, never of the words of its message.
@Suite("What advice is made of") struct AdviceSourceTests {
  private static func names() -> DocumentNames {
    var names = DocumentNames()
    names.params = Schema.RecordType(fields: [FieldDeclaration(name: "count", type: .int, summary: "A number.")])
    names.hasTarget = true
    names.secrets = ["token": false]
    return names
  }

  private static let context: ExpressionContext = {
    var context = ExpressionContext(roots: [.params, .target, .secrets, .output])
    context.output = .record(
      Schema.RecordType(fields: [
        FieldDeclaration(name: "rtt", type: .duration, summary: "A time."),
        FieldDeclaration(name: "sent", type: .int, summary: "A number."),
      ]))
    return context
  }()

  @Test(
    "A message in other words leads to the same advice",
    arguments: [
      ("count > 1", "did you mean \"params.count\"?"), ("token == 'x'", "did you mean \"secrets.token\"?"),
      ("sent > 1", "did you mean \"output.sent\"?"), ("unheard > 1", "here there are params, target, secrets, output"),
      ("output.zzzz > 1", "it has rtt, sent"), ("output.rtt < '5s'", "write a duration as duration('5s')"),
      (
        "output.rtt * 2 < duration('1s')",
        "a duration cannot be multiplied or divided; it can be added, and compared with duration('200ms')"
      ),
      ("output.sent == '5'", "a number stands without quotes: 5"),
      ("params.count / 2.0 > 1.0", "write double(…) around the whole number, or the number with a point: 5.0"),
    ])
  func reworded(source: String, advice: String) throws {
    let names = Self.names()
    let output = try #require(Self.context.output)
    let environment = Bindings(names).with(output: output, of: "x").environment
    let error = try #require(throws: CompileError.self) { _ = try environment.compile(source) }
    let given = error.problems.map { problem in
      let reworded = CELProblem(
        code: problem.code, message: "'some' words (of, another) has no field 'kind'", range: problem.range,
        subject: problem.subject, suggestion: problem.suggestion)
      return names.home(of: reworded, at: Self.context).map(didYouMean)
        ?? names.advice(on: reworded, at: Self.context, in: environment) ?? reworded.advice(in: source)
    }
    #expect(given.contains(advice), "\(given)")
  }

  @Test("No source of advice looks at a message")
  func sources() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Language")
      .standardized
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix("Advice.swift") }
    try #require(files.count > 3)
    for file in files {
      let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
      #expect(!text.contains(".message") && !text.contains(" message."), "\(file)")
    }
  }
}
