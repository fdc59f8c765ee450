import Foundation
import Journal
import Language
import Schema
import Steps
import Testing

@Suite("Validation and outline")
struct ValidationTests {
  private static let bad = "runbook: bad\nsteps:\n  - {id: all, use: sample.everythin}\n"
  private static let good = "runbook: good\nsteps:\n  - {id: inner, use: checks/inner}\n"

  private func project() throws -> SampleProject {
    try SampleProject([
      "runbooks/bad.yaml": Self.bad, "runbooks/good.yaml": Self.good, "runbooks/old.yml": Self.good,
      "checks/inner.yaml":
        "check: inner\ninputs: {a: {type: int, default: 1}}\nsteps:\n  - {id: all, use: sample.everything}\n",
      "checks/other.yaml": "check: other\nstep: []\nsteps:\n  - {id: all, use: sample.everything}\n",
    ])
  }

  private func files(_ issues: [Schema.Issue]) -> [String] { issues.map { "\($0.range.file) \($0.code)" } }

  @Test("Without paths everything is looked at, each file once")
  func everything() throws {
    let project = try project()
    #expect(
      files(try project.load().validate(catalog: sampleCatalog)) == [
        "runbooks/old.yml file-ignored", "runbooks/bad.yaml unknown-module", "checks/inner.yaml unused-input",
        "checks/other.yaml unknown-key",
      ])
  }

  @Test(
    "With paths, these and what they use",
    arguments: [
      (["runbooks/good.yaml"], ["checks/inner.yaml unused-input"]),
      (["checks"], ["checks/inner.yaml unused-input", "checks/other.yaml unknown-key"]),
      (["./runbooks/bad.yaml", "runbooks/bad.yaml"], ["runbooks/bad.yaml unknown-module"]),
      (["runbooks/bed.yaml"], ["runbooks/bed.yaml unknown-file"]), (["runbook.yaml"], []),
    ])
  func paths(paths: [String], expected: [String]) throws {
    let project = try project()
    #expect(files(try project.load().validate(paths, catalog: sampleCatalog)) == expected)
    if paths.count == 1, expected.first?.contains("unknown-file") == false {
      let absolute = paths.map { project.path + "/" + $0 }
      #expect(files(try project.load().validate(absolute, catalog: sampleCatalog)) == expected)
    }
  }

  @Test("Runbooks and checks are looked at by the names that run knows them by as well")
  func names() throws {
    let folder = try project()
    let project = try folder.load()
    #expect(files(project.validate(["bad"], catalog: sampleCatalog)) == ["runbooks/bad.yaml unknown-module"])
    #expect(files(project.validate(["checks/other"], catalog: sampleCatalog)) == ["checks/other.yaml unknown-key"])
    #expect(files(project.validate(["other"], catalog: sampleCatalog)) == ["other unknown-file"])
  }

  @Test("Problems of runbook.yaml and .env do not hide those of the documents")
  func allInOne() throws {
    let project = try project()
    try project.write("runbook.yaml", "projct: x\n")
    try project.write(".env", "nonsense\n")
    let surroundings = Project.Surroundings(environment: [:], workingFolder: project.path, isRoot: false)
    #expect(
      files(Project.validate(at: project.path, in: surroundings, ["runbooks/bad.yaml"], catalog: sampleCatalog)) == [
        ".env environment-line", "runbook.yaml unknown-key", "runbooks/bad.yaml unknown-module",
      ])
  }

  @Test("A runbook is refused as a plan for every problem of what it uses, and of nothing else")
  func planRefused() throws {
    let project = try project()
    #expect(
      files(issues { try project.load().plan("good", catalog: sampleCatalog) }) == ["checks/inner.yaml unused-input"])
  }

  @Test("A step whose module needs a service that the project does not have is a problem at its use")
  func missingService() throws {
    let project = try SampleProject([
      "runbooks/a.yaml": "runbook: a\nsteps:\n  - {id: look, use: sample.past, expect: [output.runs > 0]}\n"
    ])
    let catalog = Catalog([AnyStepModule(SamplePast.self)])
    func problems(_ services: Set<Service>) throws -> [Schema.Issue] {
      let surroundings = Project.Surroundings(environment: [:], workingFolder: project.path, services: services)
      return try Project.load(at: project.path, in: surroundings).validate(catalog: catalog)
    }
    #expect(try problems([.history]) == [])
    #expect(try problems([]).map(\.short) == ["3:21-32 missing-service"])
    #expect(try problems([]).map(\.message) == ["sample.past needs history, which this project does not have"])
  }

  @Test("An outline tells what a runbook takes, does and may do, without any value")
  func outline() throws {
    let project = try SampleProject([
      "runbooks/a.yaml": """
      runbook: a
      title: To ${target.name}
      doc: What it is for.
      severity: P1
      owner: Operations
      allow: [observe, change]
      params:
        count: {type: int, doc: How many}
        home: {type: path, default: "${env.HOME}"}
      secrets:
        password: {env: PASSWORD}
      timeout: 1h
      steps:
        - {id: inner, title: Inner, use: checks/inner, with: {count: "${params.count}"}}
        - {id: restart, use: sample.restart, if: params.home != '/', timeout: 3s, onFailure: continue}
        - {id: login, use: sample.login, with: {user: "${params.home} a", password: "${secrets.password}"}}
        - id: all
          use: sample.everything
          diagnostic: true
          with: {numbers: {part: 5%, size: "${params.count}"}, list: [200ms], map: {a: 1}, text: x}
      """,
      "checks/inner.yaml": """
      check: inner
      inputs: {count: {type: int}}
      outputs: {count: {type: int, value: inputs.count}}
      steps:
        - id: look
          use: sample.look
          retry: {times: 2, backoff: 1s, factor: 1}
          until: output.ready
          expect: [output.count < inputs.count, {that: output.ready, severity: warn, message: "not ${inputs.count}"}]
      """,
    ])
    let loaded = try project.load()
    let outline = try loaded.outline("a", catalog: sampleCatalog)
    #expect(outline.title == "To ${target.name}")
    #expect([outline.doc, outline.severity, outline.owner] == ["What it is for.", "P1", "Operations"])
    #expect(outline.effects == [.observe, .change])
    #expect(outline.params.map(\.isRequired) == [true, false])
    #expect(outline.params[1].fallback == .string("${env.HOME}"))
    #expect(outline.secrets.map { "\($0.name) from \($0.origin)" } == ["password from PASSWORD of the environment"])
    #expect(outline.usesTarget)
    #expect(outline.timeout == .seconds(3600))
    #expect(outline.steps.map(\.use) == ["checks/inner", "sample.restart", "sample.login", "sample.everything"])
    #expect(
      outline.steps.map { $0.inputs.map { "\($0.name): \($0.value)" } } == [
        ["count: ${params.count}"], [], ["user: ${params.home} a", "password: ${secrets.password}"],
        ["numbers: {part: 5%, size: ${params.count}}", "list: [\"200ms\"]", "map: {\"a\":1}", "text: x"],
      ])
    let look = try #require(outline.steps[0].steps.first)
    #expect(
      look.expectations.map { [$0.that, $0.severity.rawValue, $0.message] } == [
        ["output.count < inputs.count", "fail", nil], ["output.ready", "warn", "not ${inputs.count}"],
      ])
    #expect(look.until == "output.ready" && look.retry?.times == 2 && look.retry?.factor == 1)
    #expect(outline.steps.map(\.onFailure) == [.stop, .continue, .stop, .stop])
    #expect(outline.steps.map(\.isDiagnostic) == [false, false, false, true])
    // Three tries of five seconds and two waits of one.
    #expect(outline.steps[0].timeout == .seconds(17))
    #expect(outline.steps[1].condition == "params.home != '/'" && outline.steps[1].timeout == .seconds(3))
    let check = try loaded.outline("checks/inner", catalog: sampleCatalog)
    #expect(check.name == "checks/inner" && check.outputs.map(\.name) == ["count"])
    #expect(issues { try loaded.outline("b", catalog: sampleCatalog) }.map(\.code) == ["unknown-runbook"])
    #expect(loaded.runbookNames == ["a"] && loaded.checkNames == ["inner"])
  }
}
