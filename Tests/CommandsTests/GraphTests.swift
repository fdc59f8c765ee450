import Foundation
import Schema
import Testing

/// Runbooks as flowcharts.
@Suite struct GraphTests {
  private func graph(_ runbook: String, _ format: String) async throws -> CommandLineProject.Output {
    let project = try CommandLineProject()
    try project.write("runbooks/drawn.yaml", runbook)
    let output = try await project.runbook("graph", "drawn", "--format", format)
    try #require(output.status == 0, "\(output.stderr)")
    return output
  }

  private static let order = """
    runbook: drawn
    title: Drawn
    steps:
      - {id: first, use: host.load, expect: [output.load1 < 100.0], onFailure: continue}
      - {id: stops, use: checks/disk-space, with: {path: /}}
      - {id: maybe, use: host.memory, if: "run.outcome == 'pass'", expect: [output.used < 100.0], onFailure: continue}
      - {id: end, use: host.load, diagnostic: true}

    """

  @Test("JSON tells the order of steps, those of checks inside, what a failure stops and what always runs")
  func json() async throws {
    let json = try await graph(Self.order, "json").json
    #expect(json["schema"] == "runbook.graph/1" && json["name"] == "drawn" && json["title"] == "Drawn")
    let nodes = try #require(json["nodes"]?.array)
    #expect(nodes.map { $0["path"] } == ["first", "stops", "stops/disk", "maybe", "end"])
    #expect(nodes.map { $0["parent"] } == [.null, .null, "stops", .null, .null])
    #expect(nodes.map { $0["kind"] } == ["module", "check", "module", "module", "module"])
    #expect(nodes.map { $0["alwaysRuns"] } == [true, true, true, false, false])
    #expect(nodes[3]["if"] == "run.outcome == 'pass'")
    let edges = try #require(json["edges"]?.array)
    #expect(
      edges.filter { $0["from"]?.string?.contains("/") == false } == [
        ["from": "first", "to": "stops", "when": "ended"], ["from": "stops", "to": .null, "when": "failed"],
        ["from": "stops", "to": "maybe", "when": "passed"], ["from": "maybe", "to": "end", "when": "ended"],
      ])
  }

  @Test("The flowchart shows the same")
  func mermaid() async throws {
    let lines = try await graph(Self.order, "mermaid").stdout.split(separator: "\n").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    try check(lines)
    for line in [
      "begin --> s1", "s1 --> s2", "s2 -.->|\"failed\"| finish", "s2 -->|\"passed\"| if_s4",
      "subgraph s2 [\"stops<br/>checks/disk-space\"]", "if_s4{\"if run.outcome == 'pass'\"}",
      "if_s4 -->|\"yes\"| s4", "if_s4 -.->|\"no\"| s5", "s4 --> s5", "s5 --> finish", "class s1,s2,s3 always",
      "class s5 uncounted",
    ] { #expect(lines.contains(line), "\(line) is not in \(lines)") }
  }

  private static let stages = """
    runbook: drawn
    allow: [change]
    rollback: onFailure
    hypothesis:
      - {id: light, use: host.load, expect: [output.load1 < 100.0]}
    steps:
      - id: act
        use: command.run
        with: {command: ["true"]}
        undo:
          - {id: back, use: command.run, with: {command: ["true"]}}
    finally:
      - {id: look, use: host.load, expect: [output.load1 < 100.0]}

    """

  @Test("The other stages of a run stand around its steps: what fails leads to what is taken back, then to finally")
  func stages() async throws {
    let json = try await graph(Self.stages, "json").json
    #expect(
      json["nodes"]?.array?.map { $0["path"] } == [
        "before:", "before:light", "act", "after:", "undo:", "undo:act", "undo:act/back", "finally:", "finally:look",
      ])
    let edges = json["edges"]?.array?.filter { $0["from"]?.string?.contains(/:./) == false } ?? []
    #expect(
      Set(edges) == [
        ["from": "before:", "to": "act", "when": "ended"], ["from": "act", "to": "undo:", "when": "failed"],
        ["from": "act", "to": "after:", "when": "passed"], ["from": "after:", "to": "undo:", "when": "failed"],
        ["from": "after:", "to": "finally:", "when": "passed"], ["from": "undo:", "to": "finally:", "when": "ended"],
      ])
    try check(
      try await graph(Self.stages, "mermaid").stdout.split(separator: "\n").map {
        $0.trimmingCharacters(in: .whitespaces)
      })
  }

  @Test("No title, id or condition gets out of its label, whatever Mermaid would read in it")
  func hostile() async throws {
    let runbook = #"""
      runbook: drawn
      title: "\"]; click s1 callback \"javascript:alert(1)\" %%{init: {'theme':'dark'}}%% <script>x</script> `**md**` #quot; end ]]) }"
      steps:
        - {id: end, title: "a\nend\n%% b", use: host.load, if: "run.id != ']\"x'", expect: ["output.load1 < 100.0"]}
        - {id: style, title: "style a:#b;c é 中 \u202E", use: host.memory, diagnostic: true}
        - {id: graph, title: "`x` & \\ | {y}", use: host.load, expect: ["output.load1 < 100.0"]}

      """#
    let output = try await graph(runbook, "mermaid").stdout
    try check(output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
    #expect(
      output.contains("#34;#93;#59; click s1 callback #34;javascript#58;alert(1)#34; #37;#37;#123;init"), "\(output)")
    #expect(output.contains("é 中"), "\(output)")
  }

  @Test("Every runbook and check that ships is drawn")
  func shipped() async throws {
    let project = try CommandLineProject()
    for name in try await project.runbook("list", "--format", "json").json.array ?? [] {
      let output = try await project.runbook("graph", name["name"]?.string ?? "")
      #expect(output.status == 0, "\(output.stderr)")
      try check(output.stdout.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
    }
  }

  @Test("A runbook with problems is not drawn, and docs/graph.md names every member")
  func problemsAndDocument() async throws {
    let project = try CommandLineProject()
    try project.write("runbooks/broken.yaml", "runbook: broken\nsteps: []\n")
    let broken = try await project.runbook("graph", "broken")
    #expect(broken.status == 2 && broken.stdout.isEmpty)
    let document = try String(
      contentsOf: CommandLineProject.repositoryURL.appending(path: "docs/graph.md"), encoding: .utf8)
    let json = try await graph(Self.order, "json").json
    for object in [json, json["nodes"]?.array?.first ?? .null, json["edges"]?.array?.first ?? .null] {
      guard case .object(let members) = object else { return #expect(Bool(false), "\(object)") }
      for member in members { #expect(document.contains("`\(member.name)`"), "\(member.name)") }
    }
  }

  /// Holds every line against the part of Mermaid's grammar that is printed, and each id against those that were declared.
  private func check(_ lines: [String]) throws {
    let label = #""(?:[A-Za-z0-9 .,_\-()/=+*!?'…]|\p{L}|\p{M}|#[0-9]+;|<br/>)*""#
    let id = "(?:if_)?s[0-9]+"
    let node = try Regex("(\(id)|begin|finish)(?:\\[\(label)\\]|\\(\\[\(label)\\]\\)|\\{\(label)\\})")
    let frame = try Regex("subgraph (\(id)) \\[\(label)\\]")
    let edge = try Regex("(\(id)|begin) (?:-->|-\\.->)(?:\\|\(label)\\|)? (\(id)|finish)")
    let classes = try Regex(
      "classDef [a-z]+ stroke-(?:width:3px|dasharray:5 5)|class \(id)(?:,\(id))* (?:always|uncounted)")
    #expect(lines.first == "flowchart TD")
    var declared: Set<Substring> = []
    var used: Set<Substring> = []
    var depth = 0
    for line in lines.dropFirst() {
      if line == "end" {
        depth -= 1
        #expect(depth >= 0)
      } else if let match = try frame.wholeMatch(in: line) {
        depth += 1
        declared.insert(try #require(match.output[1].substring))
      } else if let match = try node.wholeMatch(in: line) {
        #expect(declared.insert(try #require(match.output[1].substring)).inserted, "\(line)")
      } else if let match = try edge.wholeMatch(in: line) {
        used.formUnion([try #require(match.output[1].substring), try #require(match.output[2].substring)])
      } else {
        #expect(try classes.wholeMatch(in: line) != nil, "\(line)")
      }
    }
    #expect(depth == 0)
    #expect(used.isSubset(of: declared), "\(used.subtracting(declared))")
  }
}
