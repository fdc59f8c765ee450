import Foundation
import Journal
import Language
import Modules
import Schema
import Steps
import Testing

/// What every module must be, whatever it does.
@Suite struct ModuleConformanceTests {
  @Test("Module names are unique, and each names its subject and what is done")
  func names() {
    let names = Catalog.standard.names
    #expect(Set(names).count == names.count)
    // Of the module that tells people the subject is who reads the runbook.
    for name in names where name != "notify" {
      #expect(name.wholeMatch(of: /[a-z]+\.[a-z][A-Za-z]+/) != nil, "\(name)")
    }
    #expect(names == names.sorted(), "the catalog is in alphabetical order")
  }

  @Test("No field of one type can be taken for another", arguments: Catalog.standard.modules)
  func fieldsReadBack(module: AnyStepModule) throws {
    #expect(try module.swappedFields() == [])
  }

  @Test("Field names are unique and every text is there, in sentences", arguments: Catalog.standard.modules)
  func documentation(module: AnyStepModule) {
    check(module.summary, of: module.name)
    for record in [module.input, module.output] { check(record, of: module.name) }
    #expect(!module.examples.isEmpty, "\(module.name) has an example")
    for example in module.examples { #expect(example.title.first?.isUppercase == true) }
  }

  private func check(_ record: RecordType, of name: String) {
    let names = record.fields.map(\.name)
    #expect(Set(names).count == names.count, "\(name)")
    for field in record.fields {
      #expect(field.name.wholeMatch(of: /[a-z][A-Za-z0-9]*/) != nil, "\(name).\(field.name)")
      check(field.summary, of: "\(name).\(field.name)")
      for nested in field.type.nestedRecords { check(nested, of: "\(name).\(field.name)") }
    }
  }

  private func check(_ text: String, of name: String) {
    #expect(text.first?.isUppercase == true && text.last == ".", "\(name): \(text)")
  }

  @Test("Fallbacks belong to their fields and lie within their limits", arguments: Catalog.standard.modules)
  func fallbacks(module: AnyStepModule) throws {
    for field in module.input.fields {
      guard let fallback = field.fallback else { continue }
      #expect(try field.admit(fallback) == fallback, "\(module.name).\(field.name)")
    }
  }

  @Test("A module that only observes can be repeated", arguments: Catalog.standard.modules)
  func observersRepeat(module: AnyStepModule) {
    #expect(module.effect != .observe || module.repetition == .idempotent)
    #expect(module.deadline > .zero)
  }

  @Test("A program that is needed with a field names one that there is", arguments: Catalog.standard.modules)
  func programs(module: AnyStepModule) {
    for program in module.programs {
      #expect(!program.name.contains("/") && !program.package.isEmpty, "\(module.name)")
      if let field = program.field { #expect(hasField(field, module.input), "\(module.name) \(field)") }
    }
  }

  @Test("A file that must be there is a field of paths", arguments: Catalog.standard.modules)
  func files(module: AnyStepModule) {
    for field in module.files { #expect(hasField(field, module.input), "\(module.name) \(field)") }
  }

  @Test("No example passes on a list that may be missing", arguments: Catalog.standard.modules)
  func examplesOfLists(module: AnyStepModule) {
    for example in module.examples where example.expect.contains(where: { $0.contains("orValue([]).all(") }) {
      #expect(example.expect.contains { $0.contains("orValue([]).size() > 0") }, "\(module.name): \(example.title)")
    }
  }

  /// Whether a record has a field, named with full stops where it lies in a record of it.
  private func hasField(_ path: String, _ record: RecordType) -> Bool {
    var names = path.split(separator: ".").map(String.init)
    guard let field = record[names.removeFirst()] else { return false }
    guard !names.isEmpty else { return true }
    switch field.type {
    case .record(let inner), .optional(.record(let inner)): return hasField(names.joined(separator: "."), inner)
    default: return false
    }
  }

  @Test("Every example is a step that validates", arguments: Catalog.standard.modules)
  func examples(module: AnyStepModule) throws {
    for example in module.examples {
      let project = try TemporaryProject()
      defer { project.remove() }
      var runbook = """
        runbook: example
        title: Example
        allow: [observe, notify, change]
        steps:
          - id: example
            title: "\(example.title)"
            use: \(module.name)
        """
      for name in ["backupCheck", "backupIdentity"] where example.with.contains("${secrets.\(name)}") {
        runbook = runbook.replacing("\nsteps:", with: "\nsecrets:\n  \(name): {env: EXAMPLE_SECRET}\nsteps:")
      }
      let with = example.with.split(separator: "\n")
      runbook += with == ["{}"] ? "" : "\n    with:\n" + with.map { "      \($0)" }.joined(separator: "\n")
      if !example.expect.isEmpty {
        runbook += "\n    expect:\n" + example.expect.map { "      - \($0)" }.joined(separator: "\n")
      } else if !module.judges {
        Testing.Issue.record("\(module.name) judges nothing by itself: \"\(example.title)\" needs an expectation")
      }
      try project.write("runbooks/example.yaml", runbook + "\n")
      let issues = try project.load().validate(catalog: .standard)
      #expect(issues.filter { $0.code != "unused-param" } == [], "\(module.name): \(example.title)\n\(runbook)")
    }
  }
}

@Suite("Documentation")
struct WorkedExampleTests {
  @Test("The worked example of the language's documentation validates without a remark")
  func workedExample() throws {
    let document = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "docs/language.md")
    let project = try TemporaryProject()
    defer { project.remove() }
    try FileManager.default.createDirectory(atPath: "\(project.root)/checks", withIntermediateDirectories: true)
    let blocks = try String(contentsOf: document, encoding: .utf8).split(separator: "```")
    for kind in ["runbook", "check"] {
      let start = "yaml\n\(kind): "
      let found = blocks.filter { $0.hasPrefix(start) }
      #expect(!found.isEmpty, "\(kind)")
      for block in found {
        let name = block.dropFirst(start.count).prefix { $0 != "\n" }
        try project.write("\(kind)s/\(name).yaml", String(block.dropFirst("yaml\n".count)))
      }
    }
    #expect(try project.load().validate(catalog: .standard) == [])
  }
}

extension ValueType {
  fileprivate var nestedRecords: [RecordType] {
    switch self {
    case .record(let record): [record]
    case .list(let element), .map(let element), .optional(let element), .secret(let element): element.nestedRecords
    default: []
    }
  }
}

extension AnyStepModule: CustomTestStringConvertible {
  /// The module's name.
  public var testDescription: String { name }
}

/// A project in a folder of its own.
struct TemporaryProject {
  let root: String

  init() throws {
    root = FileManager.default.temporaryDirectory.appending(path: "runbook-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(
      atPath: "\(root)/runbooks", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try write("runbook.yaml", "project: example\nvault: {path: vault}\n")
    try write(".env", "TURN_SERVER=turn:127.0.0.1:3478\nTURN_USERNAME=user\nTURN_CREDENTIAL=password\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(root)/.env")
  }

  func write(_ path: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(root)/\(path)"))
  }

  func load() throws -> Project {
    try Project.load(
      at: root, in: Project.Surroundings(environment: [:], workingFolder: root, isRoot: false))
  }

  func remove() { try? FileManager.default.removeItem(atPath: root) }
}
