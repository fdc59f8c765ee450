import Foundation
import Logs
import Schema
import TestSupport
import Testing

@testable import Coturn

/// Logs of many versions with what a correct review finds in them, and what it must not; the folder is named by
/// `RUNBOOK_COTURN_LOGS`.
@Suite struct CoturnLogConformance {
  static let environment = ProcessInfo.processInfo.environment

  static let folder: String =
    environment["RUNBOOK_COTURN_LOGS"]
    ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/conformance/coturn-logs").path

  static let cases: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)/expected.json") }.sorted()
  }()

  static func review(_ files: [String], _ window: CoturnLogReview.Window? = nil) -> CoturnLogFacts {
    let review = CoturnLogReview(window: window)
    let readings = LogFiles(files).read(into: review, from: nil)
    #expect(readings.count == files.count && readings.allSatisfy { $0.result == .read })
    return review.facts()
  }

  @Test("the cases are there", .enabled(if: !cases.isEmpty || environment["CI"] != nil, "no cases in \(folder)"))
  func theCasesAreThere() {
    #expect(!Self.cases.isEmpty, "no cases in \(Self.folder)")
    print("coturn logs: \(Self.cases.count) cases")
  }

  @Test("every case gives what is expected of it, member by member", arguments: cases)
  func everyCase(name: String) throws {
    let path = "\(Self.folder)/\(name)"
    let expected = try JSON(parsing: Data(contentsOf: URL(filePath: path + "/expected.json")))
    guard case .object(let members) = expected else {
      Issue.record("\(name): expected.json is no object")
      return
    }
    let set = expected["set"]?.array?.compactMap(\.string) ?? []
    let files = set.isEmpty ? [try #require(expected["file"]?.string)] : set.sorted()
    let facts = Self.review(files.map { "\(path)/\($0)" })
    let found = facts.json(set: set)
    for member in members where !["file", "notes", "version", "windowLast24h"].contains(member.name) {
      #expect(found[member.name] == member.value, "\(name): \(member.name)")
    }
    // The version may have a word about where the log comes from behind it.
    let version = try #require(expected["version"]?.string).split(separator: " ").first
    #expect(found["version"]?.string == version.map(String.init), "\(name)")
    guard case .object(let given) = found else { return }
    let extra = Set(given.map(\.name)).subtracting(members.map(\.name))
    #expect(extra.isEmpty, "\(name)")
    try window(expected, files.map { "\(path)/\($0)" })
  }

  private func window(_ expected: JSON, _ files: [String]) throws {
    guard let window = expected["windowLast24h"] else { return }
    let bounds = CoturnLogReview.Window(
      from: try #require(Timestamp(try #require(window["since"]?.string))),
      until: try #require(Timestamp(try #require(window["until"]?.string))))
    let facts = Self.review(files, bounds)
    #expect(facts.json(window: bounds)["windowLast24h"] == window)
  }
}
