import Foundation
import Language
import Schema
import Testing

/// Diagnostics quote the line that they mean; a line with a secret in it is not quoted.
@Suite("Values that diagnostics hide")
struct HiddenValueTests {
  private func shown(_ project: SampleProject, _ issues: [Schema.Issue]) throws -> String {
    let folder = project.path
    let text = DiagnosticText(
      usesColour: false, hidingValuesOf: { $0.hasSuffix(".env") },
      reading: { file in FileManager.default.contents(atPath: "\(folder)/\(file)").map(Array.init) })
    return text.text(issues)
  }

  @Test(
    "Of .env names are quoted, whatever is wrong with it",
    arguments: [
      "TURN_SERVER=turn:x\nTURN_CREDENTIAL='sesame\n", "TURN_SERVER=turn:x\nTURN_CREDENTIAL=\"sesame\" sesame\n",
      "TURN_CREDENTIAL sesame\n", "sesame\n", "TURN_SECRET sesame=\n", "sesame/sesame==\n", "turn secret=sesame\n",
      "TURN_SERVER=turn:user:sesame@turn.example.com\n", "TURN_SERVER=user:sesame@turn.example.com\n",
      "TURN_SERVER=https://user:sesame@turn.example.com\n", "TURN_SERVER=turn:x\nTURN_CREDENTIAL=sesame\n",
      "TURN_SERVER=turn:x\nTURN_SECRET=sesame\nTURN_USERNAME=u\nTURN_CREDENTIAL=sesame\n",
      "export TURN_SERVER=turn:x\nexport TURN_SECERT=sesame\n",
    ])
  func environment(lines: String) throws {
    let project = try SampleProject([".env": lines, "runbooks/a.yaml": "runbook: a\nsteps: []\n"])
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(project.path)/.env")
    let surroundings = Project.Surroundings(environment: [:], workingFolder: project.path, isRoot: false)
    let found = Project.validate(at: project.path, in: surroundings, catalog: sampleCatalog)
    #expect(found.contains { $0.range.file == ".env" })
    let text = try shown(project, found)
    #expect(!text.contains("sesame"), "\(text)")
    #expect(!found.contains { $0.json.text().contains("sesame") })
  }

  @Test("The name is quoted, and underlined")
  func name() throws {
    let project = try SampleProject([".env": "export TURN_SERVER=https://a.example\n"])
    let text = try shown(project, issues { try project.load() })
    #expect(text.contains(" 1 | export TURN_SERVER=…\n   |        ^~~~~~~~~~~\n"), "\(text)")
  }

  @Test(
    "A secret in clear text is reported, and neither it nor what stands behind it is quoted",
    arguments: [
      ("runbook.yaml", "targets:\n  a: {server: 'turn:x', username: u, credential: sesame, secret: sesame}\n"),
      ("runbook.yaml", "targets:\n  a: {server: 'turn:x', username: u, password: sesame}\n"),
      ("runbook.yaml", "targets:\n  a: {server: 'turn:x', username: u, credential: {value: sesame}}\n"),
      ("runbooks/a.yaml", "runbook: a\nsecrets: {word: sesame, other: {default: sesame, env: X}}\nsteps: []\n"),
    ])
  func clearText(file: String, document: String) throws {
    let project = try SampleProject([file: document])
    let surroundings = Project.Surroundings(environment: [:], workingFolder: project.path, isRoot: false)
    let found = Project.validate(at: project.path, in: surroundings, catalog: sampleCatalog)
    #expect(found.contains { $0.code == "secret-in-clear" })
    let text = try shown(project, found)
    #expect(!text.contains("sesame"), "\(text)")
    #expect(text.contains("…"))
  }
}
