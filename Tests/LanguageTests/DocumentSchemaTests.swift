import Foundation
import Schema
import Testing

@testable import Language

/// Holds the JSON Schema of documents against a validator that is not ours, python3-jsonschema.
@Suite("JSON Schema of documents") struct DocumentSchemaTests {
  /// Reads YAML 1.2 as PyYAML composes it, and prints for each problem that the schema finds `file:line: what`.
  private static let script = #"""
    import json, re, sys, yaml
    from jsonschema import Draft202012Validator as V

    def scalar(node):
        text = node.value
        if node.style is not None: return text
        if text in ("", "~", "null", "Null", "NULL"): return None
        if text in ("true", "True", "TRUE"): return True
        if text in ("false", "False", "FALSE"): return False
        if re.fullmatch(r"[-+]?[0-9]+", text): return int(text)
        if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text): return float(text)
        return text

    def read(node, path, lines):
        """The value of a node; notes the lines of values by their paths, and of keys by path and key."""
        lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            found = {}
            for key, value in node.value:
                lines[(path, key.value)] = key.start_mark.line + 1
                found[key.value] = read(value, path + (key.value,), lines)
            return found
        if isinstance(node, yaml.SequenceNode):
            return [read(value, path + (index,), lines) for index, value in enumerate(node.value)]
        return scalar(node)

    def places(error, value, lines):
        path = tuple(error.absolute_path)
        # The validator names no place inside a mapping for a key that a schema of `false` refuses.
        if error.schema is False:
            mapping = value
            for part in path: mapping = mapping[part]
            return [lines[(path, key)] for key in mapping if mapping[key] == error.instance]
        if error.validator == "additionalProperties":
            known = error.schema["properties"]
            return [lines[(path, key)] for key in error.instance if key not in known]
        if "propertyNames" in error.absolute_schema_path: return [lines[(path, error.instance)]]
        # What a key needs beside it is missing where the key stands.
        if error.validator == "dependentRequired":
            return [lines[(path, key)] for key in error.validator_value if key in error.instance]
        if error.validator == "required" and "with" in error.validator_value: return [lines[(path, "use")]]
        # Keys that are refused may stand in the place of those that are missing.
        if error.validator == "oneOf" and "properties" in error.schema and isinstance(error.instance, dict):
            return [] if set(error.instance) - set(error.schema["properties"]) else [lines[path]]
        return [lines[path]]

    job = json.load(open(sys.argv[1]))
    V.check_schema(job["schema"])
    validator = V(job["schema"])
    for file in job["files"]:
        lines = {}
        try: value = read(yaml.compose(open(file, encoding="utf-8")), (), lines)
        except Exception as error:
            print(f"{file}:0: no YAML")
            continue
        for error in validator.iter_errors(value):
            for line in places(error, value, lines): print(f"{file}:{line}: {error.message[:120]}")
    for name, definition in job["schema"]["$defs"].items():
        for key, property in definition.get("properties", {}).items():
            for example in property.get("examples", []):
                schema = {"$defs": job["schema"]["$defs"], **property}
                for error in V(schema).iter_errors(example): print(f"{name}.{key}:0: {error.message[:120]}")
    """#

  private struct Problem {
    var file, text: String
    var line: Int
  }

  /// What the schema says of files, and of its own examples.
  private func problems(in files: [String]) throws -> [Problem] {
    let job: JSON = [
      "schema": documentSchema(catalog: sampleCatalog), "files": .array(files.map(JSON.string)),
    ]
    let folder = FileManager.default.temporaryDirectory.appending(path: "schema-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = folder.appending(path: "job.json")
    try job.text().write(to: input, atomically: false, encoding: .utf8)
    let process = Process()
    let (output, complaints) = (Pipe(), folder.appending(path: "stderr"))
    _ = FileManager.default.createFile(atPath: complaints.path, contents: nil)
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", Self.script, input.path]
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: complaints)
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    let complaint = try String(contentsOf: complaints, encoding: .utf8)
    try #require(process.terminationStatus == 0, "\(complaint)")
    return try text.split(separator: "\n").map { line in
      let parts = line.split(separator: ":", maxSplits: 2)
      try #require(parts.count == 3)
      return Problem(file: String(parts[0]), text: String(parts[2]), line: try #require(Int(parts[1])))
    }
  }

  /// The documents of one half of all fixtures, each as `RULE/HALF/path`.
  private func documents(_ half: String) throws -> [String] {
    try LanguageFixtureTests.rules.flatMap { rule in
      let folder = LanguageFixtureTests.folder.appending(path: "\(rule)/\(half)").path
      return try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
        .filter { $0.wholeMatch(of: /runbook\.yaml|(runbooks|checks)\/[^\/]+\.yaml/) != nil }
        .map { "\(rule)/\(half)/\($0)" }
    }
  }

  private func path(_ document: String) -> String { LanguageFixtureTests.folder.appending(path: document).path }

  @Test("Every valid fixture fits, and every example that the schema gives")
  func valid() throws {
    let documents = try documents("valid")
    #expect(documents.count > 50)
    let problems = try problems(in: documents.map(path))
    // PyYAML, of YAML 1.1, takes the `?` of an expression in braces for its own.
    #expect(problems.filter { $0.line == 0 && $0.text == " no YAML" }.map(\.file).count == 1)
    #expect(problems.filter { $0.text != " no YAML" }.map { "\($0.file):\($0.line):\($0.text)" } == [])
  }

  /// The codes of which the schema finds every case.
  private static let caught: Set = [
    "unknown-key", "unsupported-key", "missing-key", "unknown-module", "missing-field",
    "until-without-retry", "secret-source", "target-name",
  ]

  @Test(
    "What a schema can find in the invalid fixtures it finds, line by line, and nothing that the checker does not find")
  func invalid() throws {
    let documents = try documents("invalid")
    let found = try problems(in: documents.map(path))
    let unread = Set(found.filter { $0.line == 0 }.map(\.file))
    var missed: [String] = []
    var invented: [String] = []
    var caught = 0
    for rule in LanguageFixtureTests.rules {
      let root = LanguageFixtureTests.folder.appending(path: "\(rule)/invalid").path
      let surroundings = Project.Surroundings(environment: [:], workingFolder: root, isRoot: false)
      let issues: [Schema.Issue]
      do { issues = try Project.load(at: root, in: surroundings).validate(catalog: sampleCatalog) } catch {
        issues = error.all
      }
      for document in documents where document.hasPrefix("\(rule)/") {
        let file = path(document)
        guard !unread.contains(file) else { continue }
        let own = issues.filter { "\(root)/\($0.range.file)" == file }
        // Of a document that is of no kind, or holds what nobody sees, the checker says no more.
        let isRead = !own.contains { ["kind-missing", "invisible-character"].contains($0.code) }
        let lines = Set(found.filter { $0.file == file }.map(\.line))
        for issue in own where issue.severity == .error {
          if lines.contains(issue.range.line) { caught += 1 }
          // No schema knows what another file declares.
          let isAboutCheck = issue.message.contains("check")
          guard !lines.contains(issue.range.line), Self.caught.contains(issue.code), !isAboutCheck else { continue }
          missed.append("\(document):\(issue.range.line): \(issue.code): \(issue.message)")
        }
        for problem in found
        where isRead && problem.file == file && !own.contains(where: { $0.range.line == problem.line }) {
          invented.append("\(document):\(problem.line):\(problem.text)")
        }
      }
    }
    #expect(missed == [])
    #expect(invented == [])
    #expect(caught > 80)
  }
}
