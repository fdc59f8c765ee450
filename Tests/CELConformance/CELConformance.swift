import CEL
import FoundationEssentials
import Testing

/// The public conformance suite of the language; the folder is named by `RUNBOOK_CEL_CONFORMANCE`.
@Suite struct CELConformance {
  static let environmentVariables = ProcessInfo.processInfo.environment

  static let folder: String =
    environmentVariables["RUNBOOK_CEL_CONFORMANCE"]
    ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/conformance/cel").path

  static let files: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".json") }.sorted()
  }()

  static func cases(in file: String) throws -> [ConformanceCase] {
    let data = try Data(contentsOf: URL(filePath: folder).appending(path: file))
    return try JSONDecoder().decode([ConformanceCase].self, from: data)
  }

  @Test(
    "the suite is there",
    .enabled(if: !files.isEmpty || environmentVariables["CI"] != nil, "no conformance cases in \(folder)"))
  func theSuiteIsThere() throws {
    let count = try Self.files.reduce(0) { try $0 + Self.cases(in: $1).count }
    #expect(count > 0, "no conformance cases in \(Self.folder)")
    print("CEL conformance: \(count) cases in \(Self.files.count) files")
  }

  @Test("every case has the expected value, type or error", arguments: files)
  func everyCase(file: String) throws {
    for conformanceCase in try Self.cases(in: file) {
      let name = "\(file): \(conformanceCase.section)/\(conformanceCase.name): \(conformanceCase.expr)"
      if let failure = conformanceCase.failure() { Issue.record("\(name): \(failure)") }
    }
  }

  @Test("every expression's text parses to the same tree", arguments: files)
  func everyText(file: String) throws {
    for conformanceCase in try Self.cases(in: file) {
      let environment = CELEnvironment()
      guard let parsed = try? environment.parse(conformanceCase.expr) else { continue }
      let text = parsed.root.unparsed
      let again = try? environment.parse(text)
      #expect(again?.root.isSameTree(as: parsed.root) == true, "\(conformanceCase.expr) became \(text)")
    }
  }
}
