import Commands
import Foundation
import Schema
import Testing

/// Problems as SARIF 2.1.0, for code hosts and editors.
@Suite struct SARIFTests {
  /// A project in a folder of a repository, with mistakes.
  private func project() throws -> CommandLineProject {
    let project = try CommandLineProject(isEmpty: true)
    try project.write(".git/HEAD", "")
    try project.write("my ops/runbook.yaml", "project: test\n")
    try project.write(
      "my ops/runbooks/look.yaml",
      """
      runbook: look
      titel: Look
      steps:
        - {id: a, use: host.load, expect: ["output.lod1 < 1.0"]}
        - {id: b, use: host.load, expect: ["output.lod1 < 1.0"], if: true}

      """)
    return project
  }

  private func log(_ project: CommandLineProject, environment: [String: String] = [:]) async throws -> JSON {
    let output = try await project.runbook(
      ["validate", "--format", "sarif", "--project", "my ops"], environment: environment)
    #expect(output.status == 2 && output.stderr.isEmpty, "\(output.stdout)\(output.stderr)")
    return try output.json
  }

  private func results(_ log: JSON) throws -> [JSON] {
    try #require(log["runs"]?.array?.first?["results"]?.array)
  }

  private func place(_ result: JSON) throws -> JSON {
    try #require(result["locations"]?.array?.first?["physicalLocation"])
  }

  @Test("Every problem has what code hosts ask for: a rule, a message, a place below the repository, a fingerprint")
  func required() async throws {
    let project = try project()
    let log = try await log(project)
    #expect(log["version"] == "2.1.0" && log["$schema"]?.string?.hasSuffix("sarif-schema-2.1.0.json") == true)
    let run = try #require(log["runs"]?.array?.first)
    let driver = try #require(run["tool"]?["driver"])
    #expect(driver["name"] == "runbook" && driver["semanticVersion"]?.string?.isEmpty == false)
    #expect(run["columnKind"] == "unicodeCodePoints")
    #expect(run["originalUriBaseIds"]?["SRCROOT"]?["uri"] == .string("file://\(project.root)/"))
    let rules = try #require(driver["rules"]?.array)
    let results = try results(log)
    #expect(results.map { $0["ruleId"] } == ["unknown-key", "unknown-field", "unknown-field", "constant-condition"])
    var fingerprints: Set<JSON> = []
    for result in results {
      let index = try #require(result["ruleIndex"]?.int)
      #expect(rules[Int(index)]["id"] == result["ruleId"])
      #expect(["error", "warning"].contains(result["level"]))
      #expect(result["message"]?["text"]?.string?.isEmpty == false)
      let place = try place(result)
      #expect(place["artifactLocation"] == ["uri": "my%20ops/runbooks/look.yaml", "uriBaseId": "SRCROOT"])
      #expect(place["region"]?["startLine"]?.int ?? 0 > 0)
      fingerprints.insert(try #require(result["partialFingerprints"]?["runbookProblem/v1"]))
    }
    #expect(fingerprints.count == results.count)
    for rule in rules {
      for member in ["shortDescription", "fullDescription", "help"] {
        #expect(rule[member]?["text"]?.string?.isEmpty == false, "\(rule)")
      }
    }
    let unknownKey = try #require(rules.first { $0["id"] == "unknown-key" })
    #expect(unknownKey["shortDescription"]?["text"] == "L04 Unknown keys are errors.")
    #expect(unknownKey["help"]?["markdown"]?.string?.hasPrefix("**L04 Unknown keys are errors.**") == true)
  }

  @Test("A problem keeps its fingerprint when lines move")
  func fingerprints() async throws {
    let project = try project()
    let before = try results(try await log(project)).map { $0["partialFingerprints"] }
    let text = try project.read("my ops/runbooks/look.yaml")
    try project.write("my ops/runbooks/look.yaml", "# One line more.\n" + text)
    let after = try results(try await log(project))
    #expect(after.map { $0["partialFingerprints"] } == before)
    #expect(try place(after[0])["region"]?["startLine"] == 3)
  }

  @Test("Applied, the fixes leave nothing but what they were for")
  func fixes() async throws {
    let project = try project()
    var lines = try project.read("my ops/runbooks/look.yaml").split(separator: "\n").map(Array.init)
    var fixed = 0
    for result in try results(try await log(project)) {
      for fix in result["fixes"]?.array ?? [] {
        let replacement = try #require(fix["artifactChanges"]?.array?.first?["replacements"]?.array?.first)
        let region = try #require(replacement["deletedRegion"])
        let (line, from, to) = (
          region["startLine"]?.int ?? 0, region["startColumn"]?.int ?? 0, region["endColumn"]?.int ?? 0
        )
        let text = try #require(replacement["insertedContent"]?["text"]?.string)
        lines[Int(line) - 1].replaceSubrange(Int(from) - 1..<Int(to) - 1, with: Array(text))
        fixed += 1
      }
    }
    #expect(fixed == 3)
    try project.write("my ops/runbooks/look.yaml", lines.map { String($0) + "\n" }.joined())
    let output = try await project.runbook("validate", "--project", "my ops")
    #expect(output.status == 0, "\(output.stderr)")
    #expect(output.stderr.contains("constant-condition") && !output.stderr.contains("unknown"), "\(output.stderr)")
  }

  @Test("What a fix puts in does not depend on the wording of a problem, and no wording makes a fix")
  func wording() throws {
    let project = try project()
    let place = SourceRange(file: "runbooks/look.yaml", line: 2, column: 1, endColumn: 6)
    var issue = Issue(.error, "unknown-key", "the runbook has no key \"titel\"", at: place, meant: "title")
    func inserted() -> [String?] {
      let log = SARIFLog(root: "\(project.root)/my ops", workingFolder: project.root, issues: [issue]).json
      return (log["runs"]?.array?.first?["results"]?.array?.first?["fixes"]?.array ?? []).map { fix in
        let replacement = fix["artifactChanges"]?.array?.first?["replacements"]?.array?.first
        return replacement?["insertedContent"]?["text"]?.string
      }
    }
    #expect(inserted() == ["title"])
    for (message, suggestion) in [("nobody knows this key", "vielleicht: allow"), ("no; did you mean \"titles\"?", "")]
    {
      issue.message = message
      issue.suggestion = suggestion
      #expect(inserted() == ["title"])
    }
    issue.meant = nil
    issue.suggestion = "did you mean \"title\"?"
    #expect(inserted() == [])
    issue.meant = "steps"
    #expect(inserted() == [], "what stands there is no slip of that name")
  }

  @Test("What is wrong in the environment is shown at runbook.yaml by its name; no value of it is")
  func environment() async throws {
    let project = try project()
    let log = try await log(
      project, environment: ["TURN_SERVER": "turn:127.0.0.1", "TURN_CREDENTIAL": "hunter2-hunter2"])
    let result = try #require(try results(log).first { $0["ruleId"] == "missing-key" })
    #expect(result["locations"]?.array?.first?["logicalLocations"] == [["name": "$TURN_CREDENTIAL"]])
    #expect(try place(result)["artifactLocation"]?["uri"] == "my%20ops/runbook.yaml")
    #expect(try place(result)["region"] == ["startLine": 1])
    #expect(!log.text().contains("hunter2"))
  }

  @Test("A project without problems has a log without results")
  func empty() async throws {
    let project = try CommandLineProject()
    let output = try await project.runbook("validate", "--format", "sarif")
    #expect(output.status == 0)
    let run = try #require(try output.json["runs"]?.array?.first)
    #expect(run["results"] == [] && run["tool"]?["driver"]?["rules"] == [])
    #expect(run["originalUriBaseIds"]?["SRCROOT"]?["uri"] == .string("file://\(project.root)/"))
  }
}
