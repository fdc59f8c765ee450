import Foundation
import Language
import Schema
import Steps
import Testing

/// A project in a folder of its own that goes when the value does.
final class SampleProject {
  let folder: URL

  init(_ files: [String: String] = [:]) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("language-\(UUID().uuidString)")
    try write("runbook.yaml", "project: sample\n")
    for (path, text) in files { try write(path, text) }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  var path: String { folder.path }

  func write(_ path: String, _ text: String) throws { try write(path, Array(text.utf8)) }

  func write(_ path: String, _ bytes: [UInt8]) throws {
    let file = folder.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
  }

  func load(_ environment: [String: String] = [:], isRoot: Bool = false) throws -> Project {
    try Project.load(at: path, in: .init(environment: environment, workingFolder: path, isRoot: isRoot))
  }

  /// The issues of all documents. The folder stays until they are found.
  func issues() throws -> [Schema.Issue] {
    try withExtendedLifetime(self) { try load().validate(catalog: sampleCatalog) }
  }

  /// The issues of all documents, as `line:column-endColumn code`.
  func problems(_ environment: [String: String] = [:]) throws -> [String] {
    try load(environment).validate(catalog: sampleCatalog).map(\.short)
  }
}

extension Project {
  /// The plan of a document that is used once.
  func plan(
    _ name: String, given: GivenParameters = GivenParameters(), target: TURNServer? = nil, catalog: Catalog,
    only: [String]? = nil, warn: (Schema.Issue) -> Void = { _ in }
  ) throws(Issues) -> Plan {
    try document(name, catalog: catalog).plan(given: given, target: target, only: only, warn: warn)
  }
}

extension Schema.Issue {
  var short: String { "\(range.line):\(range.column)-\(range.endColumn) \(code)" }
}

/// The issues that an operation throws; fails the test where it throws none.
func issues<Result>(_ operation: () throws -> Result) -> [Schema.Issue] {
  do {
    _ = try operation()
    Testing.Issue.record("expected issues, and none were thrown")
    return []
  } catch let issues as Issues {
    return issues.all
  } catch {
    Testing.Issue.record("unexpected error: \(error)")
    return []
  }
}

/// A runbook with these lines as its steps.
func runbook(steps: String, head: String = "") -> String {
  "runbook: sample\n\(head)steps:\n"
    + steps.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)\n" }.joined()
}
