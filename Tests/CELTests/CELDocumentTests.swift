import CEL
import Foundation
import Testing

@Suite("The examples of docs/cel.md") struct CELDocumentTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The contents of the document's code blocks of a language.
  static func blocks(_ language: String) throws -> [String] {
    let text = try String(contentsOf: root.appendingPathComponent("docs/cel.md"), encoding: .utf8)
    return text.components(separatedBy: "```\(language)\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
  }

  @Test("every expression is true")
  func expressions() throws {
    let lines = try Self.blocks("cel").flatMap { $0.split(separator: "\n") }
    #expect(lines.count > 10)
    for line in lines { #expect(try CELEnvironment().compile(String(line)).evaluate() == .bool(true), "\(line)") }
  }

  @Test("the code does what the document says")
  func code() throws {
    // begin
    var environment = CELEnvironment()
    environment.declare(variable: "attempts", type: .int)
    environment.declare(variable: "limit", type: .int)
    let program = try environment.compile("attempts < limit * 2", expecting: .bool)
    let value = try program.evaluate(["attempts": .int(3), "limit": .int(2)] as NamedActivation)
    // then
    #expect(value == .bool(true))
    // begin
    let reply = CELRecordType("Reply", fields: [.init("status", .int), .init("body", .string, isOptional: true)])
    environment.declare(record: reply)
    environment.declare(variable: "reply", type: .record("Reply"))
    let isGood = try environment.compile("reply.status == 200 && reply.?body.orValue('').contains('ready')")
    let record = CELRecord(reply, ["status": .int(200), "body": .string("ready to serve")])
    let holds = try isGood.evaluate(["reply": .record(record)] as NamedActivation)
    // then
    #expect(holds == .bool(true))
    // begin
    environment.declare(
      function: "percent",
      Overload(
        "percent_string", [.string], .double,
        implementation: .unary { (value) throws(EvaluationError) in
          guard case .string(let text) = value, text.hasSuffix("%"), let number = Double(text.dropLast()) else {
            throw EvaluationError(.invalidArgument, "\(value) is no percentage")
          }
          return .double(number)
        }))
    let isTrue = try environment.compile("percent('12.5%') < 13.0").evaluate()
    // then
    #expect(isTrue == .bool(true))
    // begin
    var found: [String] = []
    do throws(CompileError) {
      _ = try environment.compile("repyl.status == 200 && reply.satus > 'a'")
    } catch {
      found = error.problems.map(\.description)
    }
    // then
    #expect(
      found == [
        "0..<5: undeclared name 'repyl' (did you mean 'reply'?)",
        "29..<34: Reply has no field 'satus' (did you mean 'status'?)",
      ])
    // begin
    let program2 = try environment.compile("reply.status / (attempts - 3) == 1 || reply.status == 200")
    let observation = program2.observe(
      ["reply": .record(record), "attempts": .int(3)] as NamedActivation, tracing: true)
    // then
    #expect(try observation.result.get() == .bool(true))
    #expect(observation.absorbed.map(\.description) == ["0..<29: division by zero"])
  }

  @Test("the document shows the code of the test above, line by line")
  func sameCode() throws {
    let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
    let tested = source.components(separatedBy: "    // begin\n").dropFirst().map { part in
      part.components(separatedBy: "    // then\n")[0].split(separator: "\n").map { $0.dropFirst(4) }
        .joined(separator: "\n")
    }
    let shown = try Self.blocks("swift").map { block in
      block.split(separator: "\n").filter { !$0.hasPrefix("// ") }.joined(separator: "\n")
    }
    #expect(shown == Array(tested.prefix(shown.count)))
    #expect(shown.count == 5)
  }
}
