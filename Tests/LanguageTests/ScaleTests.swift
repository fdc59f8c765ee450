import Foundation
import Language
import Schema
import Testing

@Suite("Scale")
struct ScaleTests {
  @Test("A runbook of 2,000 steps, each of which uses the one before, is checked whole", .timeLimit(.minutes(2)))
  func manySteps() throws {
    var text = "runbook: big\nsteps:\n  - {id: step0, use: sample.look, expect: [output.ready]}\n"
    for index in 1..<2_000 {
      text +=
        "  - id: step\(index)\n    use: sample.look\n    with: {name: \"${steps.step\(index - 1).output.state}\"}\n"
    }
    text += "    expect: [output.ready]\n"
    let project = try SampleProject(["runbooks/big.yaml": text])
    #expect(try project.problems() == [])
    #expect(try project.load().plan("big", catalog: sampleCatalog).steps.count == 2_000)
  }

  @Test(
    "A chain of thousands of alternatives is checked and evaluated in time about linear in its length",
    .timeLimit(.minutes(1)),
    arguments: [
      "cel.bind(r, output.ready, " + String(repeating: "r||", count: 20_000) + "r)",
      (0..<3_000).map { "has(output.document.a\($0))" }.joined(separator: "||") + "||output.ready",
      (0..<3_000).map { "output.document.a\($0)" }.joined(separator: "&&") + "||output.ready",
      String(repeating: "output.ready||", count: 7_000) + "output.ready",
    ])
  func longChains(expectation: String) throws {
    let project = try SampleProject([
      "runbooks/a.yaml": "runbook: a\nsteps:\n  - {id: look, use: sample.look, expect: [\"\(expectation)\"]}\n"
    ])
    #expect(try project.problems() == [])
    #expect(try project.load().plan("a", catalog: sampleCatalog).steps.count == 1)
  }

  @Test("The deepest documents, types, expressions and checks fit a thread with a stack of 512 KiB")
  func depth() async throws {
    let list = String(repeating: "[", count: 58) + "x" + String(repeating: "]", count: 58)
    let type = String(repeating: "list<", count: 15) + "int" + String(repeating: ">", count: 15)
    let value = String(repeating: "[", count: 15) + "1" + String(repeating: "]", count: 15)
    let sum = String(repeating: "(1 + ", count: 45) + "size(inputs.next)" + String(repeating: ")", count: 45)
    var files: [String: String] = [:]
    for index in 0...17 {
      files["checks/c\(index).yaml"] = """
        check: c\(index)
        inputs:
          next: {type: "\(type)", default: \(value)}
        steps:
          - {id: all, use: sample.everything, with: {anything: \(list), numbers: {int: "${\(sum)}"}}}
          - {id: next, use: checks/c\(index + 1)}
        """
    }
    let project = try SampleProject(files)
    let loaded = try project.load()
    let found: [String] = await withCheckedContinuation { continuation in
      let thread = Thread {
        continuation.resume(returning: loaded.validate(["checks/c0.yaml"], catalog: sampleCatalog).map(\.code))
      }
      thread.stackSize = 512 << 10
      thread.start()
    }
    #expect(found == ["check-depth"])
  }

  @Test("A message quotes no more of a long text than can be read")
  func longText() throws {
    let text = String(repeating: "x", count: 100_000)
    let project = try SampleProject([
      "runbooks/a.yaml": "runbook: a\nsteps:\n  - {id: all, use: sample.everything, with: {time: \(text)}}\n"
    ])
    let found = try project.load().validate(catalog: sampleCatalog)
    #expect(found.map(\.code) == ["type-mismatch"])
    #expect(found.allSatisfy { $0.message.count < 500 })
    let shown = DiagnosticText(usesColour: false) { _ in Array(text.utf8) }.text(found)
    #expect(shown.count < 2_000)
  }

  @Test("Of very many problems the first are listed, and that there are more")
  func manyProblems() throws {
    let project = try SampleProject([
      "runbooks/big.yaml": "runbook: big\nsteps:\n" + String(repeating: "- x\n", count: 9_000)
    ])
    let found = try project.load().validate(catalog: sampleCatalog)
    #expect(found.count == 2_001)
    #expect(found.contains { $0.code == "too-many-problems" })
  }

  @Test("Checks that multiply into more steps than a run may have are an error, found at once")
  func manyExpandedSteps() throws {
    var files: [String: String] = [:]
    for level in 0...8 {
      var text = "check: c\(level)\nsteps:\n"
      for index in 0..<10 {
        text += "  - {id: s\(index), use: \(level == 8 ? "sample.everything" : "checks/c\(level + 1)")}\n"
      }
      files["checks/c\(level).yaml"] = text
    }
    files["runbooks/a.yaml"] = "runbook: a\nsteps:\n  - {id: all, use: checks/c0}\n"
    let project = try SampleProject(files)
    let found = try project.load().validate(catalog: sampleCatalog)
    // c4 has ten of 11,110 steps.
    #expect(found.map { "\($0.range.file):\($0.range.line) \($0.code)" } == ["checks/c4.yaml:2 too-many-steps"])
    #expect(found.first?.message.contains("has 111110 steps") == true)
    let refused = issues { try project.load().plan("checks/c4", catalog: sampleCatalog) }
    #expect(refused.map(\.code) == ["too-many-steps"])
    #expect(try project.load().plan("checks/c5", catalog: sampleCatalog).steps.count == 1)
  }
}
