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
    let project = try SampleProject(["runbooks/big.yaml": text])
    #expect(try project.problems() == [])
    #expect(try project.load().plan("big", catalog: sampleCatalog).steps.count == 2_000)
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
}
